namespace Lm.PromQL;

/// <summary>Threads that queries over many series may use beside their own: so many for all queries together, taken from the pool while they last.</summary>
/// <remarks>Answers, statistics and refusals are those of one thread. Safe for concurrent use.</remarks>
/// <param name="count">How many at a time; 0 for none.</param>
public sealed class QueryWorkers(int count)
{
    private int free = count;

    /// <summary>Takes some of those that are free.</summary>
    /// <param name="wanted">How many at most.</param>
    /// <returns>How many it got, to be given back.</returns>
    internal int Take(int wanted)
    {
        var seen = Volatile.Read(ref free);
        while (true)
        {
            var taken = Math.Min(seen, wanted);
            if (taken <= 0)
            {
                return 0;
            }

            var found = Interlocked.CompareExchange(ref free, seen - taken, seen);
            if (found == seen)
            {
                return taken;
            }

            seen = found;
        }
    }

    /// <summary>Gives some back.</summary>
    internal void Return(int taken) => Interlocked.Add(ref free, taken);
}
