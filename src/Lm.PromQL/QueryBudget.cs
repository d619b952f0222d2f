using System.Diagnostics.CodeAnalysis;

namespace Lm.PromQL;

/// <summary>Samples and time of one query: counts what it holds, and ends it at the limit.</summary>
/// <remarks>Samples are counted as Prometheus counts them, so that its limits and statistics mean the same here. One query, one thread: what helpers did is
/// counted when they are done.</remarks>
internal sealed class QueryBudget(long samplesMax, CancellationToken ending)
{
    private const long PlacesAlwaysAllowed = 131_072;

    /// <summary>The operations of the query's own thread.</summary>
    public WorkMeter Meter { get; } = new(ending);

    /// <summary>Samples held now.</summary>
    public long Held { get; private set; }

    /// <summary>Most samples ever held.</summary>
    public long Peak { get; private set; }

    /// <summary>Samples that selectors gave; set back where a subquery's steps stand for what they were made of.</summary>
    public long Total { get; set; }

    /// <summary>Series that selectors found.</summary>
    public int Series { get; set; }

    /// <summary>How many more samples may be held.</summary>
    public long Room => samplesMax - Held;

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
            Refuse();
        }
    }

    /// <summary>Ends the query since it would hold too much.</summary>
    [DoesNotReturn]
    public static void Refuse() =>
        throw new QueryException(QueryFault.TooManySamples, "query processing would load too many samples into memory in query execution");

    /// <summary>Refuses room for a grid that the limit can never allow, before it is allocated.</summary>
    /// <remarks>A place without a sample costs 8 bytes, half of what Prometheus takes for a sample: twice the limit is the same memory. A megabyte is
    /// always allowed, since a query of few samples may have many steps.</remarks>
    public void CheckRoom(long places)
    {
        if (places > Math.Min((2 * samplesMax) + PlacesAlwaysAllowed, Array.MaxLength))
        {
            Refuse();
        }
    }

    /// <summary>Counts samples that a selector gave.</summary>
    public void Count(long samples) => Total += samples;

    /// <summary>Counts operations of the query's own thread, and looks whether the query should end every now and then.</summary>
    public void Work(long operations) => Meter.Add(operations);
}
