using Lm.Platform;

namespace Lm.Agent.Gathering;

/// <summary>What one reading of one target gave.</summary>
/// <param name="At">When it was read: the time of all its samples.</param>
/// <param name="Samples">The samples.</param>
/// <param name="Ended">Series that the reading before had and this one has not.</param>
internal sealed record Harvest(UnixMillis At, IReadOnlyList<GatheredSample> Samples, IReadOnlyList<GatheredSample> Ended)
{
    /// <summary>The value that says that a series has ended.</summary>
    /// <remarks>Source: the stale marker of Prometheus' storage, which PromQL knows.</remarks>
    public static readonly double Stale = BitConverter.Int64BitsToDouble(0x7FF0000000000002);
}

/// <summary>Where a target leaves what it gave, and a tick takes it from. Safe for concurrent use.</summary>
internal sealed class HarvestOutlet
{
    // A tick comes at least as often as a reading; two may fall between ticks that are late.
    private const int WaitingMax = 4;

    private readonly Lock gate = new(); // guards waiting, last and missedCount
    private readonly Queue<Harvest> waiting = new();
    private Harvest? last;
    private long missedCount;

    /// <summary>What was read last; null before that.</summary>
    public Harvest? Last
    {
        get
        {
            lock (gate)
            {
                return last;
            }
        }
    }

    /// <summary>Readings that no tick took in time.</summary>
    public long MissedCount
    {
        get
        {
            lock (gate)
            {
                return missedCount;
            }
        }
    }

    /// <summary>Leaves a reading.</summary>
    public void Put(Harvest harvest)
    {
        lock (gate)
        {
            if (waiting.Count == WaitingMax)
            {
                waiting.Dequeue();
                missedCount++;
            }

            waiting.Enqueue(harvest);
            last = harvest;
        }
    }

    /// <summary>Takes the oldest reading that was not taken; null when there is none.</summary>
    public Harvest? Take()
    {
        lock (gate)
        {
            return waiting.TryDequeue(out var harvest) ? harvest : null;
        }
    }
}
