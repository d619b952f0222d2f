namespace Lm.Collector.LogRecords;

/// <summary>Log events of the log storage: 2400 to 2499.</summary>
internal static partial class LogRecordsLog
{
    [LoggerMessage(EventId = 2400, Level = LogLevel.Information,
        Message = "Log storage is open: {Files} sealed files with {Bytes} bytes, {Open} open ones; the spool is replayed from segment {Segment}, byte {Offset}.")]
    public static partial void Opened(ILogger logger, int files, long bytes, int open, uint segment, long offset);

    [LoggerMessage(EventId = 2401, Level = LogLevel.Error, Message = "A log file is damaged: {Damage}")]
    public static partial void Damaged(ILogger logger, string damage);

    [LoggerMessage(EventId = 2402, Level = LogLevel.Information,
        Message = "Log file {Path} holds {MinTime} to {MaxTime}: {Lines} lines of {BodyBytes} bytes in {SizeBytes} bytes.")]
    public static partial void Sealed(ILogger logger, string path, long minTime, long maxTime, long lines, long bodyBytes, long sizeBytes);

    [LoggerMessage(EventId = 2403, Level = LogLevel.Error, Message = "A log file could not be sealed and is tried again: {Reason}. Its lines stay where they are.")]
    public static partial void SealFailed(ILogger logger, string reason);

    [LoggerMessage(EventId = 2404, Level = LogLevel.Error, Message = "Log lines could not be made durable and are tried again: {Reason}. The spool keeps everything meanwhile.")]
    public static partial void CheckpointFailed(ILogger logger, string reason);

    [LoggerMessage(EventId = 2405, Level = LogLevel.Information, Message = "{Count} log files with lines up to {MaxTime} are deleted by retention: {SizeBytes} bytes.")]
    public static partial void Expired(ILogger logger, int count, long maxTime, long sizeBytes);

    [LoggerMessage(EventId = 2406, Level = LogLevel.Error, Message = "Old log files could not be deleted and are tried again: {Reason}")]
    public static partial void RetentionFailed(ILogger logger, string reason);

    [LoggerMessage(EventId = 2407, Level = LogLevel.Error, Message = "A round of keeping log files failed and is tried again. Nothing is lost: the spool keeps what is in no file yet.")]
    public static partial void KeepFailed(ILogger logger, Exception exception);

    [LoggerMessage(EventId = 2408, Level = LogLevel.Error,
        Message = "The spool ends at segment {Segment}, byte {Offset}, but the log store has records of it up to segment {StoreSegment}, byte {StoreOffset}: its end is lost. The store keeps what it has, and the spool is replayed from its beginning.")]
    public static partial void SpoolIsShorter(ILogger logger, uint segment, long offset, uint storeSegment, long storeOffset);

    [LoggerMessage(EventId = 2409, Level = LogLevel.Error,
        Message = "The log records at segment {Segment}, byte {Offset} of the spool could not be taken and are tried again: {Reason}. They and all behind them wait in the spool, and searches do not find them yet.")]
    public static partial void Held(ILogger logger, uint segment, long offset, string reason);

    [LoggerMessage(EventId = 2410, Level = LogLevel.Information, Message = "Log records no longer wait in the spool: all are taken up to segment {Segment}, byte {Offset}.")]
    public static partial void Released(ILogger logger, uint segment, long offset);

    [LoggerMessage(EventId = 2411, Level = LogLevel.Error,
        Message = "The log records at segment {Segment}, byte {Offset} of the spool could not be taken twice, and not for the disk's sake: they are passed over, in whole or in part.")]
    public static partial void PassedOver(ILogger logger, Exception exception, uint segment, long offset);
}
