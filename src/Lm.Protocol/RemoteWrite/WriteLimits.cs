namespace Lm.Protocol.RemoteWrite;

/// <summary>What a remote-write request may have. What is over a limit is left out, the rest is taken.</summary>
public sealed record WriteLimits
{
    /// <summary>Descriptions of metrics in one request that are kept; no setting.</summary>
    public const int MetadataMax = 20_000;

    /// <summary>No limits but those of memory: for requests that were admitted before, under other limits.</summary>
    public static WriteLimits None { get; } = new()
    {
        SeriesMax = int.MaxValue / 4,
        SamplesMax = int.MaxValue / 4,
        LabelsPerSeriesMax = int.MaxValue,
        LabelNameBytesMax = int.MaxValue,
        LabelValueBytesMax = int.MaxValue,
        MetricNameBytesMax = int.MaxValue,
    };

    /// <summary>Series of one request; those behind are left out.</summary>
    public int SeriesMax { get; init; } = 20_000;

    /// <summary>Samples of one request; the series that goes beyond is left out, and all behind it.</summary>
    public int SamplesMax { get; init; } = 65_536;

    /// <summary>Labels of one series; <c>__name__</c> does not count.</summary>
    public int LabelsPerSeriesMax { get; init; } = 64;

    /// <summary>UTF-8 bytes of a label's name.</summary>
    public int LabelNameBytesMax { get; init; } = 128;

    /// <summary>UTF-8 bytes of a label's value.</summary>
    public int LabelValueBytesMax { get; init; } = 4096;

    /// <summary>UTF-8 bytes of a metric's name.</summary>
    public int MetricNameBytesMax { get; init; } = Limits.MetricNameBytesMax;
}
