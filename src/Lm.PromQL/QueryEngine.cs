using System.Text.RegularExpressions;
using Lm.Tsdb;

namespace Lm.PromQL;

/// <summary>Evaluates expressions over stored series, as Prometheus does.</summary>
/// <remarks>Safe for concurrent use: each query has its own state. Source of the rules: https://prometheus.io/docs/prometheus/latest/querying/.</remarks>
/// <param name="reader">Where series come from.</param>
/// <param name="options">Limits and semantics.</param>
public sealed class QueryEngine(ISeriesReader reader, QueryEngineOptions options)
{
    // About 285,000 years either way: any offset and range can be added without an overflow.
    private const long TimeMsMax = 9_000_000_000_000_000;

    /// <summary>Evaluates at one time.</summary>
    /// <param name="expression">What.</param>
    /// <param name="timeMs">When, milliseconds since 1970.</param>
    /// <param name="cancellationToken">Ends the query early.</param>
    /// <returns>A number, text, vector or, for a range selector, matrix.</returns>
    /// <exception cref="QueryException">It has no answer.</exception>
    public QueryResult Instant(Expression expression, long timeMs, CancellationToken cancellationToken) =>
        Run(timeMs, timeMs, scope => InstantValue(expression, new Evaluator(scope), new TimeGrid(timeMs, 1, 1)), cancellationToken);

