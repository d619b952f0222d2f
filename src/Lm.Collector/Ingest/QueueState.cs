using Lm.Platform;
using Lm.Protocol;

namespace Lm.Collector.Ingest;

/// <summary>What the sequence ledger knows about one queue of an agent: a snapshot for people.</summary>
/// <param name="AgentId">The agent.</param>
/// <param name="QueueId">Its queue.</param>
/// <param name="Highest">The highest accepted sequence.</param>
/// <param name="Floor">The lowest sequence that the agent may still send; everything below is final.</param>
/// <param name="Gaps">Sequences below the floor that never came and never will.</param>
/// <param name="Missing">Sequences between floor and highest that have not come yet.</param>
/// <param name="Intervals">Intervals of accepted sequences: 1 when nothing is missing.</param>
/// <param name="LastReceivedAt">When its last accepted batch came.</param>
internal sealed record QueueState(
    string AgentId, QueueId QueueId, ulong Highest, ulong Floor, ulong Gaps, ulong Missing, int Intervals, UnixMillis LastReceivedAt);
