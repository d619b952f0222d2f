namespace Lm.Collector.Series;

/// <summary>Log events of the series storage: 2300 to 2399.</summary>
internal static partial class SeriesLog
{
    [LoggerMessage(EventId = 2302, Level = LogLevel.Information,
        Message = "Series storage is open: {Series} series in {Windows} windows of the head, {Blocks} blocks with {BlockBytes} bytes; the spool is replayed from segment {Segment}, byte {Offset}.")]
    public static partial void Opened(ILogger logger, long series, int windows, int blocks, long blockBytes, uint segment, long offset);

    [LoggerMessage(EventId = 2303, Level = LogLevel.Error, Message = "A file of the head is damaged: {Damage}")]
    public static partial void HeadDamaged(ILogger logger, string damage);

    [LoggerMessage(EventId = 2304, Level = LogLevel.Error, Message = "Block {Block} cannot be read and is left where it is, out of all answers: {Reason}")]
    public static partial void BlockDamaged(ILogger logger, string block, string reason);

    [LoggerMessage(EventId = 2305, Level = LogLevel.Information,
        Message = "Block {Block} holds {MinTime} to {MaxTime}: {Series} series, {Samples} samples, {SizeBytes} bytes.")]
    public static partial void BlockWritten(ILogger logger, string block, long minTime, long maxTime, long series, long samples, long sizeBytes);

    [LoggerMessage(EventId = 2306, Level = LogLevel.Error,
        Message = "The block for {From} to {Until} could not be written and is tried again: {Reason}. Its samples stay where they are.")]
    public static partial void BlockFailed(ILogger logger, long from, long until, string reason);

    [LoggerMessage(EventId = 2307, Level = LogLevel.Error,
        Message = "{Chunks} chunks or parts of a list of series of the head between {From} and {Until} could not be read and are missing from their block; their window's files are set aside as *.damaged: {Damage}")]
    public static partial void ChunksUnreadable(ILogger logger, long chunks, long from, long until, string damage);

    [LoggerMessage(EventId = 2308, Level = LogLevel.Error, Message = "The head could not be made durable and is tried again: {Reason}. The spool keeps everything meanwhile.")]
    public static partial void CheckpointFailed(ILogger logger, string reason);

    [LoggerMessage(EventId = 2309, Level = LogLevel.Information, Message = "Block {Block} replaces {Count} blocks: {Samples} samples, {SizeBytes} bytes.")]
    public static partial void BlocksMerged(ILogger logger, string block, int count, long samples, long sizeBytes);

    [LoggerMessage(EventId = 2310, Level = LogLevel.Error, Message = "Blocks are not merged: {Reason}. They stay as they are and are read as before.")]
    public static partial void MergeFailed(ILogger logger, string reason);

    [LoggerMessage(EventId = 2311, Level = LogLevel.Information, Message = "{Count} blocks with samples up to {MaxTime} are deleted by retention: {SizeBytes} bytes.")]
    public static partial void BlocksExpired(ILogger logger, int count, long maxTime, long sizeBytes);

    [LoggerMessage(EventId = 2312, Level = LogLevel.Error, Message = "Old blocks could not be deleted and are tried again: {Reason}")]
    public static partial void RetentionFailed(ILogger logger, string reason);

    [LoggerMessage(EventId = 2313, Level = LogLevel.Error, Message = "A round of keeping head and blocks failed and is tried again. Nothing is lost: the spool keeps what is in no file yet.")]
    public static partial void KeepFailed(ILogger logger, Exception exception);

    [LoggerMessage(EventId = 2314, Level = LogLevel.Error,
        Message = "The spool ends at segment {Segment}, byte {Offset}, but the head has records of it up to segment {HeadSegment}, byte {HeadOffset}: its end is lost. The head keeps what it has, and the spool is replayed from its beginning.")]
    public static partial void SpoolIsShorter(ILogger logger, uint segment, long offset, uint headSegment, long headOffset);
}
