namespace Lm.Collector.Listeners;

/// <summary>Whether the collector takes batches and answers queries in full.</summary>
internal interface IReadiness
{
    /// <summary>What it would say now.</summary>
    ReadinessReport Report();
}

/// <summary>The answer of <c>/readyz</c>.</summary>
/// <param name="IsReady">200 or 503.</param>
/// <param name="Lines">Why not, or what an operator should know although it is ready; one sentence each, no secrets and no names: it is told without a token.</param>
internal sealed record ReadinessReport(bool IsReady, IReadOnlyList<string> Lines);
