namespace Lm.Collector.Spool;

/// <summary>Counts what was committed and what the consumers have applied, and lets readers wait for the one to reach the other.</summary>
internal sealed class SpoolProgress
{
    private readonly Lock gate = new(); // guards waiters and lastTarget
    private readonly Queue<Waiter> waiters = []; // by target, ascending: targets only grow
    private long lastTarget;
    private long committed;
    private long applied;

    /// <summary>Batches committed and not yet applied.</summary>
    public long Behind => Interlocked.Read(ref committed) - Interlocked.Read(ref applied);

    /// <summary>One more is committed.</summary>
    public void Committed() => Interlocked.Increment(ref committed);

    /// <summary>One more is applied.</summary>
    public void Applied()
    {
        var done = Interlocked.Increment(ref applied);
        lock (gate)
        {
            while (waiters.TryPeek(out var first) && first.Target <= done)
            {
                waiters.Dequeue().Reached.TrySetResult();
            }
        }
    }

    /// <summary>Completes when everything committed by now is applied.</summary>
    public ValueTask WaitAsync(CancellationToken cancellationToken)
    {
        var target = Interlocked.Read(ref committed);
        if (Interlocked.Read(ref applied) >= target)
        {
            return ValueTask.CompletedTask;
        }

        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (gate)
        {
            // Looked at again under the lock: the last one may have been applied in between, and nobody would come by again.
            if (Interlocked.Read(ref applied) >= target)
            {
                return ValueTask.CompletedTask;
            }

            lastTarget = Math.Max(target, lastTarget); // read before the lock, so two may come in the wrong order
            waiters.Enqueue(new Waiter(lastTarget, reached));
        }

        return new ValueTask(reached.Task.WaitAsync(cancellationToken));
    }

    private readonly record struct Waiter(long Target, TaskCompletionSource Reached);
}
