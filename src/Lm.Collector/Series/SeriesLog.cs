namespace Lm.Collector.Series;

/// <summary>Log events of the series store: 2300 to 2399.</summary>
internal static partial class SeriesLog
{
    [LoggerMessage(EventId = 2300, Level = LogLevel.Warning,
        Message = "Memory holds its {SamplesMax} samples: forgot the {Count} oldest, everything before {Cutoff:O}. They are still in the spool.")]
    public static partial void SamplesEvicted(ILogger logger, long count, long samplesMax, DateTimeOffset cutoff);

    [LoggerMessage(EventId = 2301, Level = LogLevel.Warning,
        Message = "Memory holds its {SeriesMax} series: forgot the {Count} that ended longest ago. They are still in the spool.")]
    public static partial void SeriesEvicted(ILogger logger, long count, long seriesMax);
}
