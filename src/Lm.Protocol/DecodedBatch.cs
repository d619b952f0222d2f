using System.Text;
using Lm.Platform;
using Lm.Protocol.Decoding;

namespace Lm.Protocol;

/// <summary>A batch as read from its bytes: arrays over one buffer, reused from batch to batch.</summary>
/// <remarks>Everything here is a view of the payload given to <see cref="BatchDecoder"/> and lives as long as that buffer and no
/// further decode into this object. Symbols are UTF-8, valid, and each distinct. After a decode that failed it is empty.</remarks>
public sealed class DecodedBatch
{
    internal SymbolTable Symbols { get; } = new();

    // Fields, not properties: they are structs that are changed in place.
    internal Growing<uint> CommonReferences;
    internal Growing<uint> LabelReferences;
    internal Growing<long> SampleTimes;
    internal Growing<double> SampleValues;
    internal Growing<double> BucketBounds;
    internal Growing<ulong> BucketCounts;
    internal Growing<DecodedHistogram> HistogramList;
    internal Growing<DecodedSeries> SeriesList;
    internal Growing<DecodedLog> LogList;
    internal Growing<DecodedAlert> AlertList;
    private ReadOnlyMemory<byte> payload;
    private byte[] agentIdBytes = [];
    private string agentId = "";

    /// <summary>The bytes that it views.</summary>
    public ReadOnlyMemory<byte> Payload => payload;

    /// <summary>The dedupe key.</summary>
    public BatchKey Key { get; internal set; }

    /// <summary>When the batch was collected.</summary>
    public UnixMillis CollectedAt { get; internal set; }

    /// <summary>The agent's interval, milliseconds; 0 when not said.</summary>
    public int IntervalMs { get; internal set; }

    /// <summary>References (name, value, name, value, …) of the agent's own labels.</summary>
    public ReadOnlySpan<uint> CommonLabels => CommonReferences.Items;

    /// <summary>The series.</summary>
    public ReadOnlySpan<DecodedSeries> Series => SeriesList.Items;

    /// <summary>The log records.</summary>
    public ReadOnlySpan<DecodedLog> Logs => LogList.Items;

    /// <summary>The alert records.</summary>
    public ReadOnlySpan<DecodedAlert> Alerts => AlertList.Items;

    /// <summary>How many symbols there are; number 0 is the empty string.</summary>
    public int SymbolCount => Symbols.Count;

    /// <summary>How many samples there are in all series, histogram samples included.</summary>
    public int SampleCount => SampleTimes.Count + HistogramList.Count;

    /// <summary>Series that it makes at most: a histogram makes one for each bucket, and two for sum and count.</summary>
    public int SeriesCountMax => SeriesList.Count + BucketCounts.Count + (2 * HistogramList.Count);

    /// <summary>The time of the oldest record; <see cref="long.MaxValue"/> when there is none.</summary>
    internal long OldestTime { get; private set; }

    /// <summary>The time of the newest record, or of the collection when that is later.</summary>
    internal long NewestTime { get; private set; }

    /// <summary>Labels of the series or log record with the most, <c>__name__</c> among them.</summary>
    internal int LabelCountMax { get; private set; }

    /// <summary>Bytes of the longest log body.</summary>
    internal int BodyLengthMax { get; private set; }

    /// <summary>A symbol's UTF-8 bytes.</summary>
    public ReadOnlySpan<byte> Symbol(uint reference) => Symbols.Bytes(payload.Span, reference);

    /// <summary>A series' label references (name, value, name, value, …), <c>__name__</c> among them. No value is empty, no name appears twice.</summary>
    public ReadOnlySpan<uint> Labels(in DecodedSeries series) => LabelReferences.Items.Slice(series.LabelStart, series.LabelCount);

    /// <summary>A series' sample times, milliseconds since 1970.</summary>
    public ReadOnlySpan<long> Times(in DecodedSeries series) => SampleTimes.Items.Slice(series.SampleStart, series.SampleCount);

    /// <summary>A series' sample values, as many as <see cref="Times"/>; bit patterns are kept (stale markers).</summary>
    public ReadOnlySpan<double> Values(in DecodedSeries series) => SampleValues.Items.Slice(series.SampleStart, series.SampleCount);

    /// <summary>A series' histogram samples. A series has these, or samples with a value.</summary>
    public ReadOnlySpan<DecodedHistogram> Histograms(in DecodedSeries series) =>
        HistogramList.Items.Slice(series.HistogramStart, series.HistogramCount);

    /// <summary>A histogram's finite upper bounds, ascending.</summary>
    public ReadOnlySpan<double> Bounds(in DecodedHistogram histogram) => BucketBounds.Items.Slice(histogram.BoundStart, histogram.BoundCount);

