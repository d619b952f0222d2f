namespace Lm.Logs.Query;

/// <summary>What one metric query may hold.</summary>
public sealed record LogQueryLimits
{
    /// <summary>Most series at any step of the calculation. Default 20,000.</summary>
    public int SeriesMax { get; init; } = 20_000;

    /// <summary>Most numbers in memory: series times steps, and numbers taken of lines with <c>unwrap</c>, each of which is four for the first and the last over time. Default 20,000,000, 320 MiB at most.</summary>
    public long CellsMax { get; init; } = 20_000_000;
}
