using Lm.Protocol;

namespace Lm.Agent.Events;

/// <summary>What the agent tells of its events with each heartbeat.</summary>
internal static class EventMetrics
{
    private const int SeriesCount = 3;

    private static readonly MetricDescriptor Events = new("lmagent_events_total", MetricType.Counter, "",
        "Events made into log records of the input events.");

    private static readonly MetricDescriptor Dropped = new("lmagent_events_dropped_total", MetricType.Counter, "",
        "Events for which there was no room while the queue took none.");

    private static readonly MetricDescriptor Directories = new("lmagent_watch_directories", MetricType.Gauge, "",
        "Directories that [[watch]] watches.");

    /// <summary>Adds the series, where there is room for them.</summary>
    /// <returns>How many.</returns>
    public static int AddTo(ISampleSink sink, EventSource events, int seriesMax)
    {
        if (seriesMax < SeriesCount)
        {
            return 0;
        }

        sink.Add(Events, [], events.RecordCount);
        sink.Add(Dropped, [], events.DroppedCount);
        sink.Add(Directories, [], events.Watches?.DirectoryCount ?? 0);
        return SeriesCount;
    }
}
