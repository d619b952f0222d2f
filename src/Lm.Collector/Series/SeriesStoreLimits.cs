namespace Lm.Collector.Series;

/// <summary>Bounds of <see cref="MemorySeriesStore"/>. At each, the oldest goes first and is counted.</summary>
internal sealed record SeriesStoreLimits
{
    /// <summary>Memory for samples, bytes: some 80 million of them, of which a usual one takes three bytes, what is kept for further ones included.</summary>
    public long SampleBytesMax { get; init; } = 256L << 20;

    /// <summary>Series held: 2,400 hosts of 107. Each costs about 600 bytes beside its samples.</summary>
    public int SeriesMax { get; init; } = 262_144;

    /// <summary>Metric names whose type, unit and help are kept; those of further ones are not.</summary>
    public int MetricsMax { get; init; } = 16_384;
}
