using Lm.Platform;

namespace Lm.Agent.Queue;

/// <summary>The batches that were appended last, in memory: a heartbeat and one of log lines, which are sent without being read back.</summary>
internal sealed class FreshBatch(QueueState state)
{
    /// <summary>So many holes the numbers done with may have for log lines still to be sent ahead of a backlog: each one sent makes another, and a
    /// collector takes 4,096 (D6).</summary>
    public const int HolesMax = 1000;

    // All guarded by the state's gate.
    private QueuedBatch? heartbeat;
    private QueuedBatch? logs;
    private (BatchNumber Number, UnixMillis CollectedAt) latest;

    /// <summary>Whether a batch of log lines would be handed out ahead of older ones. The caller holds the state's gate.</summary>
    public bool TakesLogs => state.Done.RangeCount < HolesMax;

    public void Put(QueuedBatch batch, bool isLogs)
    {
        lock (state.Gate)
        {
            if (isLogs)
            {
                logs = batch;
            }
            else
            {
                heartbeat = batch;
            }

            latest = (batch.Number, batch.CollectedAt);
        }
    }

    /// <summary>Hands one out, once, the heartbeat first: current values come before lines. Null when none is left that was not handed out, is done with or
    /// of an earlier queue id.</summary>
    public QueuedBatch? Take()
    {
        lock (state.Gate)
        {
            var (first, second) = (heartbeat, logs);
            heartbeat = null;
            if (first is not null && state.IsWaiting(first.Number))
            {
                return first;
            }

            logs = null;
            return second is not null && state.IsWaiting(second.Number) ? second : null;
        }
    }

    /// <summary>When it was collected; null when it does not wait. The caller holds the state's gate.</summary>
    public UnixMillis? CollectedAtOfWaiting => state.IsWaiting(latest.Number) ? latest.CollectedAt : null;
}
