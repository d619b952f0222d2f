using Lm.Collector.Console;
using Lm.Collector.Listeners;
using Lm.Collector.Live;

namespace Lm.Collector.Query;

/// <summary>Which paths are about stored lines, and who answers them.</summary>
internal sealed class LogRoutes
{
    private readonly LogEndpoint logs;
    private readonly LokiEndpoint loki;
    private readonly LokiVolume lokiVolume;
    private readonly LokiFields lokiFields;
    private readonly LokiTail lokiTail;
    private readonly LogQueryMetrics metrics = new();

    /// <summary>Wires the endpoints.</summary>
    public LogRoutes(PrivateServices services, QuerySlots slots, LiveHub live, RequestGuard guard)
    {
        var search = new LogSearch(services, slots, metrics);
        logs = new LogEndpoint(services, search);
        loki = new LokiEndpoint(services, search);
        lokiVolume = new LokiVolume(services, search);
        lokiFields = new LokiFields(services, search);
        lokiTail = new LokiTail(services, search, live, guard);
    }

    /// <summary>The counters now.</summary>
    public IEnumerable<CollectorMetric> Collect() => metrics.Collect();

    /// <summary>Who answers a path, and which methods it takes; null when nobody here does.</summary>
    public LogRoute? Find(string path)
    {
        if (TryName(path, "/api/v1/logs/label/", out var name))
        {
            return new LogRoute("GET", context => logs.ValuesAsync(context, name));
        }

        if (TryName(path, "/loki/api/v1/label/", out name))
        {
            return new LogRoute("GET, POST", context => loki.ValuesAsync(context, name));
        }

        if (TryName(path, "/loki/api/v1/detected_field/", out name))
        {
            return new LogRoute("GET, POST", context => lokiFields.ValuesAsync(context, name));
        }

        return path switch
        {
            "/api/v1/logs" => new LogRoute("GET, POST", logs.LogsAsync),
            "/api/v1/logs/labels" => new LogRoute("GET", logs.LabelsAsync),
            "/api/v1/logs/volume" => new LogRoute("GET, POST", logs.VolumeAsync),
            "/api/v1/logs/fields" => new LogRoute("GET, POST", logs.FieldsAsync),
            "/api/v1/logs/context" => new LogRoute("GET, POST", logs.ContextAsync),
            "/loki/api/v1/query_range" => new LogRoute("GET, POST", loki.QueryRangeAsync),
            "/loki/api/v1/query" => new LogRoute("GET, POST", loki.QueryAsync),
            "/loki/api/v1/labels" or "/loki/api/v1/label" => new LogRoute("GET, POST", loki.LabelsAsync),
            "/loki/api/v1/series" => new LogRoute("GET, POST", loki.SeriesAsync),
            "/loki/api/v1/index/stats" => new LogRoute("GET, POST", loki.StatisticsAsync),
            "/loki/api/v1/index/volume" => new LogRoute("GET, POST", lokiVolume.VolumeAsync),
            "/loki/api/v1/index/volume_range" => new LogRoute("GET, POST", lokiVolume.RangeAsync),
            "/loki/api/v1/detected_labels" => new LogRoute("GET, POST", lokiFields.LabelsAsync),
            "/loki/api/v1/detected_fields" => new LogRoute("GET, POST", lokiFields.FieldsAsync),
            "/loki/api/v1/tail" => new LogRoute("GET", lokiTail.HandleAsync),
            "/loki/api/v1/format_query" => new LogRoute("GET, POST", loki.FormatAsync),
            "/loki/api/v1/status/buildinfo" => new LogRoute("GET", LokiEndpoint.BuildInfoAsync),
            _ => null,
        };
    }

    // A label's name is in the path as the client escaped it; Kestrel has resolved that.
    private static bool TryName(string path, string folder, out string name)
    {
        const string values = "/values";
        var found = path.Length > folder.Length + values.Length && path.StartsWith(folder, StringComparison.Ordinal) && path.EndsWith(values, StringComparison.Ordinal);
        name = found ? path[folder.Length..^values.Length] : "";
        return found;
    }
}

/// <summary>Who answers a path.</summary>
/// <param name="Methods">The methods that it takes, with commas between them.</param>
/// <param name="Answer">Answers one request.</param>
internal sealed record LogRoute(string Methods, Func<HttpContext, Task> Answer);
