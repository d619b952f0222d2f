using Lm.Journal;
using Lm.Platform;

namespace Lm.Agent.Queue;

/// <summary>A batch that is durable in the queue.</summary>
/// <param name="Number">Its number.</param>
/// <param name="Position">Where its record stands.</param>
/// <param name="Next">Where the record behind it stands.</param>
/// <param name="CollectedAt">When it was collected.</param>
/// <param name="Frame">Its bytes.</param>
internal sealed record QueuedBatch(BatchNumber Number, JournalPosition Position, JournalPosition Next, UnixMillis CollectedAt, ReadOnlyMemory<byte> Frame);
