using Lm.Platform;
using Lm.Protocol;

namespace Lm.Agent.Queue;

/// <summary>The queue as a request's headers tell it.</summary>
/// <param name="Batches">Batches that are not done with.</param>
/// <param name="SizeBytes">The journal's bytes on disk.</param>
/// <param name="Oldest">When the oldest of them was collected; null when there is none.</param>
/// <param name="Floor">The lowest sequence that may still be sent under the current id.</param>
/// <param name="Counters">What was given up.</param>
/// <param name="QueueId">The current id.</param>
internal readonly record struct QueueStatus(
    ulong Batches, long SizeBytes, UnixMillis? Oldest, ulong Floor, QueueCounters Counters, QueueId QueueId);
