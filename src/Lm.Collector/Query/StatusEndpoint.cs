using System.Globalization;
using Lm.Collector.Listeners;
using Lm.Collector.Series;
using Lm.PromQL;
using Lm.Protocol;

namespace Lm.Collector.Query;

/// <summary>What Prometheus' API tells about itself and its metrics: <c>metadata</c>, <c>rules</c>, <c>alerts</c>, <c>targets</c>, <c>status/…</c>.</summary>
/// <remarks>There are no rules, alerts or scraped targets here; clients ask for them all the same and get empty lists.</remarks>
internal sealed class StatusEndpoint(PrivateServices services, Func<IReadOnlyList<KeyValuePair<string, MetricMetadata>>> metadata)
{
    private readonly DateTimeOffset started = services.Time.GetUtcNow();

    /// <summary>Answers <c>/api/v1/metadata</c> from the units and help that agents send.</summary>
    public async Task MetadataAsync(HttpContext context)
    {
        var (request, error) = await ApiRequest.ReadAsync(context.Request, services.Settings().PromqlSemantics, context.RequestAborted);
        var limit = request is null ? 0 : ReadNumber(request, "limit");
        _ = request is null ? 0 : ReadNumber(request, "limit_per_metric"); // one description is kept for each metric
        error ??= request!.Error;
        if (error is not null)
        {
            await error.WriteAsync(context.Response);
            return;
        }

        var metric = request!.First("metric");
        var json = ApiAnswer.Begin(context.Response);
        json.Raw("{"u8);
        var written = 0;
        foreach (var (name, description) in metadata().OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            if ((metric is not null && metric != name) || (limit >= 0 && written >= limit))
            {
                continue;
            }

            json.Raw(written++ > 0 ? ","u8 : ""u8);
            json.Text(name);
            json.Raw(":[{\"type\":"u8);
            json.Text(TypeOf(description.Type));
            json.Raw(",\"help\":"u8);
            json.Text(description.Help);
            json.Raw(",\"unit\":"u8);
            json.Text(description.Unit);
            json.Raw("}]"u8);
            if (json.IsFull)
            {
                await json.FlushAsync(context.RequestAborted);
            }
        }

        json.Raw("}"u8);
        await ApiAnswer.EndAsync(json, [], [], context.RequestAborted);
    }

    /// <summary>Answers <c>/api/v1/rules</c>.</summary>
    public static Task RulesAsync(HttpContext context) => ApiAnswer.WriteAsync(context, "{\"groups\":[]}"u8).AsTask();

    /// <summary>Answers <c>/api/v1/alerts</c>.</summary>
    public static Task AlertsAsync(HttpContext context) => ApiAnswer.WriteAsync(context, "{\"alerts\":[]}"u8).AsTask();

    /// <summary>Answers <c>/api/v1/targets</c>: agents push, nothing is scraped.</summary>
    public static Task TargetsAsync(HttpContext context) =>
        ApiAnswer.WriteAsync(context, "{\"activeTargets\":[],\"droppedTargets\":[],\"droppedTargetCounts\":{}}"u8).AsTask();

    /// <summary>Answers <c>/api/v1/targets/metadata</c>.</summary>
    public static Task TargetMetadataAsync(HttpContext context) => ApiAnswer.WriteAsync(context, "[]"u8).AsTask();

    /// <summary>Answers <c>/api/v1/alertmanagers</c>.</summary>
    public static Task AlertmanagersAsync(HttpContext context) =>
        ApiAnswer.WriteAsync(context, "{\"activeAlertmanagers\":[],\"droppedAlertmanagers\":[]}"u8).AsTask();

    /// <summary>Answers <c>/api/v1/status/config</c>.</summary>
    public static Task ConfigAsync(HttpContext context) =>
        ApiAnswer.WriteAsync(context, "{\"yaml\":\"# Lightmetrics is configured in TOML; there is no Prometheus configuration.\\n\"}"u8).AsTask();

    /// <summary>Answers <c>/api/v1/status/flags</c>: the settings that Prometheus has as flags.</summary>
    public async Task FlagsAsync(HttpContext context)
    {
        var settings = services.Settings();
        var options = new QueryEngineOptions();
        var json = ApiAnswer.Begin(context.Response);
        json.Raw("{\"query.lookback-delta\":"u8);
        json.Text(PromDuration.Format(options.LookbackMs));
        json.Raw(",\"query.max-concurrency\":"u8);
        json.Text(QuerySlots.ConcurrentMax.ToString(CultureInfo.InvariantCulture));
        json.Raw(",\"query.max-samples\":"u8);
        json.Text(settings.SamplesMax.ToString(CultureInfo.InvariantCulture));
        json.Raw(",\"query.timeout\":"u8);
        json.Text(PromDuration.Format((long)settings.Timeout.TotalMilliseconds));
        json.Raw(",\"web.listen-address\":"u8);
        json.Text(settings.Listen.ToString());
        json.Raw("}"u8);
        await ApiAnswer.EndAsync(json, [], [], context.RequestAborted);
    }

    /// <summary>Answers <c>/api/v1/status/runtimeinfo</c>; what only Go programs have is empty.</summary>
    public async Task RuntimeAsync(HttpContext context)
    {
        var json = ApiAnswer.Begin(context.Response);
        json.Raw("{\"startTime\":"u8);
        json.Text(Rfc3339(started));
        json.Raw(",\"CWD\":\"\",\"hostname\":"u8);
        json.Text(Environment.MachineName);
        json.Raw(",\"serverTime\":"u8);
        json.Text(Rfc3339(services.Time.GetUtcNow()));
        json.Raw(",\"reloadConfigSuccess\":true,\"lastConfigTime\":"u8);
        json.Text(Rfc3339(started));
        json.Raw(",\"corruptionCount\":0,\"goroutineCount\":0,\"GOMAXPROCS\":"u8);
        json.Number(Environment.ProcessorCount);
        json.Raw(",\"GOMEMLIMIT\":0,\"GOGC\":\"\",\"GODEBUG\":\"\",\"storageRetention\":\"\"}"u8);
        await ApiAnswer.EndAsync(json, [], [], context.RequestAborted);
    }

    private static int ReadNumber(ApiRequest request, string name)
    {
        if (request.First(name) is not { } text)
        {
            return -1;
        }

        if (!int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number))
        {
            request.Fail(ApiError.BadData($"{name} must be a number"));
        }

        return number;
    }

    private static string TypeOf(MetricType type) => type switch
    {
        MetricType.Counter => "counter",
        MetricType.Gauge => "gauge",
        MetricType.Histogram => "histogram",
        MetricType.Info => "info",
        MetricType.Summary => "summary",
        MetricType.GaugeHistogram => "gaugehistogram",
        MetricType.StateSet => "stateset",
        _ => "unknown",
    };

    private static string Rfc3339(DateTimeOffset time) => time.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'", CultureInfo.InvariantCulture);
}
