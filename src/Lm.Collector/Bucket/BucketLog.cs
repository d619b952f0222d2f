namespace Lm.Collector.Bucket;

/// <summary>Log events 2690 to 2699.</summary>
internal static partial class BucketLog
{
    [LoggerMessage(EventId = 2690, Level = LogLevel.Information, Message = "The object store has {Blocks} blocks and {LogFiles} log files that queries reach.")]
    public static partial void Listed(ILogger logger, int blocks, int logFiles);

    [LoggerMessage(EventId = 2691, Level = LogLevel.Warning,
        Message = "The object store cannot be listed: {Reason}. Queries reach what was known before; it is tried again.")]
    public static partial void TroubleBegan(ILogger logger, string reason);

    [LoggerMessage(EventId = 2692, Level = LogLevel.Information, Message = "The object store is listed again after {Failures} failures.")]
    public static partial void TroubleEnded(ILogger logger, int failures);

    [LoggerMessage(EventId = 2693, Level = LogLevel.Error, Message = "A block in the object store is left out: {Reason}.")]
    public static partial void MetaUnreadable(ILogger logger, string reason);

    [LoggerMessage(EventId = 2695, Level = LogLevel.Error, Message = "A block in the object store is damaged and left out of all answers: {Reason}.")]
    public static partial void BlockDamaged(ILogger logger, string reason);

    [LoggerMessage(EventId = 2696, Level = LogLevel.Information,
        Message = "Block {Block} in the object store is left out: it holds samples of every {ResolutionMs} ms that somebody made of others. Queries here read those others.")]
    public static partial void Downsampled(ILogger logger, string block, long resolutionMs);

    [LoggerMessage(EventId = 2694, Level = LogLevel.Error, Message = "A list of the object store failed by a fault of the program. It is tried again.")]
    public static partial void PassFailed(ILogger logger, Exception exception);
}
