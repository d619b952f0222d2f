using Lm.Platform;
using Lm.Protocol;

namespace Lm.Collector.Ingest;

/// <summary>One queue's sequences: accepted, pending, remembered, final. Not safe for concurrent use: the ledger's lock guards it.</summary>
/// <remarks>
/// Below the floor the accepted set is one interval, and what was a hole there is final (D6). A sequence below the floor is answered as had
/// already, unless the frame memory knows that it never came: that is a fork, because answering "had already" would make the agent
/// delete what the collector does not hold, and taking it would reopen what was reported as a gap. The agent then starts a new queue and sends it
/// under that. The floor of the first request is where the collector's knowledge begins: nothing below it counts as a gap.
/// </remarks>
internal sealed class QueueSequences
{
    /// <summary>Intervals that one queue may have, pending ones included.</summary>
    public const int IntervalsMax = 4096;

    private readonly SequenceSet accepted = new();
    private readonly List<PendingBatch> pending = [];
    private readonly FrameMemory memory = new();

    /// <summary>The lowest sequence that the agent may still send; 0 when it never said.</summary>
    public ulong Floor { get; private set; }

    /// <summary>Sequences below the floor that never came.</summary>
    public ulong Gaps { get; private set; }

    /// <summary>When its last accepted batch came.</summary>
    public UnixMillis LastReceivedAt { get; private set; }

    /// <summary>Whether a batch of it is on its way into the spool.</summary>
    public bool HasPending => pending.Count > 0;

    /// <summary>The accepted intervals; what lies below the floor is one.</summary>
    public IReadOnlyList<SequenceRange> Accepted => accepted.Ranges;

    /// <summary>The remembered frames.</summary>
    public IEnumerable<FrameMemory.Entry> Remembered => memory.Entries;

    /// <summary>Brings back what a snapshot holds.</summary>
    public void Restore(ulong floor, ulong gaps, UnixMillis lastReceivedAt, IEnumerable<SequenceRange> ranges, IEnumerable<FrameMemory.Entry> frames)
    {
        (Floor, Gaps, LastReceivedAt) = (floor, gaps, lastReceivedAt);
        foreach (var range in ranges)
        {
            accepted.Add(range);
        }

        foreach (var frame in frames)
        {
            memory.Put(frame.Sequence, frame.Fingerprint);
        }
    }

    /// <summary>Takes sequences of frames whose content is not known any more: what comes again under one of them is a repeat.</summary>
    public void AddRestored(IReadOnlyList<SequenceRange> sequences, UnixMillis newest)
    {
        foreach (var range in sequences)
        {
            accepted.Add(range);

            // The last of them are enough: each slot of the memory then holds one, and lower ones count as forgotten.
            for (var left = Math.Min(range.Count, FrameMemory.SizeMax); left > 0; left--)
            {
                var sequence = range.End - left + 1;
                if (memory.Find(sequence, out _) == FrameKnowledge.NeverPut)
                {
                    memory.Put(sequence, FrameFingerprint.Unknown);
                }
            }
        }

        LastReceivedAt = newest > LastReceivedAt ? newest : LastReceivedAt;
    }

    /// <summary>Takes what an earlier life knew of the queue.</summary>
    public void AddRestored(QueueSequences earlier)
    {
        if (earlier.Floor > Floor)
        {
            (Floor, Gaps) = (earlier.Floor, earlier.Gaps);
        }

        foreach (var frame in earlier.Remembered)
        {
            memory.Put(frame.Sequence, frame.Fingerprint);
        }

        // Not as ranges of frames: what was a final hole below the floor, or the middle of a frame, is told by the memory alone.
        foreach (var range in earlier.Accepted)
        {
            accepted.Add(range);
        }

        LastReceivedAt = earlier.LastReceivedAt > LastReceivedAt ? earlier.LastReceivedAt : LastReceivedAt;
    }

    /// <summary>Takes note of a floor; a lower one than known says nothing new.</summary>
    public void RaiseFloor(ulong floor)
    {
        if (floor <= Floor)
        {
            return;
        }

        if (Floor != 0 || accepted.Ranges.Count > 0)
        {
            var from = Floor != 0 ? Floor : accepted.Ranges[0].Start;
            if (from < floor)
            {
                var below = new SequenceRange(from, floor - 1);
                Gaps += below.Count - accepted.CountIn(below);
            }
        }

        Floor = floor;
        if (floor > 1)
        {
            accepted.Add(new SequenceRange(1, floor - 1));
        }
    }

    /// <summary>What a frame of this queue is: new, or known in some way.</summary>
    public AdmissionResult Look(BatchKey key, FrameFingerprint fingerprint)
    {
        foreach (var batch in pending)
        {
            if (batch.Key.Sequences == key.Sequences)
            {
                return batch.Fingerprint == fingerprint
                    ? new AdmissionResult(Admission.Pending, batch, "")
                    : Fork(key, batch.Fingerprint, fingerprint);
            }

            if (batch.Key.Sequences.Start <= key.Sequences.End && key.Sequences.Start <= batch.Key.Sequences.End)
            {
                return Overlap(key, $"{batch.Key.Sequences}, which is being stored");
            }
        }

        return accepted.CoverageOf(key.Sequences) switch
        {
            SequenceCoverage.None => HasRoomFor(key.Sequences) ? new AdmissionResult(Admission.New, null, "") : TooManyGaps(key),
            SequenceCoverage.Part => Overlap(key, "sequences that were accepted in other frames"),
            _ => LookAtAccepted(key, fingerprint),
        };
    }

