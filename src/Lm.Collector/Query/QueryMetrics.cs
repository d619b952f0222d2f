using Lm.Collector.Listeners;

namespace Lm.Collector.Query;

/// <summary>Counters of the query endpoint.</summary>
internal sealed class QueryMetrics
{
    private static readonly string[] Kinds = ["success", "bad_data", "execution", "timeout"];

    private readonly long[] answered = new long[Kinds.Length];
    private long samplesRead;
    private long microseconds;

    /// <summary>Counts one answer.</summary>
    /// <param name="errorType">Its error type; null for success.</param>
    /// <param name="elapsed">How long it took.</param>
    public void Answered(string? errorType, TimeSpan elapsed)
    {
        var kind = Math.Max(0, Array.IndexOf(Kinds, errorType ?? "success"));
        Interlocked.Increment(ref answered[kind]);
        Interlocked.Add(ref microseconds, (long)elapsed.TotalMicroseconds);
    }

    /// <summary>Counts samples copied for an answer.</summary>
    public void Read(long samples) => Interlocked.Add(ref samplesRead, samples);

    /// <summary>The counters now.</summary>
    public IEnumerable<CollectorMetric> Collect()
    {
        for (var i = 0; i < Kinds.Length; i++)
        {
            yield return new CollectorMetric("lm_collector_queries_total", "Queries answered, by how they ended.", true,
                $"result=\"{Kinds[i]}\"", Interlocked.Read(ref answered[i]));
        }

        yield return new CollectorMetric("lm_collector_query_seconds_total", "Time spent answering queries, waiting included.", true, "",
            Interlocked.Read(ref microseconds) / 1e6);
        yield return new CollectorMetric("lm_collector_query_samples_read_total", "Samples copied from the store for queries.", true, "",
            Interlocked.Read(ref samplesRead));
    }
}
