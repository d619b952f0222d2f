using System.Globalization;
using System.Text;
using Lm.Protocol;

namespace Lm.Agent.Tests.HostMetrics;

/// <summary>Keeps every sample under <c>name{label="value",…}</c>; a series that comes twice fails the test.</summary>
internal sealed class RecordingSink : ISampleSink
{
    public Dictionary<string, double> Values { get; } = [];

    public List<string> Order { get; } = [];

    public Dictionary<string, MetricDescriptor> Metrics { get; } = [];

    public List<Label> Labels { get; } = [];

    public double this[string series] => Values[series];

    public void Add(MetricDescriptor metric, ReadOnlySpan<Label> labels, double value)
    {
        var series = new StringBuilder(metric.Name);
        for (var i = 0; i < labels.Length; i++)
        {
            series.Append(i == 0 ? '{' : ',').Append(CultureInfo.InvariantCulture, $"{labels[i].Name}=\"{labels[i].Value}\"");
            Labels.Add(labels[i]);
        }

        series.Append(labels.Length > 0 ? "}" : "");
        Values.Add(series.ToString(), value);
        Order.Add(series.ToString());
        Metrics[metric.Name] = metric;
    }

    public string[] Of(string metric) =>
        [.. Order.Where(series => series == metric || series.StartsWith(metric + "{", StringComparison.Ordinal))];
}
