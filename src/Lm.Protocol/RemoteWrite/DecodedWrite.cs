using Lm.Protocol.Decoding;

namespace Lm.Protocol.RemoteWrite;

/// <summary>A decoded <c>prometheus.WriteRequest</c>: places in its payload, and the samples. Meant to be used again and again without allocating.</summary>
/// <remarks>Valid as long as the payload stays unchanged. Series and descriptions over a limit are counted and not kept.</remarks>
public sealed class DecodedWrite
{
    internal Growing<WriteSeries> SeriesFound;
    internal Growing<WriteSample> SamplesFound;
    internal Growing<WriteMetadata> MetadataFound;

    /// <summary>The decompressed request.</summary>
    public ReadOnlyMemory<byte> Payload { get; internal set; }

    /// <summary>Its series, those with a <see cref="WriteSeries.Fault"/> among them.</summary>
    public ReadOnlySpan<WriteSeries> Series => SeriesFound.Items;

    /// <summary>Its descriptions of metrics.</summary>
    public ReadOnlySpan<WriteMetadata> Metadata => MetadataFound.Items;

    /// <summary>Samples of all kept series, those with a fault among them.</summary>
    public int SampleCount => SamplesFound.Count;

    /// <summary>The oldest time of a sample; the largest number when there is none.</summary>
    public long OldestTime { get; internal set; }

    /// <summary>The newest time of a sample; the smallest number when there is none.</summary>
    public long NewestTime { get; internal set; }

    /// <summary>How many kept series have a fault.</summary>
    public int FaultCount { get; internal set; }

    /// <summary>Series behind the limits of series and samples.</summary>
    public int SeriesBeyond { get; internal set; }

    /// <summary>Their samples.</summary>
    public int SamplesBeyond { get; internal set; }

    /// <summary>Descriptions behind the limit.</summary>
    public int MetadataBeyond { get; internal set; }

    /// <summary>Native histograms, which are not kept.</summary>
    public int Histograms { get; internal set; }

    /// <summary>Exemplars, which are not kept.</summary>
    public int Exemplars { get; internal set; }

    /// <summary>A series' samples, in the order sent.</summary>
    public ReadOnlySpan<WriteSample> Samples(in WriteSeries series) => SamplesFound.Items.Slice(series.FirstSample, series.SampleCount);

    /// <summary>The bytes that a series' labels take in the payload: equal bytes are equal labels.</summary>
    public ReadOnlySpan<byte> LabelBytes(in WriteSeries series) => Payload.Span.Slice(series.LabelsStart, series.LabelsLength);

    /// <summary>A series' labels one after the other.</summary>
    public WriteLabels Labels(in WriteSeries series) => new(Payload.Span, series.LabelsStart, series.LabelsLength);

    /// <summary>A text of a description.</summary>
    public ReadOnlySpan<byte> Text(in WriteText text) => Payload.Span.Slice(text.Start, text.Length);

    internal void Begin(ReadOnlyMemory<byte> payload)
    {
        Payload = payload;
        SeriesFound.Clear();
        SamplesFound.Clear();
        MetadataFound.Clear();
        (OldestTime, NewestTime) = (long.MaxValue, long.MinValue);
        (FaultCount, SeriesBeyond, SamplesBeyond, MetadataBeyond, Histograms, Exemplars) = (0, 0, 0, 0, 0, 0);
    }
}

/// <summary>One series of a request.</summary>
/// <param name="LabelsStart">Where its labels begin in the payload.</param>
/// <param name="LabelsLength">Up to the end of the last.</param>
/// <param name="FirstSample">Its first sample in the request's.</param>
/// <param name="SampleCount">How many.</param>
/// <param name="HasOtherFields">Whether other fields stand among the labels: its <see cref="DecodedWrite.LabelBytes"/> are not the labels alone.</param>
/// <param name="Fault">Why it may not be taken.</param>
public readonly record struct WriteSeries(int LabelsStart, int LabelsLength, int FirstSample, int SampleCount, bool HasOtherFields, WriteFault Fault);

/// <summary>One sample. Equal times are told by the value's bits (V20).</summary>
/// <param name="Time">Unix milliseconds.</param>
/// <param name="Value">Its value; bit patterns of NaN, and so stale markers, are kept.</param>
public readonly record struct WriteSample(long Time, double Value);

/// <summary>What a request says about a metric.</summary>
/// <param name="Type">Its type.</param>
/// <param name="Metric">Its name.</param>
/// <param name="Help">One sentence; may be empty.</param>
/// <param name="Unit">Its unit; may be empty.</param>
public readonly record struct WriteMetadata(MetricType Type, WriteText Metric, WriteText Help, WriteText Unit);

/// <summary>A text's place in the payload.</summary>
/// <param name="Start">Its first byte.</param>
/// <param name="Length">How many.</param>
public readonly record struct WriteText(int Start, int Length);

/// <summary>What is wrong with a series.</summary>
public enum WriteFault : byte
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>It has no <c>__name__</c>, or an empty one.</summary>
    NoMetricName,

    /// <summary>A label has no name.</summary>
    EmptyLabelName,

    /// <summary>A label's name comes before that of the one before it.</summary>
    UnsortedLabels,

    /// <summary>Two labels have the same name.</summary>
    DuplicateLabel,

    /// <summary>A name or value is not UTF-8.</summary>
    NotUtf8,

    /// <summary>It has more labels than allowed.</summary>
    TooManyLabels,

    /// <summary>A label's name is longer than allowed.</summary>
    LabelNameTooLong,

    /// <summary>A label's value, or the metric's name, is longer than allowed.</summary>
    LabelValueTooLong,

    /// <summary>It has <c>job="lightmetrics"</c>, which is the agents' and the collector's own.</summary>
    ReservedJob,
}
