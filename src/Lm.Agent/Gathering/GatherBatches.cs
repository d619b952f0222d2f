using Lm.Agent.Queue;
using Lm.Agent.Settings;
using Lm.Platform;
using Lm.Protocol;

namespace Lm.Agent.Gathering;

/// <summary>Makes batches of what targets gave since the last tick: as many as the collector's limits need.</summary>
internal sealed class GatherBatches(TimeProvider time)
{
    // A collector that lost its memory learns units and help texts within the hour.
    private static readonly TimeSpan MetadataEvery = TimeSpan.FromHours(1);

    // Before compression: what is held in memory of a batch.
    private const int BytesMax = 512 << 10;

    // The least that a collector's max_batch_bytes may be set to.
    private const int BatchBytesFloor = 64 << 10;

    private readonly BatchEncoder encoder = new();
    private long? metadataAt;

    /// <summary>Puts everything that waits into the queue.</summary>
    /// <param name="outlets">Where targets leave what they give.</param>
    /// <param name="queue">The queue.</param>
    /// <param name="settings">Interval and labels.</param>
    /// <param name="limits">The collector's, as far as they are known: every collector takes the heartbeat's number of series.</param>
    /// <param name="collectedAt">The tick's time.</param>
    /// <param name="cancellationToken">Gives up between two batches.</param>
    /// <returns>What was queued.</returns>
    public async Task<GatheredBatches> AppendAsync(
        IReadOnlyList<HarvestOutlet> outlets, DiskQueue queue, AgentSettings settings, Limits? limits, UnixMillis collectedAt, CancellationToken cancellationToken)
    {
        var seriesMax = limits is null ? Limits.SeriesPerBatchFloor : Math.Max(1, Math.Min(limits.SeriesPerBatchMax, limits.SamplesPerBatchMax));
        var bytesMax = Math.Min(BytesMax, (limits?.BatchBytesMax ?? BatchBytesFloor) / 2);
        var includesMetadata = metadataAt is not { } at || time.GetElapsedTime(at) >= MetadataEvery;
        var (queued, samples) = (GatheredBatches.None, 0);
        Begin(settings, collectedAt, includesMetadata);
        foreach (var outlet in outlets)
        {
            while (outlet.Take() is { } harvest)
            {
                foreach (var (metric, labels, value) in SamplesOf(harvest))
                {
                    if (encoder.SeriesCount >= seriesMax || encoder.Length > bytesMax)
                    {
                        queued += await queue.AppendAsync(encoder, collectedAt, default, cancellationToken);
                        Begin(settings, collectedAt, includesMetadata);
                    }

                    encoder.AddSamples(metric, labels, [harvest.At], [value]);
                    samples++;
                }
            }
        }

        if (encoder.SeriesCount > 0)
        {
            queued += await queue.AppendAsync(encoder, collectedAt, default, cancellationToken);
        }

        metadataAt = includesMetadata && samples > 0 ? time.GetTimestamp() : metadataAt;
        return queued;
    }

    private static IEnumerable<GatheredSample> SamplesOf(Harvest harvest)
    {
        foreach (var sample in harvest.Samples)
        {
            yield return sample;
        }

        foreach (var ended in harvest.Ended)
        {
            yield return ended with { Value = Harvest.Stale };
        }
    }

    private void Begin(AgentSettings settings, UnixMillis collectedAt, bool includesMetadata)
    {
        encoder.Begin(collectedAt, (int)settings.Interval.TotalMilliseconds, settings.Labels);
        encoder.IncludeMetadata = includesMetadata;
    }
}

/// <summary>What was put into the queue.</summary>
/// <param name="Count">Batches.</param>
/// <param name="Bytes">Bytes of the queue that they take.</param>
/// <param name="IsWhole">Whether the queue took all that there was.</param>
internal readonly record struct GatheredBatches(int Count, long Bytes, bool IsWhole)
{
    /// <summary>There was nothing.</summary>
    public static GatheredBatches None => new(0, 0, IsWhole: true);

    /// <summary>With one batch more; null for one that the queue did not take.</summary>
    public static GatheredBatches operator +(GatheredBatches sum, QueuedBatch? next) => next is { } queued
        ? sum with { Count = sum.Count + 1, Bytes = sum.Bytes + QueueForecast.BytesOf(queued) }
        : sum with { IsWhole = false };

    /// <summary>Both.</summary>
    public static GatheredBatches operator +(GatheredBatches one, GatheredBatches other) =>
        new(one.Count + other.Count, one.Bytes + other.Bytes, one.IsWhole && other.IsWhole);
}
