namespace Lm.PromQL;

/// <summary>Samples and time of one query: counts what it holds, and ends it at the limit.</summary>
/// <remarks>Samples are counted as Prometheus counts them, so that its limits and statistics mean the same here. One query, one thread.</remarks>
internal sealed class QueryBudget(long samplesMax, CancellationToken ending)
{
    /// <summary>Operations between two looks at the clock: well below a millisecond's work.</summary>
    private const long WorkBetweenChecks = 50_000;

    private const long PlacesAlwaysAllowed = 131_072;

    private long work;

    /// <summary>Samples held now.</summary>
    public long Held { get; private set; }

    /// <summary>Most samples ever held.</summary>
    public long Peak { get; private set; }

    /// <summary>Samples that selectors gave; set back where a subquery's steps stand for what they were made of.</summary>
    public long Total { get; set; }

    /// <summary>Series that selectors found.</summary>
    public int Series { get; set; }

    /// <summary>Ends when the query's time is over or its caller gave up.</summary>
    public CancellationToken Ending => ending;

    /// <summary>Takes samples in.</summary>
    public void Hold(long samples)
    {
        Held += samples;
        NotePeak(0);
    }

    /// <summary>Gives samples back.</summary>
    public void Release(long samples) => Held -= samples;

    /// <summary>Notes samples that are held for a moment only.</summary>
    public void NotePeak(long moment)
    {
        Peak = Math.Max(Peak, Held + moment);
        if (Held + moment > samplesMax)
        {
            throw new QueryException(QueryFault.TooManySamples, "query processing would load too many samples into memory in query execution");
        }
    }

    /// <summary>Refuses room for a grid that the limit can never allow, before it is allocated.</summary>
    /// <remarks>A place without a sample costs 8 bytes, half of what Prometheus takes for a sample: twice the limit is the same memory. A megabyte is
    /// always allowed, since a query of few samples may have many steps.</remarks>
    public void CheckRoom(long places)
    {
        if (places > Math.Min((2 * samplesMax) + PlacesAlwaysAllowed, Array.MaxLength))
        {
            NotePeak(samplesMax + 1);
        }
    }

    /// <summary>Counts samples that a selector gave.</summary>
    public void Count(long samples) => Total += samples;

    /// <summary>Counts operations, and looks whether the query should end every now and then.</summary>
    public void Work(long operations)
    {
        work += operations;
        if (work >= WorkBetweenChecks)
        {
            work = 0;
            ending.ThrowIfCancellationRequested();
        }
    }
}
