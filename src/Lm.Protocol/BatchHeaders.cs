namespace Lm.Protocol;

/// <summary>The request's path and headers, known to both ends.</summary>
public static class BatchHeaders
{
#pragma warning disable CS1591 // each is its own text, described in docs/protocol.md
    public const string Path = "/ingest/v1/batch";
    public const string LimitsPath = "/ingest/v1/limits";
    public const string Agent = "X-Lightmetrics-Agent";
    public const string SeqStart = "X-Lightmetrics-Seq-Start";
    public const string SeqEnd = "X-Lightmetrics-Seq-End";
    public const string SeqFloor = "X-Lightmetrics-Seq-Floor";
    public const string SentAt = "X-Lightmetrics-Sent-At";
    public const string Queue = "X-Lightmetrics-Queue";
#pragma warning restore CS1591
}
