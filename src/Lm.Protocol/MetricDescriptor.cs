namespace Lm.Protocol;

/// <summary>What is the same for every series of a metric.</summary>
/// <param name="Name">The metric's name, without unit or type left out: <c>node_load1</c>.</param>
/// <param name="Type">Its type.</param>
/// <param name="Unit">Its unit in the plural (<c>seconds</c>, <c>bytes</c>); empty for none.</param>
/// <param name="Help">One sentence for people.</param>
public sealed record MetricDescriptor(string Name, MetricType Type, string Unit, string Help);

/// <summary>A metric's type, as Prometheus names them.</summary>
public enum MetricType
{
    /// <summary>Not said.</summary>
    Unknown = 0,

    /// <summary>A value that only grows, or starts again from zero.</summary>
    Counter = 1,

    /// <summary>A value that goes up and down.</summary>
    Gauge = 2,

    /// <summary>Observations counted in buckets.</summary>
    Histogram = 3,

    /// <summary>A constant 1 whose labels carry the information.</summary>
    Info = 4,

    /// <summary>Quantiles that were computed where they were observed. Prometheus' remote write alone has it and the two below; no batch does.</summary>
    Summary = 5,

    /// <summary>A histogram whose buckets go up and down.</summary>
    GaugeHistogram = 6,

    /// <summary>A set of states, each a series of 0 or 1.</summary>
    StateSet = 7,
}

/// <summary>One label of a series or log record.</summary>
/// <param name="Name">The label's name.</param>
/// <param name="Value">The label's value.</param>
public readonly record struct Label(string Name, string Value);

/// <summary>Takes samples of one tick.</summary>
public interface ISampleSink
{
    /// <summary>Takes one sample of the series with these labels, at the tick's time.</summary>
    /// <param name="metric">The metric.</param>
    /// <param name="labels">Its labels without <c>__name__</c>, in any order; copied before the call returns.</param>
    /// <param name="value">The value.</param>
    void Add(MetricDescriptor metric, ReadOnlySpan<Label> labels, double value);
}
