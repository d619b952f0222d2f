using Lm.Platform.Files;
using Lm.Protocol;
using Microsoft.Extensions.Logging;

namespace Lm.Agent.Queue;

/// <summary>The two ways out of the queue by the collector's word: taken, or refused for good.</summary>
internal sealed class BatchRemoval(QueueState state, QueueRoom room, RejectedBatches rejected, string directory, ILogger logger)
{
    /// <summary>The collector has the batch, or will never take it: it is not sent again.</summary>
    public void Acknowledge(BatchNumber batch)
    {
        lock (state.Gate)
        {
            if (!state.MarkDone(batch))
            {
                return;
            }
        }

        room.DeleteFinished();
    }

    /// <summary>Sets a refused batch aside in <c>rejected/</c> and goes on without it.</summary>
    /// <returns>False when it could not be set aside: it stays in the queue.</returns>
    public bool TryReject(QueuedBatch batch, string code, string detail)
    {
        QueueId queueId;
        lock (state.Gate)
        {
            queueId = state.QueueId;
        }

        string path;
        int deleted;
        try
        {
            path = rejected.Store(queueId, batch.Number, code, batch.Frame.Span, out deleted);
        }
        catch (FileSystemException failure)
        {
            QueueLog.ReadFails(logger, directory, failure.Message);
            return false;
        }

        lock (state.Gate)
        {
            var counters = state.Counters;
            state.Counters = counters with { Rejected = counters.Rejected + 1, RejectedDeleted = counters.RejectedDeleted + (ulong)deleted };
        }

        QueueLog.Rejected(logger, batch.Number.Sequence, code, detail, path);
        if (deleted > 0)
        {
            QueueLog.RejectedRemoved(logger, directory, deleted, RejectedBatches.CountMax, RejectedBatches.BytesMax);
        }

        Acknowledge(batch.Number);
        return true;
    }
}
