using Lm.Platform;
using Lm.Protocol.Decoding;

namespace Lm.Protocol;

/// <summary>What a batch must satisfy beside its counts: times, label sizes, body sizes.</summary>
public static class BatchRules
{
    /// <summary>Judges every record.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="limits">The per-record limits.</param>
    /// <param name="now">The collector's clock.</param>
    /// <param name="backfill">How old a record may be.</param>
    /// <param name="newest">The newest time found in the batch, that of its collection included; beyond <c>now + FutureSecondsMax</c> the
    /// batch is refused for now.</param>
    public static BatchVerdict Judge(DecodedBatch batch, Limits limits, UnixMillis now, TimeSpan backfill, out UnixMillis newest)
    {
        ArgumentNullException.ThrowIfNull(batch);
        ArgumentNullException.ThrowIfNull(limits);
        newest = new UnixMillis(batch.NewestTime);
        var oldest = now.Add(-backfill);

        // The ordinary batch is far from every limit, which a few maxima noted while it was read tell: no record is looked at again.
        if (batch.OldestTime >= oldest.Value && IsFarBelow(batch, limits))
        {
            return new BatchVerdict { OldestAccepted = oldest };
        }

        return new RecordJudge(batch, limits, oldest).Judge();
    }

    private static bool IsFarBelow(DecodedBatch batch, Limits limits) =>
        batch.LabelCountMax + (batch.CommonLabels.Length / 2) <= limits.LabelsPerSeriesMax
        && batch.BodyLengthMax <= limits.LogMessageBytesMax
        && batch.Symbols.LengthMax <= Math.Min(Limits.MetricNameBytesMax, Math.Min(limits.LabelKeyBytesMax, limits.LabelValueBytesMax));
}

/// <summary>What was decided about a batch's records, once, at its admission. Replay applies it and never judges again.</summary>
public sealed record BatchVerdict
{
    /// <summary>Samples and log records older than this are left out.</summary>
    public required UnixMillis OldestAccepted { get; init; }

    /// <summary>Indexes of series over a per-series limit, ascending; left out whole.</summary>
    public IReadOnlyList<int> DroppedSeries { get; init; } = [];

    /// <summary>Indexes of log records over a per-record limit, ascending; left out.</summary>
    public IReadOnlyList<int> DroppedLogs { get; init; } = [];

    /// <summary>Samples and log records that are older than <see cref="OldestAccepted"/>.</summary>
    public int TooOldCount { get; init; }

    /// <summary>What is wrong with the first dropped record, naming it and the limit; empty when none was dropped.</summary>
    public string FirstDropped { get; init; } = "";
}
