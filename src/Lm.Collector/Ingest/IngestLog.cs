namespace Lm.Collector.Ingest;

/// <summary>Log events 2100 to 2199.</summary>
internal static partial class IngestLog
{
    [LoggerMessage(EventId = 2100, Level = LogLevel.Debug,
        Message = "Agent {AgentId}: {Accepted} accepted, {Duplicates} had already, {Refused} refused (last {Code}).")]
    public static partial void RequestDone(ILogger logger, string agentId, int accepted, int duplicates, int refused, string? code);

    [LoggerMessage(EventId = 2101, Level = LogLevel.Error,
        Message = "A request failed in a way that it should not; it was answered 503 and nothing of it was acknowledged.")]
    public static partial void RequestFailed(ILogger logger, Exception exception);

    [LoggerMessage(EventId = 2102, Level = LogLevel.Warning,
        Message = "Agent {AgentId}: sequence conflict, the agent is to continue under a new queue id: {Detail}.")]
    public static partial void SequenceConflict(ILogger logger, string agentId, string detail);

    [LoggerMessage(EventId = 2103, Level = LogLevel.Debug, Message = "A request was refused with {Status} {Code}: {Detail}.")]
    public static partial void RequestRefused(ILogger logger, int status, string code, string detail);
}
