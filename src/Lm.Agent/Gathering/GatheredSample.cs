using Lm.Protocol;

namespace Lm.Agent.Gathering;

/// <summary>One value of one series.</summary>
/// <param name="Metric">The metric; the same object for all its series.</param>
/// <param name="Labels">The series' labels; the same array as long as the series is known.</param>
/// <param name="Value">The value.</param>
internal readonly record struct GatheredSample(MetricDescriptor Metric, Label[] Labels, double Value);
