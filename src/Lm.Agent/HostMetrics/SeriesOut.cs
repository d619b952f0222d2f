using Lm.Protocol;

namespace Lm.Agent.HostMetrics;

/// <summary>Samples on their way to a sink, counted.</summary>
/// <param name="sink">The sink.</param>
internal struct SeriesOut(ISampleSink sink)
{
    /// <summary>Series added.</summary>
    public int Count { get; private set; }

    /// <summary>Things that should have had series and got none.</summary>
    public int OmittedCount { get; set; }

    /// <summary>What a source that could read all says of its tick.</summary>
    public readonly SourceOutcome Outcome => new(Count, SourceFault.None, OmittedCount);

    /// <summary>Adds a sample.</summary>
    public void Add(MetricDescriptor metric, ReadOnlySpan<Label> labels, double value)
    {
        sink.Add(metric, labels, value);
        Count++;
    }

    /// <summary>Adds a sample without labels.</summary>
    public void Add(MetricDescriptor metric, double value) => Add(metric, [], value);
}
