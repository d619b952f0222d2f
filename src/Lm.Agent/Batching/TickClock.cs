namespace Lm.Agent.Batching;

/// <summary>When the next tick is due: a fixed grid from the start on, so that delays do not add up; missed ticks are skipped.</summary>
internal sealed class TickClock(TimeProvider time)
{
    private long origin = time.GetTimestamp();
    private long ticks;

    /// <summary>How long until the next tick, and counts it as taken.</summary>
    public TimeSpan Next(TimeSpan interval)
    {
        var elapsed = time.GetElapsedTime(origin);
        ticks = Math.Max(ticks, elapsed.Ticks / interval.Ticks) + 1;
        return (interval * ticks) - elapsed;
    }

    /// <summary>Begins a new grid now, for a new interval.</summary>
    public void Restart() => (origin, ticks) = (time.GetTimestamp(), 0);
}
