using Lm.Logs.Query.Pipeline;

namespace Lm.Logs.Query;

/// <summary>A query of the log query language, read: lines, or numbers made of lines.</summary>
/// <remarks>Immutable, safe for concurrent use. The language is LogQL's: docs/logql.md.</remarks>
public sealed class LogQuery
{
    private LogQuery(Expression expression) => Expression = expression;

    /// <summary>Whether it gives series of numbers rather than lines.</summary>
    public bool IsMetric => Expression is not LineSelection;

    internal Expression Expression { get; }

    /// <summary>Reads a query. Never throws.</summary>
    /// <param name="text">The query.</param>
    /// <param name="query">What it means; null when false.</param>
    /// <param name="fault">Then: what is wrong, and where.</param>
    public static bool TryParse(string text, out LogQuery? query, out LogQueryFault fault)
    {
        query = null;
        try
        {
            query = new LogQuery(Parser.Read(text));
            fault = default;
            return true;
        }
        catch (LogSyntaxException exception)
        {
            fault = FaultOf(text, exception);
            return false;
        }
    }

    /// <summary>A query for lines as they come in.</summary>
    /// <exception cref="InvalidOperationException">It is a metric query.</exception>
    public LogLineFilter CreateFilter() => new(new PipelineProgram(Lines));

    /// <summary>How many of its lines there are, for each value of a label.</summary>
    /// <param name="label">The label.</param>
    /// <param name="rangeMs">The range that is counted, milliseconds.</param>
    /// <exception cref="InvalidOperationException">It is a metric query.</exception>
    public LogQuery CountBy(string label, long rangeMs) => new(new VectorAggregation(
        VectorOperation.Sum, null, new Grouping(false, new EquatableList<string>([label])),
        new RangeAggregation(RangeOperation.Count, null, Lines, null, rangeMs, 0, null)));

    /// <summary>The bytes of the lines of some streams, for each combination of some labels' values.</summary>
    /// <param name="selector">The streams.</param>
    /// <param name="labels">The labels.</param>
    /// <param name="rangeMs">The range that is counted, milliseconds.</param>
    public static LogQuery BytesOf(LogSelector selector, IEnumerable<string> labels, long rangeMs) => new(new VectorAggregation(
        VectorOperation.Sum, null, new Grouping(false, new EquatableList<string>([.. labels])),
        new RangeAggregation(RangeOperation.Bytes, null, new LineSelection(selector.Matchers, EquatableList<Stage>.Empty), null, rangeMs, 0, null)));

    /// <summary>The query in its plainest form; reads back as the same.</summary>
    public override string ToString() => Expression.ToString()!;

    internal LineSelection Lines => Expression as LineSelection ?? throw new InvalidOperationException("a metric query gives no lines");

    internal static LogQueryFault FaultOf(string text, LogSyntaxException exception)
    {
        var before = text.AsSpan(0, Math.Min(exception.At, text.Length));
        var line = before.Count('\n') + 1;
        return new LogQueryFault(line, before.Length - before.LastIndexOf('\n'), exception.Message);
    }
}
