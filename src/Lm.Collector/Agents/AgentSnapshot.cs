using Lm.Platform;
using Lm.Protocol;

namespace Lm.Collector.Agents;

/// <summary>One agent at one moment. Counters are since the collector started; accepted batches include those read back from the spool.</summary>
internal sealed record AgentSnapshot
{
    /// <summary>Its name.</summary>
    public required string AgentId { get; init; }

    /// <summary>Whether its batches arrive on time.</summary>
    public required AgentState State { get; init; }

    /// <summary>Its last request with a valid token; null when there was none.</summary>
    public UnixMillis? LastSeen { get; init; }

    /// <summary>How long ago that was, by a clock that nobody sets.</summary>
    public TimeSpan? LastSeenAge { get; init; }

    /// <summary>When its last batch came; null when none did.</summary>
    public UnixMillis? LastBatch { get; init; }

    /// <summary>Its program's version; empty when not said.</summary>
    public string Version { get; init; } = "";

    /// <summary>Its interval, milliseconds; 0 when not known.</summary>
    public int IntervalMs { get; init; }

    /// <summary>The collector's clock minus the agent's, transport included; null when not said.</summary>
    public long? ClockSkewMs { get; init; }

    /// <summary>Whether that, said not long ago, is more than the clocks may differ (C26).</summary>
    public bool IsClockSuspect { get; init; }

    /// <summary>What it last said about its queue.</summary>
    public QueueReport? Queue { get; init; }

    /// <summary>Whether batches wait there that are older than two intervals: history is still on its way.</summary>
    public bool HasBacklog { get; init; }

    /// <summary>Batches accepted.</summary>
    public long Accepted { get; init; }

    /// <summary>Batches that were accepted already.</summary>
    public long Duplicates { get; init; }

    /// <summary>Samples and log records left out as too old.</summary>
    public long DroppedTooOld { get; init; }

    /// <summary>Series and log records left out for a per-record limit.</summary>
    public long DroppedOverLimit { get; init; }

    /// <summary>Batches not taken, by problem code.</summary>
    public IReadOnlyList<KeyValuePair<string, long>> Refused { get; init; } = [];

    /// <summary>Batches accepted from each of its queues.</summary>
    public IReadOnlyDictionary<QueueId, long> AcceptedByQueue { get; init; } = new Dictionary<QueueId, long>();

    /// <summary>An agent that has a token and has not been heard of.</summary>
    public static AgentSnapshot Unseen(string agentId) => new() { AgentId = agentId, State = AgentState.Unseen };
}
