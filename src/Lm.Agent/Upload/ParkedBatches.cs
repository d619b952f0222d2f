using Lm.Agent.Queue;
using Lm.Journal;

namespace Lm.Agent.Upload;

/// <summary>Batches that wait for the collector's limits or clock, as ranges: one probe of a range tells for all of it.</summary>
/// <remarks>In memory only: after a restart each is tried once and parked again.</remarks>
internal sealed class ParkedBatches(DiskQueue queue)
{
    /// <summary>Ranges beyond which neighbours are joined, whatever lies between them; released together, nothing is lost by that.</summary>
    public const int RangesMax = 1024;

    private readonly List<ParkedRange> ranges = [];

    /// <summary>How many ranges.</summary>
    public int Count => ranges.Count;

    /// <summary>The earliest time at which a range may be probed; null when there is none.</summary>
    public long? DueAt => ranges.Count == 0 ? null : ranges.Min(range => range.DueAt);

    public bool Contains(BatchNumber batch) => ranges.Exists(range => range.Contains(batch));

    /// <summary>Parks a batch.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="code">Why.</param>
    /// <param name="dueAt">When it may be probed, a timestamp of the clock.</param>
    public void Park(QueuedBatch batch, string code, long dueAt)
    {
        if (Contains(batch.Number))
        {
            return;
        }

        var at = ranges.FindIndex(range => range.First.CompareTo(batch.Number) > 0);
        at = at < 0 ? ranges.Count : at;
        var before = at > 0 ? ranges[at - 1] : null;
        if (before is not null && before.First.Generation == batch.Number.Generation
            && ((before.Code == code && queue.IsDoneBetween(before.Last, batch.Number)) || ranges.Count >= RangesMax))
        {
            before.Last = batch.Number;
            return;
        }

        ranges.Insert(at, new ParkedRange(batch.Number, batch.Position, code) { DueAt = dueAt });
    }

    /// <summary>A range whose time has come; null when there is none.</summary>
    public ParkedRange? FindDue(long now) => ranges.Find(range => range.DueAt <= now);

    /// <summary>The batches of a range go back to the backlog.</summary>
    public void Release(ParkedRange range) => ranges.Remove(range);

    /// <summary>Every range may be probed now: the collector's limits have changed.</summary>
    public void MakeAllDue(long now) => ranges.ForEach(range => range.DueAt = Math.Min(range.DueAt, now));

    public void Clear() => ranges.Clear();
}

/// <summary>Neighbouring batches that wait for the same reason.</summary>
/// <param name="first">The first of them.</param>
/// <param name="position">Where its record stands.</param>
/// <param name="code">Why they wait.</param>
internal sealed class ParkedRange(BatchNumber first, JournalPosition position, string code)
{
    public BatchNumber First { get; } = first;

    public BatchNumber Last { get; set; } = first;

    public JournalPosition Position { get; } = position;

    public string Code { get; } = code;

    /// <summary>When it may be probed, a timestamp of the clock.</summary>
    public long DueAt { get; set; }

    /// <summary>Probes that were answered the same.</summary>
    public int Attempts { get; set; }

    public bool Contains(BatchNumber batch) => batch.CompareTo(First) >= 0 && batch.CompareTo(Last) <= 0;
}
