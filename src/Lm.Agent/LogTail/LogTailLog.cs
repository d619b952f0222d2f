using Microsoft.Extensions.Logging;

namespace Lm.Agent.LogTail;

/// <summary>Log tailing's events, 1200 to 1249.</summary>
internal static partial class LogTailLog
{
    [LoggerMessage(EventId = 1200, Level = LogLevel.Information, Message = "Log input {Input}: following {Path} from byte {Offset} of {SizeBytes}.")]
    public static partial void Following(ILogger logger, string input, string path, long offset, long sizeBytes);

    [LoggerMessage(EventId = 1201, Level = LogLevel.Information, Message = "Log input {Input}: {Path} was renamed or deleted and is read to its end.")]
    public static partial void Detached(ILogger logger, string input, string path);

    [LoggerMessage(EventId = 1202, Level = LogLevel.Information, Message = "Log input {Input}: done with what was {Path}, {Offset} bytes.")]
    public static partial void LetGo(ILogger logger, string input, string path, long offset);

    [LoggerMessage(EventId = 1203, Level = LogLevel.Information, Message = "Log input {Input}: {Path} was truncated at byte {Offset} and is read from its beginning; {Copy}")]
    public static partial void Truncated(ILogger logger, string input, string path, long offset, string copy);

    [LoggerMessage(EventId = 1204, Level = LogLevel.Warning,
        Message = "Log input {Input}: {Path}, read up to byte {Offset}, is gone: what was written to it since, if anything, is lost to this agent.")]
    public static partial void Gone(ILogger logger, string input, string path, long offset);

    [LoggerMessage(EventId = 1205, Level = LogLevel.Warning, Message = "Log input {Input}: {Path} cannot be read ({Reason}); it is tried again.")]
    public static partial void Unreadable(ILogger logger, string input, string path, string reason);

    [LoggerMessage(EventId = 1206, Level = LogLevel.Warning,
        Message = "Log input {Input}: {Path} and what comes after it is not followed: {FilesMax} files are the most of all inputs, fewer with a small max_queue_bytes; name fewer, or raise it.")]
    public static partial void TooManyFiles(ILogger logger, string input, string path, int filesMax);

    [LoggerMessage(EventId = 1207, Level = LogLevel.Information, Message = "Log input {Input}: {Path} is compressed and not read.")]
    public static partial void Compressed(ILogger logger, string input, string path);

    [LoggerMessage(EventId = 1208, Level = LogLevel.Warning, Message = "Log lines wait in their files: {Reason}.")]
    public static partial void Waiting(ILogger logger, string reason);

    [LoggerMessage(EventId = 1209, Level = LogLevel.Information, Message = "Log lines are read again after {DurationMs} ms.")]
    public static partial void WaitingEnded(ILogger logger, long durationMs);

    [LoggerMessage(EventId = 1210, Level = LogLevel.Warning, Message = "The kernel gives no notice of some log files (fs.inotify.max_user_watches or max_user_instances): they are looked at every second.")]
    public static partial void Polling(ILogger logger);

    [LoggerMessage(EventId = 1211, Level = LogLevel.Information, Message = "Log input {Input}: {Path} was rotated while nobody looked and is read from its beginning.")]
    public static partial void Adopted(ILogger logger, string input, string path);
}
