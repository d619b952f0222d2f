using System.Globalization;
using System.Text;
using Lm.Protocol;

namespace Lm.Agent.Exposition;

/// <summary>Samples as Prometheus' text form: the lines of a metric stand together, under its help and type.</summary>
/// <remarks>Source: the exposition format 0.0.4 of Prometheus' documentation.</remarks>
/// <param name="next">Gets every sample too; null for nobody.</param>
/// <param name="commonLabels">The agent's own labels; a series' own label of the same name wins.</param>
internal sealed class ExpositionWriter(ISampleSink? next, Label[] commonLabels) : ISampleSink
{
    private readonly Dictionary<string, Family> families = new(StringComparer.Ordinal);
    private readonly List<Family> order = [];

    /// <summary>The media type of what is written.</summary>
    public const string MediaType = "text/plain; version=0.0.4; charset=utf-8";

    public void Add(MetricDescriptor metric, ReadOnlySpan<Label> labels, double value)
    {
        next?.Add(metric, labels, value);
        if (!families.TryGetValue(metric.Name, out var family))
        {
            families.Add(metric.Name, family = new Family(metric));
            order.Add(family);
        }

        AppendLine(family.Lines, metric.Name, labels, value);
    }

    /// <summary>Writes everything.</summary>
    /// <param name="to">Gets the text.</param>
    /// <param name="withMetadata">Whether with help texts and types.</param>
    public void WriteTo(StringBuilder to, bool withMetadata)
    {
        foreach (var family in order)
        {
            var metric = family.Metric;
            if (withMetadata && metric.Help.Length > 0)
            {
                to.Append("# HELP ").Append(metric.Name).Append(' ');
                AppendEscaped(to, metric.Help, isQuoted: false);
                to.Append('\n');
            }

            if (withMetadata)
            {
                to.Append("# TYPE ").Append(metric.Name).Append(' ').Append(NameOf(metric.Type)).Append('\n');
            }

            to.Append(family.Lines);
        }
    }

    // Histograms and summaries come as the plain series that they consist of, and are described as such.
    private static string NameOf(MetricType type) => type switch
    {
        MetricType.Counter => "counter",
        MetricType.Gauge or MetricType.Info or MetricType.StateSet => "gauge",
        _ => "untyped",
    };

    private void AppendLine(StringBuilder to, string name, ReadOnlySpan<Label> labels, double value)
    {
        var all = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var label in commonLabels)
        {
            all[label.Name] = label.Value;
        }

        foreach (var label in labels)
        {
            all[label.Name] = label.Value;
        }

        to.Append(name);
        var separator = '{';
        foreach (var (key, text) in all)
        {
            to.Append(separator).Append(key).Append("=\"");
            AppendEscaped(to, text, isQuoted: true);
            to.Append('"');
            separator = ',';
        }

        to.Append(all.Count > 0 ? "} " : " ").Append(Show(value)).Append('\n');
    }

    private static string Show(double value) => value switch
    {
        double.PositiveInfinity => "+Inf",
        double.NegativeInfinity => "-Inf",
        _ => value.ToString("R", CultureInfo.InvariantCulture),
    };

    private static void AppendEscaped(StringBuilder to, string text, bool isQuoted)
    {
        foreach (var character in text)
        {
            switch (character)
            {
                case '\\':
                    to.Append("\\\\");
                    break;
                case '\n':
                    to.Append("\\n");
                    break;
                case '"' when isQuoted:
                    to.Append("\\\"");
                    break;
                default:
                    to.Append(character);
                    break;
            }
        }
    }

    private sealed class Family(MetricDescriptor metric)
    {
        public MetricDescriptor Metric { get; } = metric;

        public StringBuilder Lines { get; } = new();
    }
}
