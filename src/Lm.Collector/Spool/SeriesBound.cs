using Lm.Protocol;
using Lm.Protocol.RemoteWrite;

namespace Lm.Collector.Spool;

/// <summary>How many series the head may have, kept at admission: what is in the spool is never judged again (D2).</summary>
/// <remarks>
/// Each request takes room for the series that it may add, and gives it back when the head has applied it; so series on their way count, too. While there
/// is room for all series of a request, known ones included, that is one addition. Else its series are looked up, those that are known come in as always, and of the
/// new ones as many as there is room for; the rest is left out, counted and told to the sender. The alternative, to put the whole request off, would hold up the known
/// series behind the new ones: for hours, since series go when no window holds them any more, or for ever.
/// </remarks>
/// <param name="held">What there is.</param>
/// <param name="max">The bound.</param>
/// <param name="logger">The log.</param>
internal sealed class SeriesBound(IHeldSeries held, int max, ILogger logger)
{
    // A series takes 0.4 to 5 KiB while it is active (decision 0012), most of the latter chunks that can leave memory; so this leaves more than half for the rest.
    private const int MemoryBytesPerSeries = 4096;
    private const int Lowest = 32_768;
    private const int Highest = 1 << 27;

    private long reserved;
    private long refused;
    private int isRefusing;

    /// <summary>The bound.</summary>
    public int Max => max;

    /// <summary>Places in requests that were left out since start.</summary>
    public long Refused => Interlocked.Read(ref refused);

    /// <summary>Whether there is room for hardly any.</summary>
    public bool IsFull => held.Count >= max - (max / 1024);

    /// <summary>The bound on a machine, or in a control group, with so much memory.</summary>
    public static int MaxFor(long memoryBytes) => (int)Math.Clamp(memoryBytes / MemoryBytesPerSeries, Lowest, Highest);

    /// <summary>Takes room for a batch's series, until its lease is released.</summary>
    /// <returns>The verdict, with what there is no room for.</returns>
    public BatchVerdict Admit(Lease<DecodedBatch> lease, BatchVerdict verdict)
    {
        var batch = lease.Content;
        if (TryReserve(batch.SeriesCountMax))
        {
            lease.Hold(this, batch.SeriesCountMax);
            return verdict;
        }

        var found = new List<NewSeries>();
        held.FindNew(batch, found);
        var left = Choose(found, verdict.DroppedSeries, lease.Hold);
        return left.Count == 0 ? verdict : verdict with
        {
            DroppedSeries = Merge(verdict.DroppedSeries, left),
            FirstDropped = verdict.FirstDropped.Length > 0 ? verdict.FirstDropped
                : $"series {left[0]} is new, and the collector holds as many series as its memory allows: {max}",
        };
    }

    /// <summary>Takes room for a request's series, until its lease is released.</summary>
    /// <returns>The verdict, with what there is no room for.</returns>
    public WriteVerdict Admit(Lease<DecodedWrite> lease, WriteVerdict verdict)
    {
        var write = lease.Content;
        if (TryReserve(write.Series.Length))
        {
            lease.Hold(this, write.Series.Length);
            return verdict;
        }

        var found = new List<NewSeries>();
        held.FindNew(write, found);
        var left = Choose(found, verdict.DroppedSeries, lease.Hold);
        return left.Count == 0 ? verdict : verdict with { DroppedSeries = Merge(verdict.DroppedSeries, left) };
    }

    /// <summary>Gives room back.</summary>
    public void Return(int count) => Interlocked.Add(ref reserved, -count);

    private bool TryReserve(int count)
    {
        if (held.Count + Interlocked.Add(ref reserved, count) > max)
        {
            Return(count);
            return false;
        }

        if (Volatile.Read(ref isRefusing) != 0 && !IsFull && Interlocked.Exchange(ref isRefusing, 0) != 0)
        {
            SpoolLog.SeriesTakenAgain(logger);
        }

        return true;
    }

    // The places that there is no room for.
    private List<int> Choose(List<NewSeries> found, IReadOnlyList<int> dropped, Action<SeriesBound, int> hold)
    {
        var alreadyDropped = dropped.Count == 0 ? null : new HashSet<int>(dropped);
        var left = new List<int>();
        var taken = 0;
        foreach (var (index, count) in found)
        {
            if (alreadyDropped?.Contains(index) == true)
            {
                continue;
            }

            if (TryReserve(count))
            {
                taken += count;
            }
            else
            {
                left.Add(index);
            }
        }

        hold(this, taken);
        if (left.Count > 0)
        {
            Interlocked.Add(ref refused, left.Count);
            if (Interlocked.Exchange(ref isRefusing, 1) == 0)
            {
                SpoolLog.SeriesRefused(logger, max);
            }
        }

        return left;
    }

    private static int[] Merge(IReadOnlyList<int> dropped, List<int> left)
    {
        int[] all = [.. dropped, .. left];
        Array.Sort(all);
        return all;
    }
}