    /// <summary>The observations in each bucket alone, one more than <see cref="Bounds"/>.</summary>
    public ReadOnlySpan<ulong> Counts(in DecodedHistogram histogram) =>
        BucketCounts.Items.Slice(histogram.BucketStart, histogram.BoundCount + 1);

    /// <summary>A log record's body, UTF-8.</summary>
    public ReadOnlySpan<byte> Body(in DecodedLog log) => payload.Span.Slice(log.BodyStart, log.BodyLength);

    /// <summary>A log record's attribute references (name, value, …). No value is empty, no name appears twice.</summary>
    public ReadOnlySpan<uint> Attributes(in DecodedLog log) => LabelReferences.Items.Slice(log.AttributeStart, log.AttributeCount);

    /// <summary>An alert record's label references (name, value, …). No value is empty, no name appears twice.</summary>
    public ReadOnlySpan<uint> Labels(in DecodedAlert alert) => LabelReferences.Items.Slice(alert.LabelStart, alert.LabelCount);

    /// <summary>Forgets everything and looks at another payload.</summary>
    internal void Reset(ReadOnlyMemory<byte> newPayload)
    {
        payload = newPayload;
        Key = default;
        CollectedAt = default;
        IntervalMs = 0;
        OldestTime = long.MaxValue;
        NewestTime = long.MinValue;
        LabelCountMax = 0;
        BodyLengthMax = 0;
        Symbols.Clear();
        CommonReferences.Clear();
        LabelReferences.Clear();
        SampleTimes.Clear();
        SampleValues.Clear();
        BucketBounds.Clear();
        BucketCounts.Clear();
        HistogramList.Clear();
        SeriesList.Clear();
        LogList.Clear();
        AlertList.Clear();
    }

    internal void NoteTime(long time)
    {
        OldestTime = Math.Min(OldestTime, time);
        NewestTime = Math.Max(NewestTime, time);
    }

    internal void NoteCollection() => NewestTime = Math.Max(NewestTime, CollectedAt.Value);

    internal void NoteLabels(int count) => LabelCountMax = Math.Max(LabelCountMax, count);

    internal void NoteBody(int length) => BodyLengthMax = Math.Max(BodyLengthMax, length);

    /// <summary>The agent's name as a string: the one of the batch before, when it is the same agent's.</summary>
    internal string AgentIdOf(ReadOnlySpan<byte> utf8)
    {
        if (!utf8.SequenceEqual(agentIdBytes))
        {
            agentIdBytes = utf8.ToArray();
            agentId = Encoding.UTF8.GetString(utf8);
        }

        return agentId;
    }
}

/// <summary>One series of a <see cref="DecodedBatch"/>.</summary>
public readonly record struct DecodedSeries
{
    /// <summary>The metric's type.</summary>
    public MetricType Type { get; init; }

    /// <summary>Symbol of the unit; 0 for none.</summary>
    public uint Unit { get; init; }

    /// <summary>Symbol of the help text; 0 for none.</summary>
    public uint Help { get; init; }

    internal int LabelStart { get; init; }

    internal int LabelCount { get; init; }

    internal int SampleStart { get; init; }

    internal int SampleCount { get; init; }

    internal int HistogramStart { get; init; }

    internal int HistogramCount { get; init; }
}

/// <summary>One histogram sample of a <see cref="DecodedBatch"/>.</summary>
public readonly record struct DecodedHistogram
{
    /// <summary>When it was taken.</summary>
    public UnixMillis Time { get; init; }

    /// <summary>The sum of all observed values.</summary>
    public double Sum { get; init; }

    /// <summary>How many observations there are in all buckets.</summary>
    public ulong Count { get; init; }

    internal int BoundStart { get; init; }

    internal int BoundCount { get; init; }

    internal int BucketStart { get; init; }
}

/// <summary>One log record of a <see cref="DecodedBatch"/>.</summary>
public readonly record struct DecodedLog
{
    /// <summary>When it was written.</summary>
    public UnixMillis Time { get; init; }

    /// <summary>OpenTelemetry's severity number, 0 for not known.</summary>
    public int Severity { get; init; }

    internal int BodyStart { get; init; }

    internal int BodyLength { get; init; }

    internal int AttributeStart { get; init; }

    internal int AttributeCount { get; init; }
}

/// <summary>One alert record of a <see cref="DecodedBatch"/>.</summary>
public readonly record struct DecodedAlert
{
    /// <summary>When it happened.</summary>
    public UnixMillis Time { get; init; }

    /// <summary>OpenTelemetry's severity number.</summary>
    public int Severity { get; init; }

    /// <summary>Symbol of the stable name.</summary>
    public uint Name { get; init; }

    /// <summary>Symbol of the sentence for people.</summary>
    public uint Message { get; init; }

    internal int LabelStart { get; init; }

    internal int LabelCount { get; init; }
}
