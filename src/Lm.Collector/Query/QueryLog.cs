namespace Lm.Collector.Query;

/// <summary>Log events of the private listener's API: 2500 to 2599.</summary>
internal static partial class QueryLog
{
    [LoggerMessage(EventId = 2500, Level = LogLevel.Debug, Message = "A query failed with {StatusCode} {ErrorType} after {ElapsedMs} ms.")]
    public static partial void QueryFailed(ILogger logger, int statusCode, string errorType, long elapsedMs);

    [LoggerMessage(EventId = 2501, Level = LogLevel.Error, Message = "A request for {Path} failed; its answer is {StatusCode}. This is a fault of the program.")]
    public static partial void RequestFailed(ILogger logger, Exception exception, string path, int statusCode);

    [LoggerMessage(EventId = 2502, Level = LogLevel.Error, Message = "Stored lines cannot be read: a log query failed. Look at the disk and the folder's rights.")]
    public static partial void LogsUnreadable(ILogger logger, Exception exception);
}
