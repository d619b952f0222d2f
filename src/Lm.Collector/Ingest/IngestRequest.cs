using Lm.Platform;

namespace Lm.Collector.Ingest;

/// <summary>What a request's headers say, once its sender is known.</summary>
internal readonly record struct IngestRequest
{
    /// <summary>The agent, as its token has it.</summary>
    public required string AgentId { get; init; }

    /// <summary>X-Lightmetrics-Seq-Start.</summary>
    public required ulong SeqStart { get; init; }

    /// <summary>X-Lightmetrics-Seq-End.</summary>
    public required ulong SeqEnd { get; init; }

    /// <summary>X-Lightmetrics-Seq-Floor; 0 when absent.</summary>
    public ulong SeqFloor { get; init; }

    /// <summary>X-Lightmetrics-Sent-At; null when absent.</summary>
    public UnixMillis? SentAt { get; init; }

    /// <summary>The collector's clock when the request came.</summary>
    public required UnixMillis ReceivedAt { get; init; }
}
