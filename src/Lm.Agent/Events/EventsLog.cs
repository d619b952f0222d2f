using Microsoft.Extensions.Logging;

namespace Lm.Agent.Events;

/// <summary>What the agent logs of watched directories, 1500 to 1549.</summary>
internal static partial class EventsLog
{
    [LoggerMessage(EventId = 1500, Level = LogLevel.Information, Message = "Watching {Path}: {Directories} directories.")]
    public static partial void Watching(ILogger logger, string path, int directories);

    [LoggerMessage(EventId = 1501, Level = LogLevel.Warning, Message = "{Path} cannot be watched ({Reason}); it is tried again.")]
    public static partial void Unwatched(ILogger logger, string path, string reason);

    [LoggerMessage(EventId = 1502, Level = LogLevel.Warning,
        Message = "Not all directories under {Path} are watched: {DirectoriesMax} are the most of all [[watch]]; exclude some, or set recursive = false.")]
    public static partial void TooManyDirectories(ILogger logger, string path, int directoriesMax);

    [LoggerMessage(EventId = 1503, Level = LogLevel.Warning, Message = "The kernel lost notices of watched directories: they are looked through again.")]
    public static partial void NoticesLost(ILogger logger);

    [LoggerMessage(EventId = 1504, Level = LogLevel.Warning,
        Message = "{Path} cannot be watched: the kernel gives no more watches (fs.inotify.max_user_watches or max_user_instances).")]
    public static partial void NoWatches(ILogger logger, string path);
}
