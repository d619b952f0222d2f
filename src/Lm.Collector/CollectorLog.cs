namespace Lm.Collector;

/// <summary>Log events 2000 to 2099: life cycle.</summary>
internal static partial class CollectorLog
{
    [LoggerMessage(EventId = 2000, Level = LogLevel.Information, Message = "lm-collector {Version} starts with {ConfigFile}.")]
    public static partial void Starting(ILogger logger, string version, string configFile);

    [LoggerMessage(EventId = 2001, Level = LogLevel.Information, Message = "Listening: ingest on https://{Ingest}, queries and console on {Scheme}://{Query}.")]
    public static partial void Listening(ILogger logger, string ingest, string scheme, string query);

    [LoggerMessage(EventId = 2002, Level = LogLevel.Information, Message = "Stopping: no new batches; what is in hand is finished within {DeadlineSeconds} s.")]
    public static partial void Stopping(ILogger logger, int deadlineSeconds);

    [LoggerMessage(EventId = 2003, Level = LogLevel.Information, Message = "Stopped.")]
    public static partial void Stopped(ILogger logger);

    [LoggerMessage(EventId = 2004, Level = LogLevel.Warning, Message = "Configuration: {Warning}.")]
    public static partial void SettingsWarning(ILogger logger, string warning);

    [LoggerMessage(EventId = 2005, Level = LogLevel.Information, Message = "Reloaded the configuration ({Reason}).")]
    public static partial void Reloaded(ILogger logger, string reason);

    [LoggerMessage(EventId = 2006, Level = LogLevel.Error, Message = "The configuration was not reloaded ({Reason}); the old one stays in use. {Count} faults, the first: {Fault}")]
    public static partial void ReloadFailed(ILogger logger, string reason, int count, string fault);

    [LoggerMessage(EventId = 2007, Level = LogLevel.Warning, Message = "Changed, but in effect only after a restart: {Keys}.")]
    public static partial void NeedsRestart(ILogger logger, string keys);

    [LoggerMessage(EventId = 2008, Level = LogLevel.Error, Message = "Start failed: {Reason}")]
    public static partial void StartFailed(ILogger logger, string reason);

    [LoggerMessage(EventId = 2009, Level = LogLevel.Warning, Message = "The clock is {BehindSeconds} s behind the newest stored batch: batches that it would judge are answered 503 clock_suspect until it is right.")]
    public static partial void ClockSuspect(ILogger logger, long behindSeconds);

    [LoggerMessage(EventId = 2010, Level = LogLevel.Error, Message = "A background task failed; it goes on with its next turn.")]
    public static partial void BackgroundFailed(ILogger logger, Exception exception);
}
