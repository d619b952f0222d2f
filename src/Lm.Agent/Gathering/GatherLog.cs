using System.Net;
using Microsoft.Extensions.Logging;

namespace Lm.Agent.Gathering;

/// <summary>Log events of scrapes, text files, commands and plug-ins: 1600 to 1649.</summary>
internal static partial class GatherLog
{
    [LoggerMessage(EventId = 1600, Level = LogLevel.Warning, Message = "The {Target} fails, and is tried again each time it is due: {Reason}.")]
    public static partial void Failed(ILogger logger, string target, string reason);

    [LoggerMessage(EventId = 1601, Level = LogLevel.Information, Message = "The {Target} works again after {FailedCount} failures.")]
    public static partial void Recovered(ILogger logger, string target, long failedCount);

    [LoggerMessage(EventId = 1602, Level = LogLevel.Warning,
        Message = "The {Target} left {Count} processes behind outside its process group; they were ended.")]
    public static partial void StraysEnded(ILogger logger, string target, int count);

    [LoggerMessage(EventId = 1603, Level = LogLevel.Warning,
        Message = "Commands and plug-ins take longer than their intervals: the {Target} was not run {Count} times so far. Give them longer intervals or shorter time-outs.")]
    public static partial void RunsMissed(ILogger logger, string target, long count);

    [LoggerMessage(EventId = 1604, Level = LogLevel.Warning,
        Message = "Processes that leave the process group of a command or plug-in cannot be ended on this kernel: it does not let lm-agent adopt them.")]
    public static partial void CannotAdopt(ILogger logger);

    [LoggerMessage(EventId = 1605, Level = LogLevel.Information,
        Message = "Gathering from {Scrapes} scrapes, {Commands} commands, {Plugins} plug-ins and {TextFolders} directories of text files.")]
    public static partial void Begun(ILogger logger, int scrapes, int commands, int plugins, int textFolders);

    [LoggerMessage(EventId = 1606, Level = LogLevel.Error,
        Message = "Metrics cannot be served at {Address} ({Reason}): everything else goes on; see [metrics] listen.")]
    public static partial void CannotListen(ILogger logger, IPEndPoint address, string reason);

    [LoggerMessage(EventId = 1607, Level = LogLevel.Information, Message = "The last tick is served at http://{Address}/metrics.")]
    public static partial void Listening(ILogger logger, IPEndPoint address);

    [LoggerMessage(EventId = 1608, Level = LogLevel.Warning, Message = "A connection to the metrics listener could not be accepted: {Reason}")]
    public static partial void AcceptFailed(ILogger logger, string reason);

    [LoggerMessage(EventId = 1609, Level = LogLevel.Warning,
        Message = "The {Target} does not end within {PatienceMs} ms and is left behind: it waits for a file or a program that the kernel does not give back, of a server that is gone for example.")]
    public static partial void LeftBehind(ILogger logger, string target, long patienceMs);
}
