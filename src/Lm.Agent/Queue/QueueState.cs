using Lm.Journal;
using Lm.Protocol;

namespace Lm.Agent.Queue;

/// <summary>The queue's state in memory: the fold of its records. Whoever uses it holds <see cref="Gate"/>, except while the queue is being opened.</summary>
/// <remarks>
/// Invariants:
/// a sequence number below <see cref="NextSequence"/> that stands in no segment is done with: acknowledged, dropped, refused or never committed;
/// so the lowest number that is not done with is the floor that is announced to the collector;
/// a number is taken before its append and never given back (D3).
/// </remarks>
internal sealed class QueueState
{
    private readonly List<QueueSegment> segments = [];

    /// <summary>Guards all of this, and what the queue's parts keep beside it.</summary>
    public Lock Gate { get; } = new(); // guards every other member

    /// <summary>Which queue id it is: 0 before there is one.</summary>
    public uint Generation { get; private set; }

    public QueueId QueueId { get; private set; }

    public QueueIdentity? Identity { get; private set; }

    public ulong NextSequence { get; private set; } = 1;

    public QueueCounters Counters { get; set; }

    /// <summary>What is done with.</summary>
    public BatchSet Done { get; } = new();

    /// <summary>What is done with since the last record, to ride on the next one.</summary>
    public BatchSet UnsavedDone { get; private set; } = new();

    public IReadOnlyList<QueueSegment> Segments => segments;

    /// <summary>The highest generation met in any record; above <see cref="Generation"/> only after damage.</summary>
    public uint GenerationSeen { get; private set; }

    /// <summary>Segments before it are dropped.</summary>
    public uint DropBefore { get; private set; }

    /// <summary>The lowest sequence that may still be sent under the current id.</summary>
    public ulong Floor => Done.Of(Generation).FirstMissing(1);

    /// <summary>Batches that are not done with.</summary>
    public ulong WaitingCount
    {
        get
        {
            var count = 0UL;
            foreach (var segment in segments)
            {
                count += segment.WaitingCount;
            }

            return count;
        }
    }

    /// <summary>Whether batches of earlier generations wait to be queued again.</summary>
    public bool NeedsMigration { get; private set; }

    /// <summary>How far log files are durably taken.</summary>
    public TailOffsets Tails { get; } = new();

    /// <summary>Takes in one record as it was read or committed.</summary>
    public void Apply(QueueRecord record, JournalPosition position)
    {
        if (segments.Count == 0 || segments[^1].Number != position.Segment)
        {
            segments.Add(new QueueSegment(position.Segment));
        }

        GenerationSeen = Math.Max(GenerationSeen, record.Number.Generation);
        switch (record.Kind)
        {
            case QueueRecordKind.Batch:
                segments[^1].Add(record.Number);
                NextSequence = record.Number.Generation == Generation ? Math.Max(NextSequence, record.Number.Sequence + 1) : NextSequence;
                break;
            case QueueRecordKind.Snapshot or QueueRecordKind.NewQueueId:
                NextSequence = record.Number.Generation == Generation ? Math.Max(NextSequence, record.Number.Sequence) : record.Number.Sequence;
                (Generation, QueueId, Identity) = (record.Number.Generation, record.QueueId, record.Identity);
                break;
            default:
                break;
        }

        if (record.Kind == QueueRecordKind.Snapshot)
        {
            Tails.Clear();
        }

        for (var i = 0; i < record.Tails.Count; i++)
        {
            Tails.Apply(record.Tails[i]);
        }

        DropBefore = Math.Max(DropBefore, record.DropBefore);
    }

    /// <summary>Begins the first generation of a new directory.</summary>
    public void Begin(QueueId queueId, QueueIdentity identity) => (Generation, QueueId, Identity) = (1, queueId, identity);

    /// <summary>After all records were read: fills in what follows from them.</summary>
    public void CompleteReading()
    {
        segments.RemoveAll(segment => segment.Number < DropBefore);
        var held = new BatchSet();
        segments.ForEach(segment => held.Add(segment.Batches));
        if (NextSequence > 1)
        {
            var taken = new SequenceSet();
            taken.Add(new SequenceRange(1, NextSequence - 1));
            Done.Add(Generation, taken.Except(held.Of(Generation)));
        }

        segments.ForEach(segment => segment.Recount(Done));
        UpdateNeedsMigration();
    }

    /// <summary>Whether a batch still waits under the current id.</summary>
    public bool IsWaiting(BatchNumber batch) => batch.Generation == Generation && !Done.Contains(batch);

    /// <summary>Takes the next number for good.</summary>
    public BatchNumber TakeNumber() => new(Generation, NextSequence++);

    /// <summary>Hands what is to ride on the next record to it.</summary>
    public BatchSet TakeUnsavedDone()
    {
        var taken = UnsavedDone;
        UnsavedDone = new BatchSet();
        return taken;
    }

    /// <summary>A batch is done with.</summary>
    /// <returns>Whether it was waiting until now.</returns>
    public bool MarkDone(BatchNumber batch)
    {
        var segment = segments.Find(each => each.Batches.Contains(batch));
        if (!Done.Add(batch) || segment is null)
        {
            return false;
        }

        UnsavedDone.Add(batch);
        segment.MarkDone();
        return true;
    }

    /// <summary>Forgets segments that are dropped with what waits in them.</summary>
    public void Drop(uint before)
    {
        foreach (var segment in segments.Where(each => each.Number < before))
        {
            Done.Add(segment.Batches);
        }

        DropBefore = Math.Max(DropBefore, before);
        segments.RemoveAll(each => each.Number < before);
        UpdateNeedsMigration();
    }

    /// <summary>Takes out of the list the segments that nothing waits in; the newest stays.</summary>
    public uint[] TakeFinishedSegments()
    {
        var finished = segments.FindAll(segment => segment.WaitingCount == 0 && segment != segments[^1]);
        segments.RemoveAll(finished.Contains);
        return [.. finished.ConvertAll(segment => segment.Number)];
    }

    public void UpdateNeedsMigration() =>
        NeedsMigration = segments.Exists(segment => segment.WaitingCount > 0 && segment.Batches.Generations.Any(
            generation => generation.Key < Generation && generation.Value.Except(Done.Of(generation.Key)).Ranges.Count > 0));

    /// <summary>The whole state as a segment's preamble.</summary>
    public QueueRecord Snapshot()
    {
        var done = new BatchSet();
        foreach (var (generation, sequences) in Done.Generations)
        {
            if (generation == Generation || segments.Exists(segment => segment.Batches.Generations.ContainsKey(generation)))
            {
                done.Add(generation, sequences);
            }
        }

        return new QueueRecord
        {
            Kind = QueueRecordKind.Snapshot,
            Number = new BatchNumber(Generation, NextSequence),
            DropBefore = DropBefore,
            Counters = Counters,
            Done = done,
            Tails = Tails.Snapshot(),
            QueueId = QueueId,
            Identity = Identity,
        };
    }
}
