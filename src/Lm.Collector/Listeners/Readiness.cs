using Lm.Collector.Spool;

namespace Lm.Collector.Listeners;

/// <summary>What <c>/readyz</c> says.</summary>
internal sealed class Readiness(BatchSpool spool, ClockGuard clock) : IReadiness
{
    private volatile bool isReplaying = true;
    private volatile bool isStopping;

    /// <summary>The spool has been read back.</summary>
    public void ReplayDone() => isReplaying = false;

    /// <summary>The collector takes no more batches.</summary>
    public void Stopping() => isStopping = true;

    /// <inheritdoc/>
    public ReadinessReport Report()
    {
        var lines = new List<string>();
        if (isReplaying)
        {
            lines.Add("replaying: the spool is being read back, queries see a part of the data");
        }

        if (isStopping)
        {
            lines.Add("stopping: no new batches are taken");
        }

        if (clock.IsSuspect(out var behind))
        {
            lines.Add($"clock_suspect: the collector's clock is {behind.TotalSeconds:F0} s behind its newest stored batch");
        }

        if (spool.Trouble is { } trouble)
        {
            lines.Add($"spool: {trouble}");
        }

        return new ReadinessReport(lines.Count == 0, lines);
    }
}
