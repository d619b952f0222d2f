using Lm.Protocol;

namespace Lm.Collector.Series;

/// <summary>What is the same for every series of a metric, as the newest new series said it.</summary>
/// <param name="Type">Its type.</param>
/// <param name="Unit">Its unit; empty for none.</param>
/// <param name="Help">One sentence; empty for none.</param>
internal readonly record struct MetricMetadata(MetricType Type, string Unit, string Help);
