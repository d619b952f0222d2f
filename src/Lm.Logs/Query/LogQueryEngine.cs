using Lm.Logs.Query.Metrics;
using Lm.Logs.Query.Pipeline;

namespace Lm.Logs.Query;

/// <summary>Queries over stored lines.</summary>
/// <remarks>Safe for concurrent use.</remarks>
/// <param name="reader">The lines.</param>
/// <param name="limits">What a query may hold.</param>
public sealed class LogQueryEngine(ILogReader reader, LogQueryLimits limits)
{
    /// <summary>Most times that a metric query may be asked for.</summary>
    public const int StepsMax = 11_000;

    /// <summary>The lines of a query, as they are found.</summary>
    /// <param name="query">The query.</param>
    /// <param name="range">From when, until when, in which order.</param>
    /// <param name="statistics">Counts what was read.</param>
    /// <param name="cancellationToken">Ends it early.</param>
    /// <returns>Who stops enumerating stops the search.</returns>
    /// <exception cref="InvalidOperationException">It is a metric query.</exception>
    /// <exception cref="LogQueryException">While enumerating: a regular expression takes too long.</exception>
    /// <exception cref="OperationCanceledException">While enumerating: it was cancelled.</exception>
    /// <exception cref="IOException">While enumerating: a file cannot be read.</exception>
    public IEnumerable<LogEntry> Lines(LogQuery query, LogRange range, LogScanStatistics statistics, CancellationToken cancellationToken)
    {
        var program = new PipelineProgram(query.Lines);
        var (from, until) = (range.From, range.Until);
        if (range.After is { } after)
        {
            from = range.IsBackward ? from : Math.Max(from, after.Time);
            until = range.IsBackward && after.Time < long.MaxValue ? Math.Min(until, after.Time + 1) : until;
        }

        if (until <= from)
        {
            return [];
        }

        var scan = new LogScan { From = from, Until = until, IsBackward = range.IsBackward, Stream = Guarded(program.Selects), Required = program.Required() };
        return reader.Read(scan, () => new EntryStage(program, range.After, range.IsBackward), statistics, cancellationToken);
    }

    /// <summary>A metric query at one time.</summary>
    /// <param name="query">The query.</param>
    /// <param name="time">When, milliseconds.</param>
    /// <param name="statistics">Counts what was read.</param>
    /// <param name="cancellationToken">Ends it early.</param>
    /// <exception cref="LogQueryException">It is too large, or a line does not fit it.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public LogMetric Instant(LogQuery query, long time, LogScanStatistics statistics, CancellationToken cancellationToken) =>
        Evaluate(query, new MetricGrid(time, 1, 1), statistics, cancellationToken);

    /// <summary>A metric query at every step from a time to another.</summary>
    /// <param name="query">The query.</param>
    /// <param name="start">The first time, milliseconds.</param>
    /// <param name="end">None is later.</param>
    /// <param name="step">Between two, milliseconds; at least 1.</param>
    /// <param name="statistics">Counts what was read.</param>
    /// <param name="cancellationToken">Ends it early.</param>
    /// <exception cref="LogQueryException">It is too large, or a line does not fit it.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public LogMetric Range(LogQuery query, long start, long end, long step, LogScanStatistics statistics, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(step, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(end, start);
        var count = ((end - start) / step) + 1;
        return count <= StepsMax
            ? Evaluate(query, new MetricGrid(start, step, (int)count), statistics, cancellationToken)
            : throw new LogQueryException($"the query asks for {count} times, at most {StepsMax} are allowed: widen the step");
    }

    private LogMetric Evaluate(LogQuery query, MetricGrid grid, LogScanStatistics statistics, CancellationToken cancellationToken)
    {
        var evaluator = new MetricEvaluator(reader, grid, new MetricBudget(limits), statistics, DetectedLevel.IsNamedBy(query.Expression), cancellationToken);
        MetricValue value;
        try
        {
            value = evaluator.Evaluate(query.Expression);
        }
        catch (System.Text.RegularExpressions.RegexMatchTimeoutException exception)
        {
            throw new LogQueryException("a regular expression takes longer than a second for one label value: simplify it", exception);
        }

        var series = value.Series;
        if (value.Scalar is { } scalar)
        {
            var row = grid.EmptyRow();
            Array.Fill(row, scalar);
            series = [new MetricSeries([], row)];
        }

        var isSorted = grid.Count == 1 && query.Expression is VectorAggregation { Operation: >= VectorOperation.Top };
        IEnumerable<MetricSeries> ordered = isSorted ? series
            : series.OrderBy(member => string.Concat(member.Labels.Select(label => $"{label.Name}\0{label.Value}\0")), StringComparer.Ordinal);
        return new LogMetric { IsScalar = value.Scalar is not null, Series = [.. ordered.Select(member => Compact(member, grid)).Where(member => member.Times.Count > 0)] };
    }

    private static LogSeries Compact(MetricSeries series, MetricGrid grid)
    {
        var times = new List<long>();
        var values = new List<double>();
        for (var i = 0; i < grid.Count; i++)
        {
            if (!MetricGrid.IsMissing(series.Values[i]))
            {
                times.Add(grid.Start + (i * grid.Step));
                values.Add(series.Values[i]);
            }
        }

        return new LogSeries(series.Labels, times, values);
    }

    private static Func<LogStream, bool> Guarded(Func<LogStream, bool> selects) => stream =>
    {
        try
        {
            return selects(stream);
        }
        catch (System.Text.RegularExpressions.RegexMatchTimeoutException exception)
        {
            throw new LogQueryException("a regular expression takes longer than a second for one label value: simplify it", exception);
        }
    };
}
