using Microsoft.Extensions.Logging;

namespace Lm.Agent.Containers;

/// <summary>Log events of the container runtime's socket: 1650 to 1659.</summary>
internal static partial class ContainersLog
{
    [LoggerMessage(EventId = 1650, Level = LogLevel.Warning,
        Message = "The container runtime at {Socket} gives no whole answer, and is asked again every 15 seconds: {Fault}. Until then containers it has not named yet have their short ids, and restart counts and health are missing.")]
    public static partial void RuntimeFails(ILogger logger, string socket, string fault);

    [LoggerMessage(EventId = 1651, Level = LogLevel.Information, Message = "The container runtime at {Socket} answers again after {FailedCount} rounds that failed.")]
    public static partial void RuntimeAnswers(ILogger logger, string socket, long failedCount);
}