    /// <summary>A new frame begins its way into the spool.</summary>
    public PendingBatch Enter(BatchKey key, FrameFingerprint fingerprint, ulong floor, UnixMillis receivedAt)
    {
        var batch = new PendingBatch(key, fingerprint, Math.Max(Floor, floor), receivedAt);
        pending.Add(batch);
        return batch;
    }

    /// <summary>A frame that is visible already begins its way into the spool: what is pending beside it and overlaps has no claim any more.</summary>
    public PendingBatch EnterCommitted(PendingBatch batch)
    {
        pending.RemoveAll(other => other.Key.Sequences.Start <= batch.Key.Sequences.End && batch.Key.Sequences.Start <= other.Key.Sequences.End);
        pending.Add(batch);
        return batch;
    }

    /// <summary>A pending frame is durable.</summary>
    public void Commit(PendingBatch batch)
    {
        pending.Remove(batch);
        RaiseFloor(Math.Min(batch.Floor, batch.Key.Sequences.Start));
        Accept(batch.Key.Sequences, batch.Fingerprint, batch.ReceivedAt);
    }

    /// <summary>A pending frame did not become durable.</summary>
    public void RollBack(PendingBatch batch) => pending.Remove(batch);

    /// <summary>Takes a frame that is durable.</summary>
    public void Accept(SequenceRange sequences, FrameFingerprint fingerprint, UnixMillis receivedAt)
    {
        if (sequences.Start < Floor)
        {
            // It was pending when the floor rose over it and was counted as a gap then.
            Gaps -= Math.Min(Gaps, Math.Min(sequences.End, Floor - 1) - sequences.Start + 1);
        }

        accepted.Add(sequences);
        memory.Put(sequences.Start, fingerprint);
        LastReceivedAt = receivedAt > LastReceivedAt ? receivedAt : LastReceivedAt;
    }

    /// <summary>Whether a record read back from the spool was taken before. What lies below the floor and is known never to have come was
    /// pending when the floor rose over it: it was acknowledged, so it counts.</summary>
    public bool IsRepeat(SequenceRange sequences) => accepted.CoverageOf(sequences) != SequenceCoverage.None
        && !(sequences.Start < Floor && memory.Find(sequences.Start, out _) == FrameKnowledge.NeverPut);

    /// <summary>For people.</summary>
    public QueueState State(string agentId, QueueId queueId)
    {
        var highest = accepted.Highest;
        var lowest = Math.Max(Floor, accepted.Ranges.Count == 0 ? 0 : accepted.Ranges[0].Start);
        var open = highest < lowest || highest == 0 ? 0 : new SequenceRange(Math.Max(lowest, 1), highest).Count;
        var missing = open == 0 ? 0 : open - accepted.CountIn(new SequenceRange(Math.Max(lowest, 1), highest));
        return new QueueState(agentId, queueId, highest, Floor, Gaps, missing, accepted.Ranges.Count, LastReceivedAt);
    }

    private AdmissionResult LookAtAccepted(BatchKey key, FrameFingerprint fingerprint) =>
        memory.Find(key.Sequences.Start, out var known) switch
        {
            FrameKnowledge.Remembered when known == fingerprint || known == FrameFingerprint.Unknown => new AdmissionResult(Admission.Duplicate, null, ""),
            FrameKnowledge.Remembered => Fork(key, known, fingerprint),
            FrameKnowledge.NeverPut when key.Sequences.Start < Floor => FinalHole(key),
            FrameKnowledge.NeverPut => Overlap(key, "sequences that were accepted in other frames"),
            _ => new AdmissionResult(Admission.Duplicate, null, ""),
        };

    private bool HasRoomFor(SequenceRange range) => accepted.Ranges.Count + pending.Count < IntervalsMax || accepted.Touches(range);

    private AdmissionResult TooManyGaps(BatchKey key) => new(
        Admission.TooManyGaps,
        null,
        $"queue {key.QueueId} has {accepted.Ranges.Count} intervals of accepted sequences, the most that are kept; "
        + $"send the missing ones or raise {BatchHeaders.SeqFloor}, which is {Floor}, above them");

    private AdmissionResult FinalHole(BatchKey key) => new(
        Admission.Fork,
        null,
        $"sequence {key.Sequences} lies below {BatchHeaders.SeqFloor} {Floor} that queue {key.QueueId} announced, and never came before: its number is final as a gap; "
        + "send the batch under a new queue_id");

    private static AdmissionResult Fork(BatchKey key, FrameFingerprint known, FrameFingerprint found) => new(
        Admission.Fork,
        null,
        $"sequence {key.Sequences} of queue {key.QueueId} is known with other content ({known.Length} bytes, CRC {known.Checksum:x8}; this one has {found.Length} bytes, CRC {found.Checksum:x8}); "
        + "the queue was copied or restored: continue under a new queue_id");

    private static AdmissionResult Overlap(BatchKey key, string with) => new(
        Admission.Overlap,
        null,
        $"sequences {key.Sequences} of queue {key.QueueId} overlap {with}; a frame's range is fixed when it is enqueued");
}
