using Lm.Platform;

namespace Lm.Agent.Queue;

/// <summary>The batch that was appended last, in memory: it is sent without being read back.</summary>
internal sealed class FreshBatch(QueueState state)
{
    // Both guarded by the state's gate.
    private QueuedBatch? untaken;
    private (BatchNumber Number, UnixMillis CollectedAt) latest;

    public void Put(QueuedBatch batch)
    {
        lock (state.Gate)
        {
            untaken = batch;
            latest = (batch.Number, batch.CollectedAt);
        }
    }

    /// <summary>Hands it out, once; null when it was, is done with or is of an earlier queue id.</summary>
    public QueuedBatch? Take()
    {
        lock (state.Gate)
        {
            var taken = untaken;
            untaken = null;
            return taken is not null && state.IsWaiting(taken.Number) ? taken : null;
        }
    }

    /// <summary>When it was collected; null when it does not wait. The caller holds the state's gate.</summary>
    public UnixMillis? CollectedAtOfWaiting => state.IsWaiting(latest.Number) ? latest.CollectedAt : null;
}
