using Lm.Platform;
using Lm.Protocol;

namespace Lm.Agent.Batching;

/// <summary>The batches of one tick: a further one is begun where the collector's limits end one.</summary>
internal sealed class SplitBatches : ISampleSink
{
    // A series' record is some 40 bytes, and each of its texts stands in the batch once; the collector's own floors are far above what is left out here.
    private const int BatchBytesReserve = 64 * 1024;

    private readonly List<BatchEncoder> batches = [new BatchEncoder()];
    private UnixMillis collectedAt;
    private int intervalMs;
    private Label[] commonLabels = [];
    private bool includeMetadata;
    private int batchBytesMax;
    private int count;
    private BatchEncoder current;

    public SplitBatches() => current = batches[0];

    /// <summary>Series of one batch.</summary>
    public int SeriesPerBatchMax { get; private set; } = Limits.SeriesPerBatchFloor;

    /// <summary>The batches; one at least, and none without records but the first.</summary>
    public IReadOnlyList<BatchEncoder> Batches => batches;

    /// <summary>Begins a tick's first batch.</summary>
    /// <param name="at">The tick's time.</param>
    /// <param name="interval">The agent's interval, milliseconds.</param>
    /// <param name="labels">The agent's own labels.</param>
    /// <param name="hasMetadata">Whether series carry unit and help.</param>
    /// <param name="limits">The collector's limits; null while they are not known: then the floors, which every collector takes.</param>
    public void Begin(UnixMillis at, int interval, Label[] labels, bool hasMetadata, Limits? limits)
    {
        (collectedAt, intervalMs, commonLabels, includeMetadata) = (at, interval, labels, hasMetadata);
        SeriesPerBatchMax = limits is null ? Limits.SeriesPerBatchFloor : Math.Min(limits.SeriesPerBatchMax, limits.SamplesPerBatchMax);
        batchBytesMax = limits is null ? int.MaxValue : Math.Max(limits.BatchBytesMax / 2, limits.BatchBytesMax - BatchBytesReserve);
        count = 0;
        BeginBatch();
    }

    /// <inheritdoc/>
    public void Add(MetricDescriptor metric, ReadOnlySpan<Label> labels, double value)
    {
        if (current.SeriesCount >= SeriesPerBatchMax || current.Length >= batchBytesMax)
        {
            BeginBatch();
        }

        current.Add(metric, labels, value);
    }

    /// <summary>Ends the tick: encoders that it did not need are given back.</summary>
    public void End() => batches.RemoveRange(count, batches.Count - count);

    private void BeginBatch()
    {
        if (count == batches.Count)
        {
            batches.Add(new BatchEncoder());
        }

        current = batches[count++];
        current.Begin(collectedAt, intervalMs, commonLabels);
        current.IncludeMetadata = includeMetadata;
    }
}
