namespace Lm.Collector.Series;

/// <summary>Bounds of <see cref="MemorySeriesStore"/>. At each, the oldest goes first and is counted.</summary>
internal sealed record SeriesStoreLimits
{
    /// <summary>Samples held: 256 MiB at 24 bytes each, which is 16 and what the arrays' growth by half leaves idle at most.</summary>
    public long SamplesMax { get; init; } = 256L * 1024 * 1024 / 24;

    /// <summary>Series held: 2,400 hosts of 107. Each costs about 600 bytes beside its samples.</summary>
    public int SeriesMax { get; init; } = 262_144;

    /// <summary>Metric names whose type, unit and help are kept; those of further ones are not.</summary>
    public int MetricsMax { get; init; } = 65_536;
}
