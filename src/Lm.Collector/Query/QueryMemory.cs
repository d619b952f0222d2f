namespace Lm.Collector.Query;

/// <summary>Gives back to the machine what large queries took. By itself the runtime keeps it until enough is allocated anew, which beside quiet ingest is hours.</summary>
/// <remarks>A second after a large query has ended everything is collected, which stops all threads for a moment, the longer the more series there are; after that not
/// again for a while. What counts as large is what the whole program allocated meanwhile: a query's own is not known, and ingest allocates next to nothing.</remarks>
/// <param name="time">The clock.</param>
/// <param name="collect">Collects.</param>
internal sealed class QueryMemory(TimeProvider time, Action collect) : IDisposable
{
    /// <summary>Bytes that a query must have allocated.</summary>
    public const long LargeBytes = 128L << 20;

    /// <summary>Between a large query's end and the collection: others may end meanwhile.</summary>
    public static readonly TimeSpan Delay = TimeSpan.FromSeconds(1);

    /// <summary>Between two collections at least.</summary>
    public static readonly TimeSpan Spacing = TimeSpan.FromSeconds(15);

    private readonly CancellationTokenSource stopping = new();
    private readonly Lock gate = new(); // guards isAsked and returning
    private bool isAsked;
    private Task returning = Task.CompletedTask;

    /// <summary>The memory of a running program.</summary>
    public QueryMemory(TimeProvider time)
        : this(time, static () => GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true))
    {
    }

    /// <summary>Notes that a query begins; what it gives is to be disposed of when it has ended and was answered.</summary>
    public Use Begin() => new(this, GC.GetTotalAllocatedBytes());

    /// <summary>Notes that a large query has ended.</summary>
    public void Ask()
    {
        lock (gate)
        {
            isAsked = true;
            if (returning.IsCompleted && !stopping.IsCancellationRequested)
            {
                returning = ReturnAsync();
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (gate)
        {
            stopping.Cancel();
        }

        stopping.Dispose();
    }

    private async Task ReturnAsync()
    {
        try
        {
            while (true)
            {
                await Task.Delay(Delay, time, stopping.Token).ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
                lock (gate)
                {
                    isAsked = false;
                }

                collect();
                await Task.Delay(Spacing - Delay, time, stopping.Token);
                lock (gate)
                {
                    if (!isAsked)
                    {
                        returning = Task.CompletedTask;
                        return;
                    }
                }
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // That is how it ends.
        }
    }

    /// <summary>A query that runs.</summary>
    internal readonly struct Use(QueryMemory memory, long before) : IDisposable
    {
        /// <inheritdoc/>
        public void Dispose()
        {
            if (GC.GetTotalAllocatedBytes() - before > LargeBytes)
            {
                memory.Ask();
            }
        }
    }
}
