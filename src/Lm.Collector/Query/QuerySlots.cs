using Lm.PromQL;

namespace Lm.Collector.Query;

/// <summary>How many queries run at once.</summary>
internal sealed class QuerySlots : IDisposable
{
    /// <summary>Queries that run at once, as Prometheus' default has it; further ones wait within their timeout.</summary>
    public const int ConcurrentMax = 20;

    /// <summary>Queries that may wait; further ones are refused at once.</summary>
    public const int WaitingMax = 200;

    // More share less each: the selection, sums and the answer are one thread's work.
    private const int WorkersMax = 7;

    private readonly SemaphoreSlim slots = new(ConcurrentMax);
    private int waiting;

    /// <summary>Threads beside their own that all queries share: every core works for one that runs alone, and many at once do not get in each other's way.</summary>
    public QueryWorkers Workers { get; } = new(Math.Min(Environment.ProcessorCount - 1, WorkersMax));

    /// <summary>Waits for a slot. Dispose what it gives to free it.</summary>
    /// <exception cref="QueryException">There were too many, or the time was over before one was free.</exception>
    public async ValueTask<Slot> EnterAsync(CancellationToken timedOut, CancellationToken cancellationToken)
    {
        if (await slots.WaitAsync(0, cancellationToken))
        {
            return new Slot(slots);
        }

        try
        {
            if (Interlocked.Increment(ref waiting) > WaitingMax)
            {
                throw new QueryException(QueryFault.Timeout, $"too many queries: {ConcurrentMax} run and {WaitingMax} wait; try again later");
            }

            using var both = CancellationTokenSource.CreateLinkedTokenSource(timedOut, cancellationToken);
            await slots.WaitAsync(both.Token);
            return new Slot(slots);
        }
        catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
        {
            throw new QueryException(QueryFault.Timeout, "query timed out in query queue", exception);
        }
        finally
        {
            Interlocked.Decrement(ref waiting);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => slots.Dispose();

    /// <summary>The right to run one query.</summary>
    internal readonly struct Slot(SemaphoreSlim slots) : IDisposable
    {
        /// <inheritdoc/>
        public void Dispose() => slots.Release();
    }
}
