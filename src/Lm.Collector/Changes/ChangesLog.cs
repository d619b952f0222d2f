namespace Lm.Collector.Changes;

/// <summary>Log events of the journal of changes: 2860 to 2899.</summary>
internal static partial class ChangesLog
{
    [LoggerMessage(EventId = 2860, Level = LogLevel.Error,
        Message = "{Directory}: segment {Segment} at byte {Offset}: {Reason}; {Size} bytes were set aside as {SavedAs}. What was changed there is as it was before.")]
    public static partial void Damaged(ILogger logger, string directory, uint segment, long offset, string reason, long size, string savedAs);

    [LoggerMessage(EventId = 2861, Level = LogLevel.Error, Message = "{Directory}: the record in segment {Segment} at byte {Offset} is passed over: {Fault}.")]
    public static partial void Unreadable(ILogger logger, string directory, uint segment, long offset, string fault);
}
