using Lm.Protocol;
using Microsoft.Extensions.Logging;

namespace Lm.Agent.HostMetrics;

/// <summary>The base heartbeat: asks every source for its samples of one tick.</summary>
/// <remarks>
/// <list type="bullet">
/// <item>At most <see cref="SeriesMax"/> series a tick: every source has a cap.</item>
/// <item>A source that fails costs its own samples of this tick and nothing else; it is counted by name and logged when that begins and when it ends.</item>
/// <item>In the steady state a tick allocates nothing.</item>
/// <item>Not safe for concurrent use.</item>
/// </list>
/// </remarks>
internal sealed class HostSampler
{
    /// <summary>The most series of one tick: the floor that every collector's limit has.</summary>
    public const int SeriesMax = Limits.SeriesPerBatchFloor;

    private static readonly MetricDescriptor Up = new("lmagent_up", MetricType.Gauge, "",
        "Always 1: the agent was running when the batch was made.");

    private readonly IMetricSource[] sources;
    private readonly SourceHealth[] health;
    private readonly ILogger logger;

    /// <summary>Makes the sources.</summary>
    /// <param name="proc">Where /proc is.</param>
    /// <param name="queueDirectory">The agent's queue, whose filesystem is watched.</param>
    /// <param name="time">Tells when the wall clock was set.</param>
    /// <param name="logger">Hears of sources that begin or cease to fail.</param>
    /// <param name="changes">Gets the processes that start and end; null when nobody asks.</param>
    public HostSampler(ProcFs proc, string queueDirectory, TimeProvider time, ILogger logger, ProcessChanges? changes = null)
        : this(proc, queueDirectory, time, logger, KernelUnits.OfThisHost(), changes)
    {
    }

    /// <summary>Makes the sources for a kernel with other units than this one's.</summary>
    /// <param name="proc">Where /proc is.</param>
    /// <param name="queueDirectory">The agent's queue, whose filesystem is watched.</param>
    /// <param name="time">Tells when the wall clock was set.</param>
    /// <param name="logger">Hears of sources that begin or cease to fail.</param>
    /// <param name="units">The kernel's units.</param>
    /// <param name="changes">Gets the processes that start and end; null when nobody asks.</param>
    public HostSampler(ProcFs proc, string queueDirectory, TimeProvider time, ILogger logger, KernelUnits units, ProcessChanges? changes = null)
    {
        this.logger = logger;
        sources =
        [
            new CpuSource(proc, units),
            new MemorySource(proc),
            new LoadSource(proc),
            new QueueFilesystemSource(queueDirectory),
            new NetworkSource(proc),
            new SelfSource(proc, units),
            new ProcessSource(proc, units, time, changes),
        ];
        health = Array.ConvertAll(sources, source => new SourceHealth(source.Name));
    }

    /// <summary>Every source and how it fares, in the order in which they are asked.</summary>
    public IReadOnlyList<SourceHealth> Sources => health;

    /// <summary>Adds the samples of one tick.</summary>
    /// <param name="sink">Where they go.</param>
    /// <returns>Series that were added: from 1, <c>lmagent_up</c>, to <see cref="SeriesMax"/>.</returns>
    public int Collect(ISampleSink sink)
    {
        sink.Add(Up, [], 1);
        var count = 1;
        for (var i = 0; i < sources.Length; i++)
        {
            var outcome = sources[i].Collect(sink);
            Note(health[i], outcome.Fault);
            count += outcome.SeriesCount;
        }

        return count;
    }

    private void Note(SourceHealth source, in SourceFault fault)
    {
        var failedTickCount = source.FailuresInRow;
        source.Record(fault);
        if (!fault.IsNone && failedTickCount == 0)
        {
            HostMetricsLog.SourceFailed(logger, source.Name, fault);
        }
        else if (fault.IsNone && failedTickCount > 0)
        {
            HostMetricsLog.SourceRecovered(logger, source.Name, failedTickCount);
        }
    }
}
