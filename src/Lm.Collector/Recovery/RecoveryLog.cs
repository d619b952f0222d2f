namespace Lm.Collector.Recovery;

/// <summary>Log events 2650 to 2689.</summary>
internal static partial class RecoveryLog
{
    [LoggerMessage(EventId = 2650, Level = LogLevel.Information,
        Message = "The object store has {Objects} raw objects of {Lives} earlier lives of this collector's spool.")]
    public static partial void Found(ILogger logger, int objects, int lives);

    [LoggerMessage(EventId = 2651, Level = LogLevel.Information,
        Message = "The sequences of {Queues} queues of earlier lives are known again: batches that were acknowledged then are recognised.")]
    public static partial void SequencesRestored(ILogger logger, int queues);

    [LoggerMessage(EventId = 2652, Level = LogLevel.Information,
        Message = "Taking over what earlier lives landed: {Done} of {Objects} raw objects, {Records} records so far.")]
    public static partial void Restoring(ILogger logger, long done, long objects, long records);

    [LoggerMessage(EventId = 2653, Level = LogLevel.Information,
        Message = "All that earlier lives landed is taken over: {Objects} raw objects with {Records} records, in {ElapsedMs} ms.")]
    public static partial void Restored(ILogger logger, long objects, long records, long elapsedMs);

    [LoggerMessage(EventId = 2654, Level = LogLevel.Warning,
        Message = "What earlier lives landed cannot be taken over: {Reason}. It is tried again; {Consequence}.")]
    public static partial void TroubleBegan(ILogger logger, string reason, string consequence);

    [LoggerMessage(EventId = 2655, Level = LogLevel.Information, Message = "Taking over works again after {Failures} failures.")]
    public static partial void TroubleEnded(ILogger logger, int failures);

    [LoggerMessage(EventId = 2656, Level = LogLevel.Error,
        Message = "{Key} is damaged ({Reason}) and left out: what it holds is missing in answers, and a repeat of its batches would be taken again.")]
    public static partial void ObjectDamaged(ILogger logger, string key, string reason);

    [LoggerMessage(EventId = 2657, Level = LogLevel.Error,
        Message = "A record of {Key} at byte {Offset} cannot be taken over and is left out: {Reason}.")]
    public static partial void RecordDamaged(ILogger logger, string key, long offset, string reason);

    [LoggerMessage(EventId = 2658, Level = LogLevel.Warning,
        Message = "{Path} is not used: {Reason}. The object store is asked again for what earlier lives landed, before anything is acknowledged.")]
    public static partial void MarkUnusable(ILogger logger, string path, string reason);

    [LoggerMessage(EventId = 2659, Level = LogLevel.Error, Message = "A pass of taking over failed by a fault of the program. It is tried again.")]
    public static partial void PassFailed(ILogger logger, Exception exception);

    [LoggerMessage(EventId = 2661, Level = LogLevel.Information, Message = "{Changes} changes that people made before the disk was lost (saved dashboards) are taken over.")]
    public static partial void ChangesRestored(ILogger logger, int changes);

    [LoggerMessage(EventId = 2662, Level = LogLevel.Error, Message = "{Key} is damaged, and the changes in it (saved dashboards) are not taken over: {Fault}.")]
    public static partial void ChangesDamaged(ILogger logger, string key, string fault);

    [LoggerMessage(EventId = 2663, Level = LogLevel.Warning,
        Message = "{Key} was deleted after it was listed, and is not taken over: its sequences come from the ledger that landed, and what it held answers as far as blocks and log files have it.")]
    public static partial void ObjectGone(ILogger logger, string key);

    [LoggerMessage(EventId = 2660, Level = LogLevel.Error, Message = "A consumer failed on a record of {Key} at byte {Offset}; the others have it.")]
    public static partial void ConsumerFailed(ILogger logger, Exception exception, string key, long offset);
}
