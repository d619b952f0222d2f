namespace Lm.Collector.Spool;

/// <summary>Log events 2200 to 2299.</summary>
internal static partial class SpoolLog
{
    [LoggerMessage(EventId = 2200, Level = LogLevel.Information,
        Message = "Spool {Directory} is open: incarnation {Incarnation}, {Segments} segments, {SizeBytes} bytes.")]
    public static partial void Opened(ILogger logger, string directory, Guid incarnation, int segments, long sizeBytes);

    [LoggerMessage(EventId = 2201, Level = LogLevel.Warning,
        Message = "A torn tail of {TornBytes} bytes was cut from the spool's last segment: it was never acknowledged.")]
    public static partial void TailCut(ILogger logger, long tornBytes);

    [LoggerMessage(EventId = 2202, Level = LogLevel.Error,
        Message = "Segment {Segment} of the spool is damaged at byte {Offset}: {Reason}; {SizeBytes} bytes were set aside as {SavedAs}.")]
    public static partial void Damaged(ILogger logger, uint segment, long offset, string reason, long sizeBytes, string savedAs);

    [LoggerMessage(EventId = 2203, Level = LogLevel.Information,
        Message = "Replaying the spool: {Records} records, {DoneBytes} of {SizeBytes} bytes ({RecordsPerSecond} records/s, about {SecondsLeft} s left).")]
    public static partial void Replaying(ILogger logger, long records, long doneBytes, long sizeBytes, long recordsPerSecond, long secondsLeft);

    [LoggerMessage(EventId = 2204, Level = LogLevel.Information,
        Message = "The spool was replayed: {Records} records in {ElapsedMs} ms, {Repeats} of them repeats that were left out.")]
    public static partial void Replayed(ILogger logger, long records, long elapsedMs, long repeats);

    [LoggerMessage(EventId = 2205, Level = LogLevel.Error,
        Message = "The record at segment {Segment}, byte {Offset} of the spool cannot be read and is left out: {Reason}.")]
    public static partial void RecordUnreadable(ILogger logger, uint segment, long offset, string reason);

    [LoggerMessage(EventId = 2206, Level = LogLevel.Warning,
        Message = "The spool takes no batch: {Reason}. Agents keep theirs and try again.")]
    public static partial void TroubleBegan(ILogger logger, string reason);

    [LoggerMessage(EventId = 2207, Level = LogLevel.Information, Message = "The spool takes batches again.")]
    public static partial void TroubleEnded(ILogger logger);

    [LoggerMessage(EventId = 2208, Level = LogLevel.Error,
        Message = "A consumer failed on the batch at segment {Segment}, byte {Offset}; the batch is durable, but this consumer's view of it is incomplete until the next restart.")]
    public static partial void ConsumerFailed(ILogger logger, Exception exception, uint segment, long offset);

    [LoggerMessage(EventId = 2209, Level = LogLevel.Error,
        Message = "The ledger snapshot {Path} is of no use: {Reason}. The ledger is rebuilt from the spool; sequences of segments that were trimmed are unknown.")]
    public static partial void SnapshotUnusable(ILogger logger, string path, string reason);

    [LoggerMessage(EventId = 2210, Level = LogLevel.Information,
        Message = "Trimmed the spool: segments before {Segment} hold nothing that is not stored elsewhere or older than local_retention_days; {Bytes} bytes freed.")]
    public static partial void Trimmed(ILogger logger, uint segment, long bytes);

    [LoggerMessage(EventId = 2211, Level = LogLevel.Warning, Message = "The spool could not be trimmed: {Reason}. It is tried again later.")]
    public static partial void TrimFailed(ILogger logger, string reason);

    [LoggerMessage(EventId = 2212, Level = LogLevel.Warning,
        Message = "The ledger snapshot could not be written: {Reason}. Nothing is lost: the next start reads the spool instead.")]
    public static partial void SnapshotFailed(ILogger logger, string reason);

    [LoggerMessage(EventId = 2213, Level = LogLevel.Error,
        Message = "The state file {Path} is of no use: {Reason}. Agents and metrics that only deleted segments told of are unknown until they send again; no sample is affected.")]
    public static partial void StateUnusable(ILogger logger, string path, string reason);

    [LoggerMessage(EventId = 2214, Level = LogLevel.Warning,
        Message = "The state file could not be written: {Reason}. Nothing is lost: the spool keeps its segments meanwhile.")]
    public static partial void StateFailed(ILogger logger, string reason);

    [LoggerMessage(EventId = 2215, Level = LogLevel.Error,
        Message = "There are as many series as memory allows, {SeriesMax}: samples of further ones are left out, and their senders are told. /api/v1/status/tsdb says which names and labels make the most.")]
    public static partial void SeriesRefused(ILogger logger, int seriesMax);

    [LoggerMessage(EventId = 2216, Level = LogLevel.Information, Message = "There is room for new series again.")]
    public static partial void SeriesTakenAgain(ILogger logger);
}
