using Microsoft.Extensions.Logging;

namespace Lm.Agent.HostMetrics;

/// <summary>Log events of host metrics: 1100 to 1199.</summary>
internal static partial class HostMetricsLog
{
    /// <summary>A source begins to fail. Said once, not at every tick.</summary>
    [LoggerMessage(EventId = 1100, Level = LogLevel.Warning,
        Message = "Host metrics source {Source} gives no samples until it works again: {Problem}.")]
    public static partial void SourceFailed(ILogger logger, string source, SourceFault problem);

    /// <summary>A source works again.</summary>
    [LoggerMessage(EventId = 1101, Level = LogLevel.Information,
        Message = "Host metrics source {Source} works again after {FailedTickCount} ticks without samples.")]
    public static partial void SourceRecovered(ILogger logger, string source, long failedTickCount);
}
