namespace Lm.Protocol;

/// <summary>The limits of the wire, as a collector sets and announces them.</summary>
public sealed record Limits
{
    /// <summary>Series that the base heartbeat can have: the floor of <see cref="SeriesPerBatchMax"/>.</summary>
    public const int SeriesPerBatchFloor = 107;

    /// <summary>Labels that the base heartbeat needs: the floor of <see cref="LabelsPerSeriesMax"/>.</summary>
    public const int LabelsPerSeriesFloor = 4;

    /// <summary>Bytes of the longest label name the base heartbeat needs: the floor of <see cref="LabelKeyBytesMax"/>.</summary>
    public const int LabelKeyBytesFloor = 14;

    /// <summary>The floor of <see cref="LabelValueBytesMax"/>, bytes.</summary>
    public const int LabelValueBytesFloor = 64;

    /// <summary>The floor of <see cref="BatchBytesMax"/> and <see cref="BodyBytesMax"/>, bytes.</summary>
    public const int BatchBytesFloor = 65_536;

    /// <summary>UTF-8 bytes of an agent's name; part of the wire, not a setting.</summary>
    public const int AgentIdBytesMax = 255;

    /// <summary>Bytes of a metric's name, which <see cref="LabelValueBytesMax"/> does not bound; part of the wire, not a setting.</summary>
    public const int MetricNameBytesMax = 1024;

    /// <summary>Explicit bounds of one histogram sample; part of the wire, not a setting.</summary>
    public const int BoundsPerHistogramMax = 512;

    /// <summary>Framed bytes of one request, as sent.</summary>
    public int BodyBytesMax { get; init; } = 8_388_608;

    /// <summary>Bytes of one batch after decompression.</summary>
    public int BatchBytesMax { get; init; } = 33_554_432;

    /// <summary>Series of one batch.</summary>
    public int SeriesPerBatchMax { get; init; } = 2048;

    /// <summary>Labels of one series; <c>__name__</c> and the identity labels do not count.</summary>
    public int LabelsPerSeriesMax { get; init; } = 32;

    /// <summary>UTF-8 bytes of a label's name.</summary>
    public int LabelKeyBytesMax { get; init; } = 128;

    /// <summary>UTF-8 bytes of a label's value.</summary>
    public int LabelValueBytesMax { get; init; } = 512;

    /// <summary>Samples of one batch, histogram samples included.</summary>
    public int SamplesPerBatchMax { get; init; } = 65_536;

    /// <summary>Log records of one batch.</summary>
    public int LogsPerBatchMax { get; init; } = 4096;

    /// <summary>UTF-8 bytes of a log record's body.</summary>
    public int LogMessageBytesMax { get; init; } = 65_536;

    /// <summary>Alert records of one batch.</summary>
    public int AlertsPerBatchMax { get; init; } = 64;

    /// <summary>How far ahead of the collector's clock a timestamp may be, seconds.</summary>
    public int FutureSecondsMax { get; init; } = 600;

    /// <summary>These limits, none below what every collector takes: a sender that believed a smaller announcement would send nothing.</summary>
    public Limits AtLeastFloors() => this with
    {
        BodyBytesMax = Math.Max(BodyBytesMax, BatchBytesFloor),
        BatchBytesMax = Math.Max(BatchBytesMax, BatchBytesFloor),
        SeriesPerBatchMax = Math.Max(SeriesPerBatchMax, SeriesPerBatchFloor),
        SamplesPerBatchMax = Math.Max(SamplesPerBatchMax, SeriesPerBatchFloor),
        LabelsPerSeriesMax = Math.Max(LabelsPerSeriesMax, LabelsPerSeriesFloor),
        LabelKeyBytesMax = Math.Max(LabelKeyBytesMax, LabelKeyBytesFloor),
        LabelValueBytesMax = Math.Max(LabelValueBytesMax, LabelValueBytesFloor),
        LogMessageBytesMax = Math.Max(LogMessageBytesMax, 1),
    };

    /// <summary>Labels (pairs of references) that all records of one batch may have together: twice what the other limits can use, so that
    /// single records over their limit are left out one by one, and a hostile batch cannot make 4 bytes of memory of every byte.</summary>
    public int LabelsPerBatchMax => Bounded(2L * (LabelsPerSeriesMax + 2) * RecordsPerBatchMax);

    /// <summary>Symbols of one batch: what <see cref="LabelsPerBatchMax"/>, units, help texts and alert names can refer to.</summary>
    public int SymbolsPerBatchMax => Bounded((2L * LabelsPerBatchMax) + (2L * RecordsPerBatchMax) + 1);

    /// <summary>Bounds of all histogram samples of one batch together.</summary>
    public int BoundsPerBatchMax => Bounded(16L * SamplesPerBatchMax);

    private long RecordsPerBatchMax => (long)SeriesPerBatchMax + LogsPerBatchMax + AlertsPerBatchMax;

    // A quarter of the longest array: room for two references of a pair, and for doubling.
    private static int Bounded(long count) => (int)Math.Clamp(count, 0, Array.MaxLength / 4);
}
