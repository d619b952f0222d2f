namespace Lm.Protocol;

/// <summary>The stable codes of refusals (<c>code</c> in <c>application/problem+json</c>), known to both ends.</summary>
public static class ProblemCode
{
#pragma warning disable CS1591 // each is its own text, described in docs/protocol.md
    public const string MalformedFrame = "malformed_frame";
    public const string MalformedBatch = "malformed_batch";
    public const string LimitExceeded = "limit_exceeded";
    public const string UnsupportedTemporality = "unsupported_temporality";
    public const string Unauthorized = "unauthorized";
    public const string AgentMismatch = "agent_mismatch";
    public const string SequenceFork = "sequence_fork";
    public const string SequenceOverlap = "sequence_overlap";
    public const string BodyTooLarge = "body_too_large";
    public const string UnsupportedMediaType = "unsupported_media_type";
    public const string FutureTimestamp = "future_timestamp";
    public const string TooManyGaps = "too_many_gaps";
    public const string Rate = "rate";
    public const string SpoolFull = "spool_full";
    public const string ClockSuspect = "clock_suspect";
    public const string StoreUnreachable = "store_unreachable";
    public const string Draining = "draining";
    public const string MalformedWrite = "malformed_write";
    public const string InvalidLabels = "invalid_labels";
    public const string ReservedJob = "reserved_job";
    public const string TooOld = "too_old";
    public const string UnsupportedHistogram = "unsupported_histogram";
    public const string RemoteWriteNotAllowed = "remote_write_not_allowed";
#pragma warning restore CS1591
}
