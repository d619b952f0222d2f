using Lm.Collector.Listeners;
using Lm.Logs;

namespace Lm.Collector.Query;

/// <summary>Counters of log queries.</summary>
internal sealed class LogQueryMetrics
{
    private static readonly string[] Kinds = ["success", "bad_data", "execution", "timeout", "unavailable"];

    private readonly long[] answered = new long[Kinds.Length];
    private long microseconds;
    private long lines;
    private long bytes;
    private long framesRead;
    private long framesSkipped;
    private long framesDamaged;

    /// <summary>Counts one answer.</summary>
    /// <param name="errorType">Its error type; null for success.</param>
    /// <param name="elapsed">How long it took.</param>
    public void Answered(string? errorType, TimeSpan elapsed)
    {
        var kind = Math.Max(0, Array.IndexOf(Kinds, errorType ?? "success"));
        Interlocked.Increment(ref answered[kind]);
        Interlocked.Add(ref microseconds, (long)elapsed.TotalMicroseconds);
    }

    /// <summary>Counts what a query read.</summary>
    public void Read(LogScanStatistics statistics)
    {
        Interlocked.Add(ref lines, statistics.LinesRead);
        Interlocked.Add(ref bytes, statistics.BytesRead);
        Interlocked.Add(ref framesRead, statistics.FramesRead);
        Interlocked.Add(ref framesSkipped, statistics.FramesSkipped);
        Interlocked.Add(ref framesDamaged, statistics.FramesDamaged);
    }

    /// <summary>The counters now.</summary>
    public IEnumerable<CollectorMetric> Collect()
    {
        for (var i = 0; i < Kinds.Length; i++)
        {
            yield return new CollectorMetric("lm_collector_log_queries_total", "Log queries answered, by how they ended.", true,
                $"result=\"{Kinds[i]}\"", Interlocked.Read(ref answered[i]));
        }

        yield return new CollectorMetric("lm_collector_log_query_seconds_total", "Time spent answering log queries, waiting included.", true, "",
            Interlocked.Read(ref microseconds) / 1e6);
        yield return new CollectorMetric("lm_collector_log_query_lines_read_total", "Stored lines that log queries looked at.", true, "", Interlocked.Read(ref lines));
        yield return new CollectorMetric("lm_collector_log_query_bytes_read_total", "Bytes of stored lines that log queries decompressed.", true, "", Interlocked.Read(ref bytes));
        const string frames = "Frames of stored lines in the time range of log queries, by what became of them.";
        yield return new CollectorMetric("lm_collector_log_query_frames_total", frames, true, "result=\"read\"", Interlocked.Read(ref framesRead));
        yield return new CollectorMetric("lm_collector_log_query_frames_total", frames, true, "result=\"skipped\"", Interlocked.Read(ref framesSkipped));
        yield return new CollectorMetric("lm_collector_log_query_frames_total", frames, true, "result=\"damaged\"", Interlocked.Read(ref framesDamaged));
    }
}
