using Microsoft.Extensions.Logging;

namespace Lm.Agent.Queue;

/// <summary>The queue's log events, 1300 to 1399.</summary>
internal static partial class QueueLog
{
    [LoggerMessage(EventId = 1300, Level = LogLevel.Information,
        Message = "Queue {Directory} is open: {Batches} batches wait in {SizeBytes} bytes, queue id {QueueId}, next sequence {NextSequence}.")]
    public static partial void Opened(ILogger logger, string directory, ulong batches, long sizeBytes, string queueId, ulong nextSequence);

    [LoggerMessage(EventId = 1301, Level = LogLevel.Warning,
        Message = "Queue {Directory}: cut {TornBytes} bytes of an append that a crash had interrupted.")]
    public static partial void TornTail(ILogger logger, string directory, long tornBytes);

    [LoggerMessage(EventId = 1302, Level = LogLevel.Error,
        Message = "Queue {Directory}, segment {Segment} at byte {Offset}: {Reason}; {SizeBytes} bytes were set aside as {SavedAs}.")]
    public static partial void Damaged(ILogger logger, string directory, uint segment, long offset, string reason, long sizeBytes, string savedAs);

    [LoggerMessage(EventId = 1303, Level = LogLevel.Warning,
        Message = "Queue {Directory} takes the new queue id {QueueId} ({Reason}); {Batches} batches that wait are queued again under it.")]
    public static partial void NewQueueId(ILogger logger, string directory, string queueId, string reason, ulong batches);

    [LoggerMessage(EventId = 1304, Level = LogLevel.Information, Message = "Queue {Directory}: {Batches} batches were queued again under the new queue id.")]
    public static partial void Migrated(ILogger logger, string directory, long batches);

    [LoggerMessage(EventId = 1305, Level = LogLevel.Error,
        Message = "Queue {Directory} cannot take batches ({Reason}): each tick until it can is lost and counted.")]
    public static partial void AppendsFail(ILogger logger, string directory, string reason);

    [LoggerMessage(EventId = 1306, Level = LogLevel.Warning,
        Message = "Queue {Directory} takes batches again after {DurationMs} ms; {Lost} batches were lost.")]
    public static partial void AppendsWorkAgain(ILogger logger, string directory, long durationMs, ulong lost);

    [LoggerMessage(EventId = 1307, Level = LogLevel.Error,
        Message = "Queue {Directory} is full ({SizeBytesMax} bytes): {Batches} batches that were not sent are dropped with the segments before {Segment}.")]
    public static partial void Dropped(ILogger logger, string directory, long sizeBytesMax, ulong batches, uint segment);

    [LoggerMessage(EventId = 1308, Level = LogLevel.Warning, Message = "Queue {Directory}: segments that are done with could not be deleted yet: {Reason}")]
    public static partial void DeleteFails(ILogger logger, string directory, string reason);

    [LoggerMessage(EventId = 1309, Level = LogLevel.Error,
        Message = "Queue {Directory}: a batch of {FrameBytes} bytes is larger than the {FrameBytesMax} that the queue takes and is lost; raise max_queue_bytes.")]
    public static partial void BatchTooLarge(ILogger logger, string directory, int frameBytes, int frameBytesMax);

    [LoggerMessage(EventId = 1310, Level = LogLevel.Error,
        Message = "Batch {Sequence} was refused for good ({Code}: {Detail}) and is kept as {Path}.")]
    public static partial void Rejected(ILogger logger, ulong sequence, string code, string detail, string path);

    [LoggerMessage(EventId = 1311, Level = LogLevel.Error, Message = "Queue {Directory}, segment {Segment} at byte {Offset}: a record of a format that this program does not know was passed over.")]
    public static partial void UnknownRecord(ILogger logger, string directory, uint segment, long offset);

    [LoggerMessage(EventId = 1312, Level = LogLevel.Warning, Message = "Queue {Directory} cannot be read: {Reason}")]
    public static partial void ReadFails(ILogger logger, string directory, string reason);

    [LoggerMessage(EventId = 1313, Level = LogLevel.Error,
        Message = "Queue {Directory}: the oldest {Count} of the refused batches in rejected/ were deleted to make room; it keeps at most {CountMax} and {BytesMax} bytes.")]
    public static partial void RejectedRemoved(ILogger logger, string directory, int count, int countMax, long bytesMax);
}
