using Lm.Protocol;

namespace Lm.Agent.Tests.HostMetrics.Node;

/// <summary>Keeps samples under the names that node_exporter prints: labels in order of their names, empty ones too.</summary>
internal sealed class PrintedSink : ISampleSink
{
    public Dictionary<string, double> Values { get; } = new(StringComparer.Ordinal);

    public void Add(MetricDescriptor metric, ReadOnlySpan<Label> labels, double value)
    {
        var sorted = labels.ToArray().OrderBy(label => label.Name, StringComparer.Ordinal).Select(label => $"{label.Name}=\"{Escape(label.Value)}\"");
        var name = labels.Length == 0 ? metric.Name : $"{metric.Name}{{{string.Join(',', sorted)}}}";
        Values.Add(name, value);
    }

    private static string Escape(string value) =>
        value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
}
