using Lm.Collector.Ingest;
using Lm.Collector.Spool;
using Lm.ObjectStore;

namespace Lm.Collector.SharedLog;

/// <summary>Requests that are to be committed together.</summary>
internal sealed class LogGroup
{
    /// <summary>The usual <see cref="SizeMax"/>: twice the largest body, so that two requests always fit; it is in memory.</summary>
    public const long UsualSizeMax = 32L << 20;

    private readonly List<Waiting> members = [];
    private Dictionary<long, int> byOffset = [];
    private long sizeBytes;

    /// <summary>Bytes from which on it is full.</summary>
    public required long SizeMax { get; init; }

    /// <summary>How many.</summary>
    public int Count => members.Count;

    /// <summary>Whether no more should be added.</summary>
    public bool IsFull => members.Count >= DataCommit.EntriesMax || sizeBytes >= SizeMax;

    /// <summary>What it became.</summary>
    public Draft? Draft { get; private set; }

    /// <summary>Adds one.</summary>
    public void Add(Waiting waiting)
    {
        members.Add(waiting);
        sizeBytes += waiting.Entry switch
        {
            SpoolEntry batch => batch.Frame.Length,
            WriteEntry write => write.Body.Length,
            _ => 0,
        };
    }

    /// <summary>Refuses the <c>up</c> of moments that should not be committed any more.</summary>
    public void RefuseUps(Predicate<AcceptedUps> isStale)
    {
        foreach (var stale in members.Where(member => member.Entry is AcceptedUps ups && isStale(ups)).ToArray())
        {
            members.Remove(stale);
            stale.Answer(new SpoolResult(SpoolStatus.Failed, "its moment is over, or another collector writes up"));
        }
    }

    /// <summary>Makes the object and what is to be committed of it.</summary>
    /// <param name="writer">The collector's name.</param>
    /// <param name="keys">Makes keys.</param>
    /// <returns>The object's bytes.</returns>
    public ReadOnlyMemory<byte> Bundle(string writer, ObjectKeys keys)
    {
        var id = Guid.NewGuid();
        var bundle = new RawBundle(writer, id);
        var entries = new CommitEntry[members.Count];
        for (var i = 0; i < entries.Length; i++)
        {
            entries[i] = Add(bundle, i, members[i].Entry);
        }

        byOffset = entries.Select(static (entry, index) => (entry.Offset, index)).ToDictionary();
        var (bytes, hash) = bundle.Finish();
        Draft = new Draft(new StoredObject(keys.SharedRaw(writer, id), bytes.Length, hash), entries);
        return bytes;
    }

    /// <summary>Which of its requests an entry of its commit is.</summary>
    public Waiting Find(CommitEntry entry) => members[byOffset[entry.Offset]];

    /// <summary>Answers those that are not visible by this group: they were had, or contradict what was.</summary>
    public void Answer(IReadOnlyList<AdmissionResult> outcomes)
    {
        for (var i = 0; i < members.Count; i++)
        {
            var outcome = outcomes[i];
            members[i].Answer(new SpoolResult(SpoolStatus.Known, outcome.Detail) { Known = outcome.Admission }); // but for those that were answered when their commit was folded
        }
    }

    /// <summary>Answers all that have no answer.</summary>
    public void Refuse(string reason)
    {
        foreach (var member in members)
        {
            member.Answer(new SpoolResult(SpoolStatus.Failed, reason));
        }
    }

    private static CommitEntry Add(RawBundle bundle, int index, object entry)
    {
        var place = RawBundle.PlaceOf(0, index);
        switch (entry)
        {
            case SpoolEntry batch:
                var pending = batch.Pending;
                var raw = bundle.Add(place, SpoolRecord.BatchKind, SpoolRecord.WriteHead(pending.ReceivedAt, pending.Floor, batch.Verdict), batch.Frame.Span, pending.ReceivedAt, pending.Key);
                return new CommitEntry(raw.Kind, raw.Offset, raw.Size, raw.Checksum, pending.ReceivedAt, new CommitFrame(pending.Key, pending.Fingerprint, pending.Floor));
            case WriteEntry write:
                var body = bundle.Add(place, WriteRecord.Kind, WriteRecord.WriteHead(write.Sender, write.ReceivedAt, write.Verdict), write.Body.Span, write.ReceivedAt, key: null);
                return new CommitEntry(body.Kind, body.Offset, body.Size, body.Checksum, write.ReceivedAt, null);
            default:
                var ups = (AcceptedUps)entry;
                var record = bundle.Add(place, UpRecord.Kind, UpRecord.Write(ups.At, ups.Agents), default, ups.At, key: null);
                return new CommitEntry(record.Kind, record.Offset, record.Size, record.Checksum, ups.At, null);
        }
    }
}

/// <summary>A request that waits for its commit.</summary>
/// <param name="entry">A <see cref="SpoolEntry"/>, a <see cref="WriteEntry"/> or <see cref="AcceptedUps"/>.</param>
internal sealed class Waiting(object entry)
{
    private readonly TaskCompletionSource<SpoolResult> source = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>What is to be committed.</summary>
    public object Entry { get; } = entry;

    /// <summary>What becomes of it.</summary>
    public Task<SpoolResult> Task => source.Task;

    /// <summary>Answers it, unless it was.</summary>
    public void Answer(SpoolResult result) => source.TrySetResult(result);
}
