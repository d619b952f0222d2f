using Lm.Journal;
using Lm.Platform;
using Lm.Platform.Files;

namespace Lm.Agent.Queue;

/// <summary>Reads what waits, oldest first.</summary>
internal sealed class QueueReader(Journal.Journal journal, QueueState state, FreshBatch fresh)
{
    // Guarded by the state's gate.
    private (BatchNumber Number, JournalPosition Position, UnixMillis CollectedAt) oldest;

    /// <summary>Reads batches that wait, oldest first, from a position on.</summary>
    /// <param name="from">Where to begin; <c>default</c> for the oldest.</param>
    /// <param name="countMax">How many at most.</param>
    /// <param name="bytesMax">How many bytes of frames at most; one larger frame still comes alone.</param>
    /// <param name="isSkipped">Batches to pass over.</param>
    /// <param name="next">Where to go on after the last one returned.</param>
    public List<QueuedBatch> Read(JournalPosition from, int countMax, long bytesMax, Func<BatchNumber, bool> isSkipped, out JournalPosition next)
    {
        var batches = new List<QueuedBatch>();
        var bytes = 0L;
        next = from;
        try
        {
            foreach (var record in journal.Read(from))
            {
                if (QueueRecordCodec.TryDecode(record.Payload, out var head, out var frame) && IsSendable(head) && !isSkipped(head.Number))
                {
                    if (batches.Count > 0 && (batches.Count >= countMax || bytes + frame.Length > bytesMax))
                    {
                        return batches;
                    }

                    batches.Add(new QueuedBatch(head.Number, record.Position, record.Next, head.CollectedAt, frame.ToArray()));
                    bytes += frame.Length;
                }

                next = record.Next;
            }
        }
        catch (FileNotFoundException)
        {
            // The segment was dropped for room meanwhile; what is left begins at the oldest one.
            next = default;
        }
        catch (FileSystemException failure) when (failure.IsNotFound)
        {
            next = default;
        }

        return batches;
    }

    /// <summary>When the oldest batch that waits was collected. Looks on from where it was found last, so that draining a backlog
    /// reads each record once more, not the whole segment each time.</summary>
    public UnixMillis? FindOldest()
    {
        JournalPosition from;
        lock (state.Gate)
        {
            if (state.WaitingCount == 0)
            {
                return null;
            }

            if (state.WaitingCount == 1 && fresh.CollectedAtOfWaiting is { } collectedAt)
            {
                return collectedAt;
            }

            if (oldest.Number.Sequence > 0 && state.IsWaiting(oldest.Number))
            {
                return oldest.CollectedAt;
            }

            from = oldest.Number.Generation == state.Generation && oldest.Position.Segment >= state.Segments[0].Number ? oldest.Position : default;
        }

        var found = Read(from, 1, 0, _ => false, out _);
        lock (state.Gate)
        {
            if (found.Count > 0)
            {
                oldest = (found[0].Number, found[0].Position, found[0].CollectedAt);
            }
        }

        return found.Count > 0 ? found[0].CollectedAt : null;
    }

    private bool IsSendable(QueueRecord head)
    {
        lock (state.Gate)
        {
            return head.Kind == QueueRecordKind.Batch && state.IsWaiting(head.Number);
        }
    }
}
