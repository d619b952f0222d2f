namespace Lm.PromQL;

/// <summary>What an engine may use, and whose answers it gives.</summary>
public sealed record QueryEngineOptions
{
    /// <summary>How far back a selector looks for a series' newest sample, milliseconds, at least 1. Default: 5 minutes.</summary>
    public long LookbackMs { get; init; } = 300_000;

    /// <summary>The step of a subquery that names none (<c>[1h:]</c>), milliseconds, at least 1. Default: 1 minute.</summary>
    public long DefaultStepMs { get; init; } = 60_000;

    /// <summary>Most samples that one query may hold in memory at a time. Default: 50 million. At the limit the query fails.</summary>
    public long SamplesMax { get; init; } = 50_000_000;

    /// <summary>How long one query may run. Default: 2 minutes. Then it fails.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Is cancelled when a query's time is over, in place of <see cref="Timeout"/>: for callers that have a timer already.</summary>
    public CancellationToken? Deadline { get; init; }

    /// <summary>Whose answers: those of Prometheus 3 by default.</summary>
    public PromSemantics Semantics { get; init; } = PromSemantics.V3;

    /// <summary>Threads that queries over many series may use beside their own. Default: none.</summary>
    public QueryWorkers? Workers { get; init; }

    /// <summary>The clock that <see cref="Timeout"/> goes by.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;
}

/// <summary>The two generations of PromQL that answer the same query differently.</summary>
public enum PromSemantics
{
    /// <summary>Prometheus 3: windows exclude their left end, sums are compensated, answers carry annotations.</summary>
    V3,

    /// <summary>Prometheus 2.42: windows include both ends, <c>sum</c> and <c>avg</c> add plainly, no annotations.</summary>
    V2,
}
