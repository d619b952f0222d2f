using Microsoft.Extensions.Logging;

namespace Lm.Agent.Upload;

/// <summary>The uploader's log events, 1400 to 1499. A lasting trouble is told when it begins and when it ends.</summary>
internal static partial class UploadLog
{
    [LoggerMessage(EventId = 1400, Level = LogLevel.Warning,
        Message = "Collector {Collector} does not take batches for now ({Reason}): everything stays queued and is tried again.")]
    public static partial void PassingTroubleBegins(ILogger logger, Uri collector, string reason);

    [LoggerMessage(EventId = 1401, Level = LogLevel.Error,
        Message = "Collector {Collector} refuses this agent ({Reason}): everything stays queued; the settings here or there must be mended.")]
    public static partial void SetUpTroubleBegins(ILogger logger, Uri collector, string reason);

    [LoggerMessage(EventId = 1402, Level = LogLevel.Information,
        Message = "Collector {Collector} takes batches again after {DurationMs} ms; {Batches} wait.")]
    public static partial void TroubleEnded(ILogger logger, Uri collector, long durationMs, ulong batches);

    [LoggerMessage(EventId = 1403, Level = LogLevel.Warning,
        Message = "Batch {Sequence} must wait ({Code}: {Detail}); the others go on, and it is tried again in {RetryMs} ms or when the collector's limits change.")]
    public static partial void Parked(ILogger logger, ulong sequence, string code, string detail, long retryMs);

    [LoggerMessage(EventId = 1404, Level = LogLevel.Information, Message = "Batches that had to wait ({Code}) are taken now.")]
    public static partial void Unparked(ILogger logger, string code);

    [LoggerMessage(EventId = 1405, Level = LogLevel.Warning, Message = "Collector {Collector} left out records: {TooOld} too old, {OverLimit} over a limit. {Detail}")]
    public static partial void RecordsLeftOut(ILogger logger, Uri collector, int tooOld, int overLimit, string detail);

    [LoggerMessage(EventId = 1406, Level = LogLevel.Warning,
        Message = "Settings disagree: {AgentKey} of this agent is {AgentValue}, {CollectorKey} of the collector is {CollectorValue}; lower the one or raise the other.")]
    public static partial void SettingsDisagree(ILogger logger, string agentKey, long agentValue, string collectorKey, long collectorValue);

    [LoggerMessage(EventId = 1407, Level = LogLevel.Debug, Message = "Sent {Batches} batches in {SizeBytes} bytes.")]
    public static partial void Sent(ILogger logger, int batches, long sizeBytes);

    [LoggerMessage(EventId = 1408, Level = LogLevel.Warning, Message = "The queue cannot be read: {Reason}")]
    public static partial void QueueFails(ILogger logger, string reason);

    [LoggerMessage(EventId = 1409, Level = LogLevel.Error,
        Message = "TLS with collector {Collector} fails on a certificate ({Reason}): everything stays queued and is tried again.")]
    public static partial void CertificateTroubleBegins(ILogger logger, Uri collector, string reason);

    [LoggerMessage(EventId = 1410, Level = LogLevel.Warning,
        Message = "The collector's clock is {SkewSeconds} s from this host's: set the one that is wrong. Times of samples stay as this host has them.")]
    public static partial void ClocksDiffer(ILogger logger, double skewSeconds);

    [LoggerMessage(EventId = 1411, Level = LogLevel.Information, Message = "The collector's clock is {SkewSeconds} s from this host's: near enough again.")]
    public static partial void ClocksAgree(ILogger logger, double skewSeconds);
}
