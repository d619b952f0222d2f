namespace Lm.Collector.Landing;

/// <summary>Log events 2600 to 2699.</summary>
internal static partial class LandingLog
{
    [LoggerMessage(EventId = 2600, Level = LogLevel.Information,
        Message = "Landing in {Store}: the spool is there up to segment {Segment}, byte {Offset}.")]
    public static partial void Ready(ILogger logger, string store, uint segment, long offset);

    [LoggerMessage(EventId = 2601, Level = LogLevel.Warning,
        Message = "{Store} does not refuse a second conditional put of a key ({Support}): before each put it is asked whether the key is free. That is enough for one collector on a prefix.")]
    public static partial void ConditionsMissing(ILogger logger, string store, string support);

    [LoggerMessage(EventId = 2602, Level = LogLevel.Debug, Message = "Landed {Key}: {Records} records, {Bytes} bytes.")]
    public static partial void Landed(ILogger logger, string key, int records, long bytes);

    [LoggerMessage(EventId = 2603, Level = LogLevel.Warning,
        Message = "Nothing lands: {Reason}. It is tried again; ingest goes on, and spool and local files keep the data.")]
    public static partial void TroubleBegan(ILogger logger, string reason);

    [LoggerMessage(EventId = 2604, Level = LogLevel.Information, Message = "Landing works again after {Failures} failures.")]
    public static partial void TroubleEnded(ILogger logger, int failures);

    [LoggerMessage(EventId = 2605, Level = LogLevel.Information,
        Message = "{Key} is there already, whole and as the spool has it: a put of ours whose answer was lost, or one before a restart.")]
    public static partial void Adopted(ILogger logger, string key);

    [LoggerMessage(EventId = 2606, Level = LogLevel.Error,
        Message = "{Key} is not in the store as it was put ({Reason}): it is deleted and put again.")]
    public static partial void PutDamaged(ILogger logger, string key, string reason);

    [LoggerMessage(EventId = 2607, Level = LogLevel.Error,
        Message = "Landing has stopped until a restart: {Reason}. Nothing in the store was changed; ingest goes on.")]
    public static partial void Halted(ILogger logger, string reason);

    [LoggerMessage(EventId = 2608, Level = LogLevel.Warning,
        Message = "What has not landed is more than half of max_spool_bytes: segments before {Segment} may go without, once blocks and log files here hold what is in them.")]
    public static partial void GaveUpSegments(ILogger logger, uint segment);

    [LoggerMessage(EventId = 2609, Level = LogLevel.Error, Message = "A pass of landing failed by a fault of the program. It is tried again.")]
    public static partial void PassFailed(ILogger logger, Exception exception);

    [LoggerMessage(EventId = 2610, Level = LogLevel.Error,
        Message = "The spool ends at segment {Segment}, byte {Offset}, but had landed up to segment {LandedSegment}, byte {LandedOffset}: its end is lost here. It goes on in segment {NextSegment}; raw objects keep what was in between.")]
    public static partial void SpoolIsShorter(ILogger logger, uint segment, long offset, uint landedSegment, long landedOffset, uint nextSegment);

    [LoggerMessage(EventId = 2611, Level = LogLevel.Warning, Message = "{Key} has records that this spool has lost: it stays, as the only place that surely has them.")]
    public static partial void AdoptedAlone(ILogger logger, string key);

    [LoggerMessage(EventId = 2612, Level = LogLevel.Information, Message = "Block {Block} landed: {MinTime} to {MaxTime}, {SizeBytes} bytes, read back and compared.")]
    public static partial void BlockLanded(ILogger logger, string block, long minTime, long maxTime, long sizeBytes);

    [LoggerMessage(EventId = 2613, Level = LogLevel.Information, Message = "Block {Block} in the object store is marked for deletion: {Reason}. It goes in 48 hours.")]
    public static partial void BlockMarked(ILogger logger, string block, string reason);

    [LoggerMessage(EventId = 2614, Level = LogLevel.Information, Message = "Block {Block} is deleted in the object store: {Reason}.")]
    public static partial void BlockDeleted(ILogger logger, string block, string reason);

    [LoggerMessage(EventId = 2615, Level = LogLevel.Information, Message = "What a put or a deletion that was cut short left of block {Block} in the object store is deleted.")]
    public static partial void BlockRestDeleted(ILogger logger, string block);

    [LoggerMessage(EventId = 2616, Level = LogLevel.Warning, Message = "A block's meta.json in the object store cannot be read; the block is left alone: {Reason}")]
    public static partial void BucketMetaUnreadable(ILogger logger, string reason);

    [LoggerMessage(EventId = 2617, Level = LogLevel.Debug, Message = "{Key} is deleted: {Reason}.")]
    public static partial void RawDeleted(ILogger logger, string key, string reason);

    [LoggerMessage(EventId = 2618, Level = LogLevel.Information, Message = "Log files of {Date} are deleted in the object store: older than retention_days, {Objects} objects.")]
    public static partial void LogsDeleted(ILogger logger, string date, int objects);

    [LoggerMessage(EventId = 2620, Level = LogLevel.Error,
        Message = "{File} cannot be read here and does not land: {Reason}. The others do; it is tried again every hour, and what it holds stays in raw objects.")]
    public static partial void LogFileUnreadable(ILogger logger, string file, string reason);

    [LoggerMessage(EventId = 2621, Level = LogLevel.Warning, Message = "{Key} is too old or needless, perhaps, and cannot be read: {Reason}. It stays, for a person to look at and delete; those behind it go as they are due.")]
    public static partial void RawUnreadable(ILogger logger, string key, string reason);

    [LoggerMessage(EventId = 2622, Level = LogLevel.Error, Message = "The object store could not be tidied up by a fault of the program. It is tried again in an hour.")]
    public static partial void TidyBroke(ILogger logger, Exception exception);

    [LoggerMessage(EventId = 2619, Level = LogLevel.Warning, Message = "The object store could not be tidied up and is again in an hour: {Reason}. What is to be deleted there stays meanwhile.")]
    public static partial void TidyFailed(ILogger logger, string reason);
}
