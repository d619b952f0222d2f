using Lm.Platform;

namespace Lm.Agent.Queue;

/// <summary>The batches that were appended last, in memory: those of the last tick and one of log lines, which are sent without being read back.</summary>
internal sealed class FreshBatch(QueueState state)
{
    /// <summary>So many holes the numbers done with may have for log lines still to be sent ahead of a backlog: each one sent makes another, and a
    /// collector takes 4,096 (D6).</summary>
    public const int HolesMax = 1000;

    // What a tick has beyond them is sent with the backlog.
    private const int TickBatchesMax = 16;

    // All guarded by the state's gate.
    private readonly Queue<QueuedBatch> tick = new();
    private UnixMillis tickAt;
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
                PutTick(batch);
            }

            latest = (batch.Number, batch.CollectedAt);
        }
    }

    /// <summary>Hands one out, once, those of the tick first, in their order: current values come before lines. Null when none is left that was not handed out, is done with or
    /// of an earlier queue id.</summary>
    public QueuedBatch? Take()
    {
        lock (state.Gate)
        {
            while (tick.TryDequeue(out var first))
            {
                if (state.IsWaiting(first.Number))
                {
                    return first;
                }
            }

            var second = logs;
            logs = null;
            return second is not null && state.IsWaiting(second.Number) ? second : null;
        }
    }

    // Values of an earlier tick are no current ones any more.
    private void PutTick(QueuedBatch batch)
    {
        if (tickAt != batch.CollectedAt)
        {
            tick.Clear();
            tickAt = batch.CollectedAt;
        }

        if (tick.Count < TickBatchesMax)
        {
            tick.Enqueue(batch);
        }
    }

    /// <summary>When it was collected; null when it does not wait. The caller holds the state's gate.</summary>
    public UnixMillis? CollectedAtOfWaiting => state.IsWaiting(latest.Number) ? latest.CollectedAt : null;
}
