using Microsoft.Extensions.Logging;

namespace Lm.Agent;

/// <summary>Life cycle events, 1000 to 1099.</summary>
internal static partial class AgentLog
{
    [LoggerMessage(EventId = 1000, Level = LogLevel.Information,
        Message = "lm-agent {Version} starts: agent {AgentId}, collector {Collector}, a batch every {IntervalMs} ms.")]
    public static partial void Started(ILogger logger, string version, string agentId, Uri collector, long intervalMs);

    [LoggerMessage(EventId = 1001, Level = LogLevel.Information, Message = "Stopping: collecting has ended, sending what is queued for up to {TimeoutMs} ms.")]
    public static partial void Stopping(ILogger logger, long timeoutMs);

    [LoggerMessage(EventId = 1002, Level = LogLevel.Information, Message = "Stopped; {Batches} batches stay queued.")]
    public static partial void Stopped(ILogger logger, ulong batches);

    [LoggerMessage(EventId = 1003, Level = LogLevel.Information, Message = "The configuration {Path} was read again and is in use.")]
    public static partial void Reloaded(ILogger logger, string path);

    [LoggerMessage(EventId = 1004, Level = LogLevel.Error, Message = "The configuration {Path} was read again and has faults; the old one stays in use: {Faults}")]
    public static partial void ReloadRefused(ILogger logger, string path, string faults);

    [LoggerMessage(EventId = 1006, Level = LogLevel.Warning,
        Message = "[labels] has '{Label}', which the collector stores as exported_{Label}: it writes instance and job itself.")]
    public static partial void LabelIsRenamed(ILogger logger, string label);

    [LoggerMessage(EventId = 1007, Level = LogLevel.Error, Message = "{Reason}")]
    public static partial void Failed(ILogger logger, string reason);

    [LoggerMessage(EventId = 1008, Level = LogLevel.Information, Message = "Uploading: {Sent} of {Total} batches sent, {Rate} a second, {SecondsLeft} s left.")]
    public static partial void FlushProgress(ILogger logger, long sent, long total, long rate, long secondsLeft);

    [LoggerMessage(EventId = 1009, Level = LogLevel.Information, Message = "Sent {Sent} batches, {Waiting} stay queued, {Refused} were refused for good{LastFailure}.")]
    public static partial void Drained(ILogger logger, long sent, ulong waiting, long refused, string lastFailure);

    [LoggerMessage(EventId = 1010, Level = LogLevel.Information,
        Message = "max_queue_bytes, {QueueBytes}, holds about {Days} days of batches such as those of the last {MeasuredMs} ms, {Bytes} bytes; log lines come on top.")]
    public static partial void QueueHolds(ILogger logger, long queueBytes, double days, long bytes, long measuredMs);

    [LoggerMessage(EventId = 1011, Level = LogLevel.Warning, Message = "The {Fault}.")]
    public static partial void TargetFailed(ILogger logger, string fault);
}
