using Lm.Tsdb;

namespace Lm.Collector.Query;

/// <summary>A vector or matrix selector: <c>node_load1{instance="web1"}[5m] offset 1h</c>.</summary>
/// <param name="Matchers">The conditions, the metric's name among them.</param>
/// <param name="Range">The window of a matrix selector; null for an instant vector.</param>
/// <param name="Offset">How far back; negative for ahead.</param>
internal sealed record Selector(IReadOnlyList<LabelMatcher> Matchers, TimeSpan? Range, TimeSpan Offset);
