namespace Lm.Collector.Listeners;

/// <summary>One value of the collector's own metrics.</summary>
/// <param name="Name">Its name as Prometheus sees it: <c>lm_collector_batches_accepted_total</c>. Values of one name follow each other.</param>
/// <param name="Help">One sentence.</param>
/// <param name="IsCounter">Counter, else gauge.</param>
/// <param name="Labels">The labels as they stand between the braces, escaped: <c>code="spool_full"</c>; empty for none.</param>
/// <param name="Value">The value now.</param>
internal readonly record struct CollectorMetric(string Name, string Help, bool IsCounter, string Labels, double Value);
