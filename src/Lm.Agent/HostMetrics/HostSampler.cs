using Lm.Agent.Settings;
using Lm.Protocol;
using Microsoft.Extensions.Logging;

namespace Lm.Agent.HostMetrics;

/// <summary>The tick: asks every source that is due for its samples.</summary>
/// <remarks>
/// <list type="bullet">
/// <item>The base heartbeat has at most <see cref="SeriesMax"/> series a tick; the profile <c>host</c> a cap for each source and one for all.
/// What is over a cap is left out, the last series first, and counted.</item>
/// <item>A source that fails costs its own samples of this tick and nothing else; it is counted by name and logged when that begins and when it ends.</item>
/// <item>When the time for a tick is over, the sources that were not asked yet are the first of the next one.</item>
/// <item>In the steady state a tick allocates nothing.</item>
/// <item>Not safe for concurrent use.</item>
/// </list>
/// </remarks>
internal sealed class HostSampler : IDisposable
{
    /// <summary>The most series of one tick of the base heartbeat: the floor that every collector's limit has.</summary>
    public const int SeriesMax = Limits.SeriesPerBatchFloor;

    private static readonly MetricDescriptor Up = new("lmagent_up", MetricType.Gauge, "",
        "Always 1: the agent was running when the batch was made.");

    private static readonly MetricDescriptor Failures = new("lmagent_source_failures_total", MetricType.Counter, "",
        "Rounds in which a source of host metrics gave no samples, since the agent started; of those that ever failed.");

    private static readonly MetricDescriptor Omitted = new("lmagent_source_omitted", MetricType.Gauge, "",
        "Series, or things that should have had series, that a source left out in its last round; of those that ever left any out.");

    private readonly HostSource[] sources;
    private readonly SourceHealth[] health;
    private readonly int seriesMax;
    private readonly bool tellsHealth;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly CappedSink capped = new();
    private int first; // of the sources: who is asked first in the next tick

    /// <summary>Makes the base heartbeat's sources.</summary>
    /// <param name="proc">Where /proc is.</param>
    /// <param name="queueDirectory">The agent's queue, whose filesystem is watched.</param>
    /// <param name="time">Tells when the wall clock was set.</param>
    /// <param name="logger">Hears of sources that begin or cease to fail.</param>
    /// <param name="changes">Gets the processes that start and end; null when nobody asks.</param>
    public HostSampler(ProcFs proc, string queueDirectory, TimeProvider time, ILogger logger, ProcessChanges? changes = null)
        : this(proc, queueDirectory, time, logger, KernelUnits.OfThisHost(), changes)
    {
    }

    /// <summary>Makes the base heartbeat's sources for a kernel with other units than this one's.</summary>
    /// <param name="proc">Where /proc is.</param>
    /// <param name="queueDirectory">The agent's queue, whose filesystem is watched.</param>
    /// <param name="time">Tells when the wall clock was set.</param>
    /// <param name="logger">Hears of sources that begin or cease to fail.</param>
    /// <param name="units">The kernel's units.</param>
    /// <param name="changes">Gets the processes that start and end; null when nobody asks.</param>
    public HostSampler(ProcFs proc, string queueDirectory, TimeProvider time, ILogger logger, KernelUnits units, ProcessChanges? changes = null)
        : this(
            [
                new HostSource(new CpuSource(proc, units)),
                new HostSource(new MemorySource(proc)),
                new HostSource(new LoadSource(proc)),
                new HostSource(new QueueFilesystemSource(queueDirectory)),
                new HostSource(new NetworkSource(proc)),
                new HostSource(new SelfSource(proc, units)),
                new HostSource(new ProcessSource(proc, units, time, changes)),
            ],
            SeriesMax, tellsHealth: false, time, logger)
    {
    }

    /// <summary>Takes sources.</summary>
    /// <param name="sources">The sources, in the order in which they are asked.</param>
    /// <param name="seriesMax">The most series of one tick.</param>
    /// <param name="tellsHealth">Whether failures and omissions are series, too.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Hears of sources that begin or cease to fail.</param>
    public HostSampler(HostSource[] sources, int seriesMax, bool tellsHealth, TimeProvider time, ILogger logger)
    {
        this.sources = sources;
        this.seriesMax = seriesMax;
        this.tellsHealth = tellsHealth;
        this.time = time;
        this.logger = logger;
        health = Array.ConvertAll(sources, source => new SourceHealth(source.Source.Name));
    }

    /// <summary>Every source and how it fares, in the order in which they are asked.</summary>
    public IReadOnlyList<SourceHealth> Sources => health;

