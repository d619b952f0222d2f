namespace Lm.Logs.Query;

/// <summary>What a metric query gives.</summary>
public sealed class LogMetric
{
    /// <summary>Whether it is a number without labels, rather than series: <c>1 + 1</c>.</summary>
    public required bool IsScalar { get; init; }

    /// <summary>The series, sorted by their labels unless the query sorts them; one without labels for a number.</summary>
    public required IReadOnlyList<LogSeries> Series { get; init; }
}

/// <summary>A series of a metric query.</summary>
/// <param name="Labels">Its labels, sorted by name.</param>
/// <param name="Times">The times at which it has values, milliseconds, ascending.</param>
/// <param name="Values">Its values.</param>
public sealed record LogSeries(IReadOnlyList<LogField> Labels, IReadOnlyList<long> Times, IReadOnlyList<double> Values);
