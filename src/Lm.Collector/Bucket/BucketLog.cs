using Lm.Platform;

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

    [LoggerMessage(EventId = 2695, Level = LogLevel.Error, Message = "A block in the object store is damaged, also when it is fetched again, and left out of all answers: {Reason}. It is tried again every few minutes.")]
    public static partial void BlockDamaged(ILogger logger, string reason);

    [LoggerMessage(EventId = 2696, Level = LogLevel.Information,
        Message = "Block {Block} in the object store is left out: it holds samples of every {ResolutionMs} ms that somebody made of others. Queries here read those others.")]
    public static partial void Downsampled(ILogger logger, string block, long resolutionMs);

    [LoggerMessage(EventId = 2697, Level = LogLevel.Information, Message = "Block {Block} in the object store can be read again, and answers.")]
    public static partial void BlockMended(ILogger logger, Ulid block);

    [LoggerMessage(EventId = 2698, Level = LogLevel.Warning,
        Message = "{Path}, a file of cache_dir, is not what was written there of {Key}. That part is fetched again, as each other will be that turns out so; lm_collector_cache_damaged_pages_total counts them.")]
    public static partial void CacheDamaged(ILogger logger, string path, string key);

    [LoggerMessage(EventId = 2694, Level = LogLevel.Error, Message = "A list of the object store failed by a fault of the program. It is tried again.")]
    public static partial void PassFailed(ILogger logger, Exception exception);
}
