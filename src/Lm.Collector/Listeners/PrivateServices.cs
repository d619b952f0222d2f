using Lm.Collector.Dashboards;
using Lm.Collector.Ingest;
using Lm.Collector.Landing;
using Lm.Collector.Series;
using Lm.Collector.Settings;
using Lm.Collector.SharedLog;
using Lm.Collector.Spool;
using Lm.Logs;
using Lm.Tsdb;

namespace Lm.Collector.Listeners;

/// <summary>What the private listener's endpoints are given by the host.</summary>
internal sealed record PrivateServices
{
    /// <summary>The settings of <c>[query]</c> as they are now, the query token among them; a reload swaps them whole.</summary>
    public required Func<QuerySettings> Settings { get; init; }

    /// <summary>For <c>/readyz</c>.</summary>
    public required IReadiness Readiness { get; init; }

    /// <summary>The counters of ingest, spool and listeners, for <c>/metrics</c>; in order, values of one name together.</summary>
    public required Func<IReadOnlyList<CollectorMetric>> Metrics { get; init; }

    /// <summary>The sequence ledger's queues, for <c>/api/v1/agents</c>.</summary>
    public required Func<IReadOnlyList<QueueState>> Queues { get; init; }

    /// <summary>The agents of the token table, while it is known which of them have batches in the spool; none before.</summary>
    public required Func<IReadOnlyCollection<string>> ExpectedAgents { get; init; }

    /// <summary>How far an agent's clock may differ from the collector's.</summary>
    public required Func<TimeSpan> ClockTolerance { get; init; }

    /// <summary>For reading what was acknowledged.</summary>
    public required ISpoolProgress Progress { get; init; }

    /// <summary>What queries read.</summary>
    public required ISeriesReader Series { get; init; }

    /// <summary>The counters of head and blocks, for <c>/metrics</c>.</summary>
    public required Func<IEnumerable<CollectorMetric>> SeriesMetrics { get; init; }

    /// <summary>What log queries read.</summary>
    public required ILogReader Logs { get; init; }

    /// <summary>The counters of the log store, for <c>/metrics</c>.</summary>
    public required Func<IEnumerable<CollectorMetric>> LogMetrics { get; init; }

    /// <summary>How far the object store is behind; null without one.</summary>
    public Func<LandingStatus>? Landing { get; init; }

    /// <summary>How far the log is that collectors share; null without <c>s3_manifest</c>.</summary>
    public Func<SharedLogStatus?>? SharedLog { get; init; }

    /// <summary>The counters of landing, for <c>/metrics</c>; none without an object store.</summary>
    public Func<IEnumerable<CollectorMetric>> LandingMetrics { get; init; } = static () => [];

    /// <summary>What is known of metrics.</summary>
    public required MetricCatalog Catalog { get; init; }

    /// <summary>The dashboards.</summary>
    public required DashboardLibrary Dashboards { get; init; }

    /// <summary>All settings with their places, and how the last reload went; null where there is no file.</summary>
    public CurrentSettings? Current { get; init; }

    /// <summary>The newest time in the oldest local file, milliseconds since 1970.</summary>
    public Func<long?> OldestLocal { get; init; } = static () => null;

    /// <summary>The clock.</summary>
    public required TimeProvider Time { get; init; }

    /// <summary>Makes loggers.</summary>
    public required ILoggerFactory Loggers { get; init; }
}
