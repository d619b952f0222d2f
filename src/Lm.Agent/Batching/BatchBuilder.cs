using Lm.Agent.HostMetrics;
using Lm.Agent.Queue;
using Lm.Agent.Settings;
using Lm.Platform;
using Lm.Protocol;

namespace Lm.Agent.Batching;

/// <summary>Makes the batches of a tick: samples, and alert records about what the queue had to give up. One, where its series are no more than the
/// collector takes in a batch.</summary>
internal sealed class BatchBuilder(HostSampler sampler, TimeProvider time)
{
    // Of the interval: encoding, compressing and queueing need some time, too.
    private const double CollectShare = 0.8;

    // A collector that lost its memory learns units and help texts within the hour.
    private static readonly TimeSpan MetadataEvery = TimeSpan.FromHours(1);
    private const int SeverityError = 17; // OpenTelemetry's ERROR

    private readonly SplitBatches split = new();
    private HostSampler sampler = sampler;
    private long? metadataAt;

    /// <summary>Adds series beside the sampler's, as many as its number says; null for none.</summary>
    public Action<ISampleSink, int>? ExtraSeries { get; init; }

    /// <summary>What the collector takes, as far as it is known: every collector takes the heartbeat's series in one batch.</summary>
    public Func<Limits?> AnnouncedLimits { get; init; } = () => null;

    /// <summary>The tick's batches after <see cref="Build"/>: the first holds the alert records.</summary>
    public IReadOnlyList<BatchEncoder> Batches => split.Batches;

    /// <summary>The first batch after <see cref="Build"/>.</summary>
    public BatchEncoder Encoder => split.Batches[0];

    /// <summary>Has other sources from now on.</summary>
    /// <param name="next">The sampler that asks them; the one before is disposed of.</param>
    public void Replace(HostSampler next)
    {
        sampler.Dispose();
        sampler = next;
        metadataAt = null; // of its metrics the collector may have heard nothing yet
    }

    /// <summary>Collects.</summary>
    /// <param name="settings">Interval, labels, sources, how many alert records are allowed.</param>
    /// <param name="counters">What the queue gave up.</param>
    /// <param name="collectedAt">Now.</param>
    /// <param name="extraSink">Sees every sample too; null for nobody.</param>
    /// <returns>The counters as the first batch's alert records tell them.</returns>
    public QueueCounters Build(AgentSettings settings, QueueCounters counters, UnixMillis collectedAt, Func<ISampleSink, ISampleSink>? extraSink = null)
    {
        var includeMetadata = metadataAt is not { } at || time.GetElapsedTime(at) >= MetadataEvery;
        metadataAt = includeMetadata ? time.GetTimestamp() : metadataAt;
        split.Begin(collectedAt, (int)settings.Interval.TotalMilliseconds, settings.Labels, includeMetadata, AnnouncedLimits());
        var reported = AddAlerts(settings, counters, collectedAt);
        var sink = extraSink is null ? split : extraSink(split);
        var count = sampler.Collect(sink, settings.Interval * CollectShare);

        // The heartbeat is one batch, whatever the collector's limits; in the profile host what does not fit goes into another one.
        var seriesMax = settings.Sources.Profile == SourceProfile.Heartbeat ? split.SeriesPerBatchMax : settings.Sources.SeriesMax;
        ExtraSeries?.Invoke(sink, seriesMax - count);
        split.End();
        return reported;
    }

    private QueueCounters AddAlerts(AgentSettings settings, QueueCounters counters, UnixMillis now)
    {
        var reported = new QueueCounters();
        if (TryAdd(settings, now, "queue_dropped", counters.Dropped, counters.DroppedReported,
            "batches that were not sent were dropped because the queue had reached max_queue_bytes"))
        {
            reported = reported with { DroppedReported = counters.Dropped };
        }

        if (TryAdd(settings, now, "batch_rejected", counters.Rejected, counters.RejectedReported,
            "batches were refused for good by the collector and set aside in rejected/"))
        {
            reported = reported with { RejectedReported = counters.Rejected };
        }

        if (TryAdd(settings, now, "collect_dropped", counters.Lost, counters.LostReported,
            "batches were lost because the queue could not store them"))
        {
            reported = reported with { LostReported = counters.Lost };
        }

        if (TryAdd(settings, now, "rejected_deleted", counters.RejectedDeleted, counters.RejectedDeletedReported,
            "refused batches that were set aside in rejected/ were deleted there to make room for newer ones"))
        {
            reported = reported with { RejectedDeletedReported = counters.RejectedDeleted };
        }

        return reported;
    }

    private bool TryAdd(AgentSettings settings, UnixMillis now, string name, ulong total, ulong told, string what)
    {
        if (total <= told || Encoder.AlertCount >= settings.AlertsPerBatchMax)
        {
            return false;
        }

        Encoder.AddAlert(new AlertRecord(now, SeverityError, name, $"{total - told} {what}", [new Label("count", $"{total - told}")]));
        return true;
    }
}
