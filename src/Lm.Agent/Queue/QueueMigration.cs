using Lm.Protocol;
using Microsoft.Extensions.Logging;

namespace Lm.Agent.Queue;

/// <summary>Queues the batches of earlier queue ids again under the current one. May be stopped and repeated at any point:
/// each new record names the batch that it takes the place of.</summary>
internal sealed class QueueMigration(Journal.Journal journal, QueueState state, QueueWriter writer, BatchRemoval removal, string directory, ILogger logger)
{
    /// <summary>Queues all of them.</summary>
    /// <returns>False when some could not be stored; try again later.</returns>
    public async Task<bool> RunAsync(CancellationToken cancellationToken)
    {
        var count = 0L;
        foreach (var record in journal.Read())
        {
            if (!QueueRecordCodec.TryDecode(record.Payload, out var head, out var frame) || !IsForeign(head))
            {
                continue;
            }

            var (isStored, fault) = await writer.AppendAgainAsync(head, frame, cancellationToken);
            if (!isStored && (fault.Length == 0
                || !removal.TryReject(new QueuedBatch(head.Number, record.Position, record.Next, head.CollectedAt, frame), ProblemCode.MalformedFrame, fault)))
            {
                return false;
            }

            count++;
        }

        lock (state.Gate)
        {
            state.UpdateNeedsMigration();
        }

        QueueLog.Migrated(logger, directory, count);
        return true;
    }

    private bool IsForeign(QueueRecord head)
    {
        lock (state.Gate)
        {
            return head.Kind == QueueRecordKind.Batch && head.Number.Generation < state.Generation && !state.Done.Contains(head.Number);
        }
    }
}
