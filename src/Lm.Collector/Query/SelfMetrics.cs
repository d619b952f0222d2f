using System.Buffers;
using System.Globalization;
using System.Text;
using Lm.Collector.Listeners;
using Lm.Collector.Series;
using Lm.Platform;

namespace Lm.Collector.Query;

/// <summary><c>/metrics</c>: the collector's own metrics in Prometheus' text format.</summary>
internal sealed class SelfMetrics(TimeProvider time, params IReadOnlyList<Func<IEnumerable<CollectorMetric>>> sources)
{
    private readonly long startedMs = UnixMillis.Now(time).Value;

    /// <summary>Answers one request.</summary>
    public async Task HandleAsync(HttpContext context)
    {
        var body = new ArrayBufferWriter<byte>(8192);
        Write(body, sources.SelectMany(source => source()).Concat(OfProcess()));
        context.Response.ContentType = "text/plain; version=0.0.4; charset=utf-8";
        context.Response.ContentLength = body.WrittenCount;
        await context.Response.Body.WriteAsync(body.WrittenMemory, context.RequestAborted);
    }

    /// <summary>Writes metrics; values of one name must follow each other.</summary>
    public static void Write(IBufferWriter<byte> body, IEnumerable<CollectorMetric> metrics)
    {
        var text = new StringBuilder(8192);
        var last = "";
        Span<byte> number = stackalloc byte[PromNumber.BytesMax];
        foreach (var metric in metrics)
        {
            if (metric.Name != last)
            {
                last = metric.Name;
                text.Append(CultureInfo.InvariantCulture, $"# HELP {metric.Name} {metric.Help.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal)}\n");
                text.Append(CultureInfo.InvariantCulture, $"# TYPE {metric.Name} {(metric.IsCounter ? "counter" : "gauge")}\n");
            }

            text.Append(metric.Name);
            if (metric.Labels.Length > 0)
            {
                text.Append('{').Append(metric.Labels).Append('}');
            }

            text.Append(' ').Append(Encoding.ASCII.GetString(number[..PromNumber.FormatValue(metric.Value, number)])).Append('\n');
        }

        Encoding.UTF8.GetBytes(text.ToString(), body);
    }

    private IEnumerable<CollectorMetric> OfProcess()
    {
        yield return new CollectorMetric("process_cpu_seconds_total", "User and system CPU time of this process.", true, "", Environment.CpuUsage.TotalTime.TotalSeconds);
        yield return new CollectorMetric("process_resident_memory_bytes", "Resident memory of this process.", false, "", Environment.WorkingSet);
        yield return new CollectorMetric("process_start_time_seconds", "When this process started, Unix seconds.", false, "", startedMs / 1000.0);
        yield return new CollectorMetric("lm_collector_allocated_bytes_total", "Managed memory allocated.", true, "", GC.GetTotalAllocatedBytes());
        for (var generation = 0; generation <= GC.MaxGeneration; generation++)
        {
            yield return new CollectorMetric("lm_collector_gc_collections_total", "Garbage collections, those of older generations counted in each younger one, too.", true, $"generation=\"{generation}\"", GC.CollectionCount(generation));
        }

        yield return new CollectorMetric("lm_collector_gc_pause_seconds_total", "Time for which garbage collections stopped everything.", true, "", GC.GetTotalPauseDuration().TotalSeconds);
        yield return new CollectorMetric("lm_collector_managed_heap_bytes", "Managed memory after the last collection.", false, "", GC.GetGCMemoryInfo().HeapSizeBytes);
    }
}
