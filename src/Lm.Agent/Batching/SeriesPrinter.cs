using System.Globalization;
using System.Text;
using Lm.Protocol;

namespace Lm.Agent.Batching;

/// <summary>Writes samples as Prometheus' text form, one a line, on their way to another sink.</summary>
/// <param name="next">The other sink.</param>
/// <param name="commonLabels">The agent's own labels; a series' own label of the same name wins.</param>
/// <param name="output">Gets the lines.</param>
internal sealed class SeriesPrinter(ISampleSink next, Label[] commonLabels, StringBuilder output) : ISampleSink
{
    public void Add(MetricDescriptor metric, ReadOnlySpan<Label> labels, double value)
    {
        next.Add(metric, labels, value);
        var all = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var label in commonLabels)
        {
            all[label.Name] = label.Value;
        }

        foreach (var label in labels)
        {
            all[label.Name] = label.Value;
        }

        output.Append(metric.Name);
        if (all.Count > 0)
        {
            output.Append('{').AppendJoin(',', all.Select(label => $"{label.Key}=\"{Escape(label.Value)}\"")).Append('}');
        }

        output.Append(' ').Append(value.ToString("R", CultureInfo.InvariantCulture)).Append('\n');
    }

    private static string Escape(string value) =>
        value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
}
