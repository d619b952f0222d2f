namespace Lm.ObjectStore;

/// <summary>How long to wait before another try: a random time up to a bound that doubles, so that many who failed together do not come back together.</summary>
/// <param name="first">The bound of the first wait.</param>
/// <param name="max">The highest bound.</param>
/// <param name="random">Where the jitter comes from.</param>
public sealed class RetryPolicy(TimeSpan first, TimeSpan max, Random random)
{
    private readonly Lock gate = new(); // guards random

    /// <summary>The wait after so many failures in a row, from 1.</summary>
    public TimeSpan DelayAfter(int failures)
    {
        var doublings = Math.Clamp(failures - 1, 0, 30);
        var bound = Math.Min(first.TotalMilliseconds * (1L << doublings), max.TotalMilliseconds);
        lock (gate)
        {
            return TimeSpan.FromMilliseconds(random.NextDouble() * bound);
        }
    }
}
