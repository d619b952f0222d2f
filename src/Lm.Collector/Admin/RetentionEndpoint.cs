using System.Text.Json;
using Lm.Collector.Listeners;
using Lm.Collector.Query;
using Lm.Platform;

namespace Lm.Collector.Admin;

/// <summary><c>/api/v1/admin/retention</c>: how long data stay, what they take, and what they will take.</summary>
internal sealed class RetentionEndpoint(PrivateServices services)
{
    // Younger data say nothing of a day.
    private static readonly TimeSpan ForecastMin = TimeSpan.FromHours(6);

    /// <summary>Answers one request.</summary>
    public async Task HandleAsync(HttpContext context)
    {
        var sizes = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var metric in services.Metrics().Concat(services.SeriesMetrics()).Concat(services.LogMetrics()))
        {
            sizes[metric.Name] = sizes.GetValueOrDefault(metric.Name) + (long)metric.Value;
        }

        var (blocks, logs) = (sizes.GetValueOrDefault("lm_collector_block_bytes"), sizes.GetValueOrDefault("lm_collector_logs_file_bytes"));
        await using var json = ApiJson.Begin(context.Response);
        json.WriteStartObject();
        if (services.Current?.Value is { } settings)
        {
            json.WriteNumber("local_retention_days"u8, settings.Storage.LocalRetention.TotalDays);
            json.WriteNumber("backfill_days"u8, settings.Storage.Backfill.TotalDays);
            json.WriteNumber("max_local_bytes"u8, settings.Storage.LocalSizeMax);
            json.WriteNumber("max_spool_bytes"u8, settings.Storage.SpoolSizeMax);
            json.WritePropertyName("forecast_bytes"u8);
            WriteForecast(json, blocks + logs, settings.Storage.LocalRetention);
        }

        json.WriteStartArray("stores"u8);
        WriteStore(json, "spool", "acknowledged records that nothing else holds yet", sizes.GetValueOrDefault("lm_collector_spool_bytes"));
        WriteStore(json, "head", "samples of the last hours", sizes.GetValueOrDefault("lm_collector_head_file_bytes"));
        WriteStore(json, "blocks", "older samples", blocks);
        WriteStore(json, "log files", "lines", logs);
        WriteStore(json, "changes", "saved dashboards", services.Dashboards.Saved.ChangesBytes);
        json.WriteEndArray();
        json.WriteEndObject();
        await ApiJson.EndAsync(json, context.Response, context.RequestAborted);
    }

    // As much a day as until now, for as long as data stay; null while that is not known.
    private void WriteForecast(Utf8JsonWriter json, long bytes, TimeSpan retention)
    {
        var age = services.OldestLocal() is { } oldest ? TimeSpan.FromMilliseconds(UnixMillis.Now(services.Time).Value - oldest) : TimeSpan.Zero;
        if (age < ForecastMin)
        {
            json.WriteNullValue();
            return;
        }

        json.WriteNumberValue((long)(bytes * Math.Max(1, retention / age)));
    }

    private static void WriteStore(Utf8JsonWriter json, string name, string holds, long bytes)
    {
        json.WriteStartObject();
        json.WriteString("name"u8, name);
        json.WriteString("holds"u8, holds);
        json.WriteNumber("bytes"u8, bytes);
        json.WriteEndObject();
    }
}
