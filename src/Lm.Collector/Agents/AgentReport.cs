using Lm.Platform;
using Lm.Protocol;

namespace Lm.Collector.Agents;

/// <summary>What one authenticated request said about its agent, and what became of its batches.</summary>
internal readonly record struct AgentReport
{
    /// <summary>The agent, as its token has it.</summary>
    public required string AgentId { get; init; }

    /// <summary>When the request came.</summary>
    public required UnixMillis ReceivedAt { get; init; }

    /// <summary>The agent's clock when it sent; null when it did not say. <see cref="ReceivedAt"/> − this is the skew, transport included.</summary>
    public UnixMillis? SentAt { get; init; }

    /// <summary>The queue of the request's batches; null when none could be read.</summary>
    public QueueId? QueueId { get; init; }

    /// <summary>The User-Agent header (<c>lm-agent/0.1.0</c>), cut to 128 characters; null when there is none.</summary>
    public string? UserAgent { get; init; }

    /// <summary>The <c>X-Lightmetrics-Queue</c> header; null when absent or not readable.</summary>
    public QueueReport? Queue { get; init; }

    /// <summary>The interval of the newest batch in the request, milliseconds; 0 when not known.</summary>
    public int IntervalMs { get; init; }

    /// <summary>Frames that this request made durable.</summary>
    public int Accepted { get; init; }

    /// <summary>Frames that were durable already.</summary>
    public int Duplicates { get; init; }

    /// <summary>Frames (or the whole request: 1) that were not taken.</summary>
    public int Refused { get; init; }

    /// <summary>The problem code of the last refusal; null when nothing was refused.</summary>
    public string? LastRefusal { get; init; }

    /// <summary>Samples and log records left out as too old.</summary>
    public int DroppedTooOld { get; init; }

    /// <summary>Series and log records left out for a per-record limit.</summary>
    public int DroppedOverLimit { get; init; }
}

/// <summary>What an agent says about its queue.</summary>
/// <param name="Batches">Batches that wait.</param>
/// <param name="Bytes">Bytes that wait.</param>
/// <param name="Oldest">When the oldest of them was collected; null when none waits.</param>
/// <param name="Dropped">Batches dropped since the queue was made, because it was full.</param>
/// <param name="Rejected">Batches set aside because the collector refused them for good.</param>
internal readonly record struct QueueReport(long Batches, long Bytes, UnixMillis? Oldest, long Dropped, long Rejected);