    /// <summary>Adds the samples of one tick, however long it takes.</summary>
    /// <param name="sink">Where they go.</param>
    /// <returns>Series that were added: <c>lmagent_up</c> at least.</returns>
    public int Collect(ISampleSink sink) => Collect(sink, TimeSpan.MaxValue);

    /// <summary>Adds the samples of one tick.</summary>
    /// <param name="sink">Where they go.</param>
    /// <param name="budget">The time after which no further source is asked.</param>
    /// <returns>Series that were added: <c>lmagent_up</c> at least.</returns>
    public int Collect(ISampleSink sink, TimeSpan budget)
    {
        var began = time.GetTimestamp();
        sink.Add(Up, [], 1);
        var count = 1;
        var (start, end) = (first, sources.Length);
        first = 0;
        for (var i = 0; i < end; i++)
        {
            var at = (start + i) % end;
            if (i > 0 && budget != TimeSpan.MaxValue && time.GetElapsedTime(began) >= budget)
            {
                first = first == 0 ? at : first;
                Note(health[at], new SourceFault("the tick", "to have time left for it", 0));
                continue;
            }

            if (sources[at].IsDue(began, time))
            {
                if (sources[at].Source is IWaitingSource waiting)
                {
                    waiting.Patience = budget == TimeSpan.MaxValue ? budget : budget - time.GetElapsedTime(began);
                }

                count += Ask(sources[at], health[at], sink, seriesMax - count);
            }
        }

        return count + (tellsHealth ? TellHealth(sink) : 0);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var source in sources)
        {
            (source.Source as IDisposable)?.Dispose();
        }
    }

    private int Ask(HostSource source, SourceHealth of, ISampleSink sink, int room)
    {
        capped.Begin(sink, Math.Min(source.SeriesMax, room));
        var outcome = source.Source.Collect(capped);
        of.OmittedCount = outcome.OmittedCount + capped.DroppedCount;
        Note(of, outcome.Fault);
        return outcome.SeriesCount - capped.DroppedCount;
    }

    // Two for each source at most, and only for those that have something to tell: they do not count against the cap, or the cap would hide itself.
    private int TellHealth(ISampleSink sink)
    {
        var count = 0;
        foreach (var source in health)
        {
            if (source.FailureCount > 0)
            {
                sink.Add(Failures, source.Labels, source.FailureCount);
                count++;
            }

            if (source.HasOmitted)
            {
                sink.Add(Omitted, source.Labels, source.OmittedCount);
                count++;
            }
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

    /// <summary>Passes on as many samples as there is room for.</summary>
    private sealed class CappedSink : ISampleSink
    {
        private ISampleSink? next;
        private int room;

        public int DroppedCount { get; private set; }

        public void Begin(ISampleSink sink, int seriesMax) => (next, room, DroppedCount) = (sink, seriesMax, 0);

        public void Add(MetricDescriptor metric, ReadOnlySpan<Label> labels, double value)
        {
            if (room <= 0)
            {
                DroppedCount++;
                return;
            }

            room--;
            next!.Add(metric, labels, value);
        }
    }
}

/// <summary>A source and when it is asked.</summary>
/// <param name="source">The source.</param>
/// <param name="interval">Time between two rounds; 0 for every tick.</param>
/// <param name="seriesMax">The most series of one round.</param>
internal sealed class HostSource(IMetricSource source, TimeSpan interval, int seriesMax)
{
    private long? askedAt;

    /// <summary>A source that is asked at every tick and keeps its own cap.</summary>
    public HostSource(IMetricSource source)
        : this(source, TimeSpan.Zero, int.MaxValue)
    {
    }

    /// <summary>A source as its settings have it.</summary>
    public HostSource(IMetricSource source, SourceSettings settings)
        : this(source, settings.Interval, settings.SeriesMax)
    {
    }

    /// <summary>The source.</summary>
    public IMetricSource Source => source;

    /// <summary>The most series of one round.</summary>
    public int SeriesMax => seriesMax;

    /// <summary>Whether it is to be asked in a tick; then it counts as asked.</summary>
    /// <param name="now">When the tick began.</param>
    /// <param name="time">The clock that <paramref name="now"/> is of.</param>
    public bool IsDue(long now, TimeProvider time)
    {
        // A tick comes some milliseconds early or late: one that is nearly due is not put off for a whole interval.
        if (interval > TimeSpan.Zero && askedAt is { } at && time.GetElapsedTime(at, now) < interval * 0.95)
        {
            return false;
        }

        askedAt = now;
        return true;
    }
}