    /// <summary>Evaluates at each step of a range.</summary>
    /// <param name="expression">What: its kind must be scalar or vector.</param>
    /// <param name="startMs">The first time, milliseconds since 1970.</param>
    /// <param name="endMs">The last time allowed, not before the first.</param>
    /// <param name="stepMs">Between two times, at least 1.</param>
    /// <param name="cancellationToken">Ends the query early.</param>
    /// <returns>A matrix.</returns>
    /// <exception cref="QueryException">It has no answer.</exception>
    public QueryResult Range(Expression expression, long startMs, long endMs, long stepMs, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(stepMs, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(endMs, startMs);
        return Run(startMs, endMs, scope => RangeValue(expression, new Evaluator(scope), startMs, endMs, stepMs), cancellationToken);
    }

    private QueryResult Run(long start, long end, Func<QueryScope, QueryValue> evaluate, CancellationToken cancellationToken)
    {
        if (start < -TimeMsMax || end > TimeMsMax)
        {
            throw QueryException.Execution($"times must be between {-TimeMsMax} and {TimeMsMax} milliseconds since 1970, asked for {start} to {end}");
        }

        var began = options.TimeProvider.GetTimestamp();
        using var timer = options.Deadline is null ? new CancellationTokenSource(options.Timeout, options.TimeProvider) : null;
        var timeout = timer?.Token ?? options.Deadline!.Value;
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(timeout, cancellationToken);
        var budget = new QueryBudget(options.SamplesMax, ending.Token);
        var scope = new QueryScope(reader, options, budget, new Annotations(options.Semantics == PromSemantics.V3), start, end);
        try
        {
            ending.Token.ThrowIfCancellationRequested();
            var value = evaluate(scope);
            ending.Token.ThrowIfCancellationRequested();
            var statistics = new QueryStatistics(budget.Total, budget.Peak, budget.Series, options.TimeProvider.GetElapsedTime(began));
            return new QueryResult(value, scope.Annotations.Warnings(), scope.Annotations.Infos(), statistics);
        }
        catch (OperationCanceledException e) when (cancellationToken.IsCancellationRequested)
        {
            throw new QueryException(QueryFault.Canceled, "query was canceled in expression evaluation", e);
        }
        catch (OperationCanceledException e) when (timeout.IsCancellationRequested)
        {
            throw new QueryException(QueryFault.Timeout, "query timed out in expression evaluation", e);
        }
        catch (RegexMatchTimeoutException e)
        {
            throw new QueryException(QueryFault.Execution, $"expanding series: regular expression {e.Pattern} took longer than {e.MatchTimeout} for one value", e);
        }
    }

    private static QueryValue InstantValue(Expression expression, Evaluator evaluator, TimeGrid grid)
    {
        switch (expression.Kind)
        {
            case ValueKind.Scalar:
                return new ScalarValue(grid.Start, evaluator.Scalar(expression, grid)[0]);
            case ValueKind.Text:
                return new TextValue(grid.Start, Evaluator.Text(expression));
            case ValueKind.Vector:
                var list = evaluator.Vector(expression, grid);
                return new VectorValue(list.ConvertAll(series => new VectorSample(series.Labels, grid.Start, series.Values[0])));
            default:
                return new MatrixValue(WindowsAt(expression, evaluator, grid));
        }
    }

    private static List<MatrixSeries> WindowsAt(Expression expression, Evaluator evaluator, TimeGrid grid)
    {
        using var windows = evaluator.Windows(expression, grid);
        var budget = evaluator.Scope.Budget;
        var isStored = Evaluator.Unwrap(expression) is MatrixSelector;
        var list = new List<MatrixSeries>();
        for (var i = 0; i < windows.Count; i++)
        {
            var samples = windows.Load(i);
            budget.Work(samples.Count + 100);
            var from = 0;
            while (from < samples.Count && samples.Times[from] < windows.Ends.Start - windows.RangeMs + (windows.IncludesStart ? 0 : 1))
            {
                from++; // a subquery's first step may stand before its range
            }

            if (samples.Count > from)
            {
                budget.Hold(isStored ? samples.Count - from : 0); // a subquery's are held and counted already
                budget.Count(isStored ? samples.Count - from : 0);
                list.Add(new MatrixSeries(windows.Labels(i), samples.Times[from..].ToArray(), samples.Values[from..].ToArray()));
            }
        }

        list.Sort(static (left, right) => left.Labels.CompareTo(right.Labels));
        return list;
    }

    private static MatrixValue RangeValue(Expression expression, Evaluator evaluator, long start, long end, long step)
    {
        if (expression.Kind is not (ValueKind.Scalar or ValueKind.Vector))
        {
            var kind = expression.Kind == ValueKind.Text ? "string" : "range vector";
            throw QueryException.Execution($"invalid expression type \"{kind}\" for range query, must be Scalar or instant Vector");
        }

        var count = ((end - start) / step) + 1;
        evaluator.Scope.Budget.CheckRoom(count);
        var grid = new TimeGrid(start, step, (int)count);
        if (expression.Kind == ValueKind.Scalar)
        {
            var values = evaluator.Scalar(expression, grid);
            return new MatrixValue([new MatrixSeries(LabelSet.Empty, TimesOf(grid), values)]);
        }

        return new MatrixValue(Matrix(evaluator.Vector(expression, grid), grid));
    }

    private static List<MatrixSeries> Matrix(List<StepSeries> list, TimeGrid grid)
    {
        list.Sort(static (left, right) => left.Labels.CompareTo(right.Labels));
        var times = TimesOf(grid); // shared by all series without gaps
        var result = new List<MatrixSeries>(list.Count);
        foreach (var series in list)
        {
            if (series.Count == series.Values.Length)
            {
                result.Add(new MatrixSeries(series.Labels, times.AsMemory(series.First, series.Count), series.Values));
                continue;
            }

            var (ownTimes, values) = (new long[series.Count], new double[series.Count]);
            var at = 0;
            for (var i = 0; i < series.Values.Length; i++)
            {
                if (!StepSeries.IsAbsent(series.Values[i]))
                {
                    ownTimes[at] = times[series.First + i];
                    values[at++] = series.Values[i];
                }
            }

            result.Add(new MatrixSeries(series.Labels, ownTimes, values));
        }

        return result;
    }

    private static long[] TimesOf(TimeGrid grid)
    {
        var times = new long[grid.Count];
        for (var i = 0; i < times.Length; i++)
        {
            times[i] = grid[i];
        }

        return times;
    }
}
