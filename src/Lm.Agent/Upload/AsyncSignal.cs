namespace Lm.Agent.Upload;

/// <summary>Wakes one waiter, now or the next time it waits.</summary>
internal sealed class AsyncSignal : IDisposable
{
    private readonly SemaphoreSlim semaphore = new(0, 1);
    private readonly Lock gate = new(); // makes Set's look and release one step

    public void Set()
    {
        lock (gate)
        {
            if (semaphore.CurrentCount == 0)
            {
                semaphore.Release();
            }
        }
    }

    /// <summary>Returns when the signal is set.</summary>
    public Task WaitAsync(CancellationToken cancellationToken) => semaphore.WaitAsync(cancellationToken);

    /// <summary>Returns when the signal is set, or after <paramref name="timeout"/> at the latest.</summary>
    public async Task WaitAsync(TimeSpan timeout, TimeProvider time, CancellationToken cancellationToken)
    {
        await using var timer = time.CreateTimer(_ => Set(), null, timeout, Timeout.InfiniteTimeSpan);
        await semaphore.WaitAsync(cancellationToken);
    }

    public void Dispose() => semaphore.Dispose();
}
