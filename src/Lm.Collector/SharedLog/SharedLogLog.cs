namespace Lm.Collector.SharedLog;

/// <summary>Log events 3000 to 3049.</summary>
internal static partial class SharedLogLog
{
    [LoggerMessage(EventId = 3000, Level = LogLevel.Information,
        Message = "Joined the shared log in {Store}: everything up to commit {Number} is here.")]
    public static partial void Joined(ILogger logger, string store, long number);

    [LoggerMessage(EventId = 3001, Level = LogLevel.Warning,
        Message = "No batch is acknowledged: {Reason}. It is tried again each second; agents keep their batches, or send them to another collector.")]
    public static partial void TroubleBegan(ILogger logger, string reason);

    [LoggerMessage(EventId = 3002, Level = LogLevel.Information, Message = "The shared log is followed again, after {Failures} failures.")]
    public static partial void TroubleEnded(ILogger logger, int failures);

    [LoggerMessage(EventId = 3003, Level = LogLevel.Error, Message = "No batch is acknowledged until a person has looked: {Reason}.")]
    public static partial void Halted(ILogger logger, string reason);

    [LoggerMessage(EventId = 3004, Level = LogLevel.Error,
        Message = "A record that the shared log made visible cannot be read and is left out here: {Key}, byte {Offset}: {Fault}.")]
    public static partial void RecordDamaged(ILogger logger, string key, long offset, string fault);

    [LoggerMessage(EventId = 3005, Level = LogLevel.Warning,
        Message = "Commit {Number} is acknowledged, and its copy could not be written here: {Reason}. It is tried again; queries here do not see it until then, and no batch is taken.")]
    public static partial void CopyFailed(ILogger logger, long number, string reason);

    [LoggerMessage(EventId = 3006, Level = LogLevel.Information, Message = "Build: commits {From} to {To} are in one object of {Bytes} bytes.")]
    public static partial void Built(ILogger logger, long from, long to, long bytes);

    [LoggerMessage(EventId = 3007, Level = LogLevel.Information, Message = "{Count} commits and their raw objects, which newer objects cover, were deleted.")]
    public static partial void Cleaned(ILogger logger, int count);

    [LoggerMessage(EventId = 3008, Level = LogLevel.Warning, Message = "Builds, snapshots or cleaning of the shared log failed: {Reason}. They are tried again, at most five minutes later; nothing waits for them.")]
    public static partial void UpkeepFailed(ILogger logger, string reason);

    [LoggerMessage(EventId = 3009, Level = LogLevel.Error, Message = "Snapshot {Key} is damaged and passed over: {Fault}.")]
    public static partial void SnapshotDamaged(ILogger logger, string key, string fault);

    [LoggerMessage(EventId = 3010, Level = LogLevel.Error, Message = "A round of the shared log failed.")]
    public static partial void RoundFailed(ILogger logger, Exception exception);

    [LoggerMessage(EventId = 3012, Level = LogLevel.Information, Message = "Commits {From} to {To} are in blocks and log files, which wait to be published.")]
    public static partial void Filed(ILogger logger, long from, long to);

    [LoggerMessage(EventId = 3013, Level = LogLevel.Information, Message = "Blocks and log files of all commits up to {To} are in the object store, read back there.")]
    public static partial void Published(ILogger logger, long to);

    [LoggerMessage(EventId = 3014, Level = LogLevel.Error, Message = "{Key}, which tells of blocks and log files, is damaged: {Fault}. Queries read these files from the object store; --verify says more.")]
    public static partial void SetDamaged(ILogger logger, string key, string fault);

    [LoggerMessage(EventId = 3015, Level = LogLevel.Information, Message = "Commits {From} to {To} are not copied to this disk: queries find them in the object store, in blocks and log files.")]
    public static partial void Skipped(ILogger logger, long from, long to);

    [LoggerMessage(EventId = 3016, Level = LogLevel.Information, Message = "{Count} blocks in the object store are merged: {Block} there has all samples from {From} to {Until} that they have, in {Bytes} bytes; they go in two days.")]
    public static partial void Merged(ILogger logger, int count, string block, long from, long until, long bytes);

    [LoggerMessage(EventId = 3017, Level = LogLevel.Warning, Message = "Block {Block} in the object store is not merged with others for now: {Reason}. It answers as before, as far as it can be read.")]
    public static partial void NotMerged(ILogger logger, string block, string reason);

    [LoggerMessage(EventId = 3011, Level = LogLevel.Warning, Message = "How far the shared log is here could not be noted: {Reason}. A restart looks at more of it.")]
    public static partial void MarkFailed(ILogger logger, string reason);
}
