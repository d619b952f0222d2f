using Lm.Protocol;

namespace Lm.Agent.Tests.HostMetrics;

/// <summary>Counts samples and allocates nothing.</summary>
internal sealed class CountingSink : ISampleSink
{
    public int Count { get; private set; }

    public void Add(MetricDescriptor metric, ReadOnlySpan<Label> labels, double value) => Count++;
}
