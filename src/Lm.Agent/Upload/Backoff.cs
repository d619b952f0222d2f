namespace Lm.Agent.Upload;

/// <summary>Full-jitter exponential delays: uniform between nothing and a ceiling that doubles, so that agents do not come back together.</summary>
/// <remarks>Source: "Exponential Backoff and Jitter", AWS Architecture Blog, 2015.</remarks>
/// <param name="random">A number from 0 to below 1.</param>
internal sealed class Backoff(Func<double> random)
{
    public static readonly TimeSpan Base = TimeSpan.FromSeconds(1);
    public static readonly TimeSpan PassingMax = TimeSpan.FromSeconds(60);
    public static readonly TimeSpan SetUpMax = TimeSpan.FromMinutes(5);

    /// <summary>The longest Retry-After that is heeded.</summary>
    public static readonly TimeSpan RetryAfterMax = TimeSpan.FromMinutes(10);

    // Two immediate tries in a row would be no backoff at all.
    private static readonly TimeSpan DelayMin = TimeSpan.FromMilliseconds(100);

    /// <summary>Failures in a row.</summary>
    public int Attempts { get; private set; }

    /// <summary>The delay after one more failure.</summary>
    /// <param name="max">The ceiling's bound.</param>
    /// <param name="retryAfter">What the collector asked for; the delay is not shorter, up to <see cref="RetryAfterMax"/>.</param>
    public TimeSpan Next(TimeSpan max, TimeSpan? retryAfter)
    {
        // 2^12 s is beyond every ceiling.
        var ceiling = TimeSpan.FromSeconds(Math.Min(Base.TotalSeconds * Math.Pow(2, Math.Min(Attempts, 12)), max.TotalSeconds));
        Attempts++;
        var delay = ceiling * random();
        if (retryAfter is { } asked)
        {
            // Jitter on top: everybody was told the same time.
            delay += asked < RetryAfterMax ? asked : RetryAfterMax;
        }

        return delay < DelayMin ? DelayMin : delay;
    }

    /// <summary>It worked.</summary>
    public void Reset() => Attempts = 0;
}
