using System.Text.Json;
using Lm.Collector.Spool;
using Lm.Protocol;

namespace Lm.Collector.Series;

/// <summary>Type, unit and help of every metric that a sender described. Safe for concurrent use.</summary>
internal sealed class MetricCatalog : IStatePart
{
    /// <summary>Metrics remembered; further ones are not described. A host has some hundreds, a Prometheus some thousands.</summary>
    public const int MetricsMax = 65_536;

    private readonly Lock gate = new(); // guards metrics
    private readonly Dictionary<string, MetricMetadata> metrics = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public string Name => "metrics";

    /// <summary>How many metrics are described.</summary>
    public int Count
    {
        get
        {
            lock (gate)
            {
                return metrics.Count;
            }
        }
    }

    /// <summary>Keeps what a sender said last; nothing when there is no room for another metric.</summary>
    public void Describe(string metric, MetricMetadata description)
    {
        lock (gate)
        {
            if (metrics.Count < MetricsMax || metrics.ContainsKey(metric))
            {
                metrics[metric] = description;
            }
        }
    }

    /// <summary>Whether something is known about a metric.</summary>
    public bool IsDescribed(string metric)
    {
        lock (gate)
        {
            return metrics.ContainsKey(metric);
        }
    }

    /// <summary>Everything, sorted by metric.</summary>
    public IReadOnlyList<KeyValuePair<string, MetricMetadata>> Snapshot()
    {
        lock (gate)
        {
            return [.. metrics.OrderBy(static entry => entry.Key, StringComparer.Ordinal)];
        }
    }

    /// <inheritdoc/>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartArray();
        foreach (var (metric, description) in Snapshot())
        {
            json.WriteStartObject();
            json.WriteString("metric", metric);
            json.WriteNumber("type", (int)description.Type);
            json.WriteString("unit", description.Unit);
            json.WriteString("help", description.Help);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    /// <inheritdoc/>
    public void Read(JsonElement state)
    {
        foreach (var entry in state.EnumerateArray())
        {
            var type = (MetricType)entry.GetProperty("type").GetInt32();
            Describe(Text(entry, "metric"), new MetricMetadata(type, Text(entry, "unit"), Text(entry, "help")));
        }
    }

    private static string Text(JsonElement entry, string name) => entry.GetProperty(name).GetString() ?? "";
}
