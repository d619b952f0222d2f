using Lm.Collector.Listeners;

namespace Lm.Collector.Series;

/// <summary>Metrics of the series store.</summary>
internal static class SeriesMetrics
{
    /// <summary>Their values now.</summary>
    public static IEnumerable<CollectorMetric> Collect(ISeriesStore store)
    {
        var now = store.Statistics();
        yield return new CollectorMetric("lm_collector_series", "Series in memory.", false, "", now.Series);
        yield return new CollectorMetric("lm_collector_samples", "Samples in memory.", false, "", now.Samples);
        yield return new CollectorMetric("lm_collector_sample_bytes", "Memory that the samples take.", false, "", now.SampleBytes);
        yield return new CollectorMetric("lm_collector_metric_names", "Metric names whose type, unit and help are known.", false, "", now.Metrics);
        yield return new CollectorMetric("lm_collector_samples_added_total", "Samples stored.", true, "", now.SamplesAdded);
        yield return new CollectorMetric("lm_collector_samples_repeated_total", "Samples left out because the same value was stored for their time.", true, "", now.SamplesRepeated);
        yield return new CollectorMetric("lm_collector_samples_conflicting_total", "Samples left out because another value was stored for their time.", true, "", now.SamplesConflicting);
        yield return new CollectorMetric("lm_collector_samples_evicted_total", "Samples forgotten because memory holds no more.", true, "", now.SamplesEvicted);
        yield return new CollectorMetric("lm_collector_series_evicted_total", "Series forgotten because memory holds no more, or because all their samples were.", true, "", now.SeriesEvicted);
        if (now.Oldest is { } oldest)
        {
            yield return new CollectorMetric("lm_collector_oldest_sample_timestamp_seconds", "Time of the oldest sample in memory, Unix seconds.", false, "", oldest.Value / 1000.0);
        }
    }
}
