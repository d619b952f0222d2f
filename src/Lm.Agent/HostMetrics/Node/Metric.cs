using Lm.Protocol;

namespace Lm.Agent.HostMetrics.Node;

/// <summary>Makes descriptors.</summary>
internal static class Metric
{
    public static MetricDescriptor Counter(string name, string unit, string help) => new(name, MetricType.Counter, unit, help);

    public static MetricDescriptor Gauge(string name, string unit, string help) => new(name, MetricType.Gauge, unit, help);

    public static MetricDescriptor Untyped(string name, string help) => new(name, MetricType.Unknown, "", help);
}
