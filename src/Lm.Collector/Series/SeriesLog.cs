namespace Lm.Collector.Series;

/// <summary>Log events of the series store: 2300 to 2399.</summary>
internal static partial class SeriesLog
{
    [LoggerMessage(EventId = 2300, Level = LogLevel.Warning,
        Message = "The samples in memory take more than {SampleBytesMax} bytes: forgot the {Count} oldest, chunks that ended before {Cutoff:O}. They are still in the spool.")]
    public static partial void SamplesEvicted(ILogger logger, long count, long sampleBytesMax, DateTimeOffset cutoff);

    [LoggerMessage(EventId = 2301, Level = LogLevel.Warning,
        Message = "Memory holds its {SeriesMax} series: forgot the {Count} that ended longest ago. They are still in the spool.")]
    public static partial void SeriesEvicted(ILogger logger, long count, long seriesMax);
}
