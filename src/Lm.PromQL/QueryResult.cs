namespace Lm.PromQL;

/// <summary>A query's answer.</summary>
/// <param name="Value">What it evaluated to.</param>
/// <param name="Warnings">What is probably wrong with the query or the data, sorted; always empty for <see cref="PromSemantics.V2"/>.</param>
/// <param name="Infos">What may be wrong, sorted; likewise.</param>
/// <param name="Statistics">What it took.</param>
public sealed record QueryResult(QueryValue Value, IReadOnlyList<string> Warnings, IReadOnlyList<string> Infos, QueryStatistics Statistics);

/// <summary>What a query took.</summary>
/// <param name="SamplesTotal">Samples that its selectors gave to it, those of overlapping windows counted once for each window ("totalQueryableSamples").</param>
/// <param name="SamplesPeak">Most samples held at a time ("peakSamples").</param>
/// <param name="Series">Series that its selectors found.</param>
/// <param name="Duration">How long evaluation took, reading included.</param>
public sealed record QueryStatistics(long SamplesTotal, long SamplesPeak, int Series, TimeSpan Duration);
