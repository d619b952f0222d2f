using Lm.PromQL.Functions;
using Lm.Tsdb;

namespace Lm.PromQL;

/// <summary>Evaluates a tree over a grid of times, node by node: each gives whole series, so that every series is read once.</summary>
/// <remarks>What a node returns belongs to the one who asked, who may write to it. The budget then counts exactly that result, and nothing of what
/// led to it.</remarks>
internal sealed class Evaluator(QueryScope scope)
{
    // Deeper trees are refused by the parser already; this keeps a tree built by hand from ending the process.
    private const int DepthMax = 1000;

    private readonly Dictionary<Expression, bool> invariants = new(ReferenceEqualityComparer.Instance);
    private int depth;

    public QueryScope Scope => scope;

    /// <summary>Series, for an expression whose kind is <see cref="ValueKind.Vector"/>.</summary>
    public List<StepSeries> Vector(Expression expression, TimeGrid grid)
    {
        if (grid.Count == 0)
        {
            return [];
        }

        var held = Enter();
        var list = grid.Count > 1 && IsInvariant(expression) ? Repeated(expression, grid) : VectorOf(expression, grid);
        Leave(expression, held, StepSeries.CountOf(list));
        return list;
    }

    /// <summary>The series of an expression whose kind is <see cref="ValueKind.Vector"/>, handed on one by one, where they can be as soon as each is known. The budget
    /// counts them as if all were held: so Prometheus does, and its limits mean the same here.</summary>
    public void Each(Expression expression, TimeGrid grid, Action<StepSeries> into)
    {
        var inner = Unwrap(expression);
        var mayStream = inner is VectorSelector || (inner is FunctionCall call && RangeCalls.MayStream(call));
        if (!mayStream || grid.Count == 0 || (grid.Count > 1 && IsInvariant(expression)))
        {
            Vector(expression, grid).ForEach(into);
            return;
        }

        var held = Enter();
        long count = 0;
        void Take(StepSeries series)
        {
            count += series.Count;
            into(series);
        }

        if (inner is VectorSelector selector)
        {
            Selectors.Each(selector, scope, grid, Take);
        }
        else
        {
            RangeCalls.Each((FunctionCall)inner, this, grid, Take);
        }

        Leave(expression, held, count);
    }

    /// <summary>A number for each step, for an expression whose kind is <see cref="ValueKind.Scalar"/>.</summary>
    public double[] Scalar(Expression expression, TimeGrid grid)
    {
        scope.Budget.CheckRoom(grid.Count);
        if (grid.Count == 0)
        {
            return [];
        }

        var held = Enter();
        double[] values;
        if (grid.Count > 1 && IsInvariant(expression))
        {
            values = new double[grid.Count];
            Array.Fill(values, Once(() => ScalarOf(expression, grid with { Count = 1 }), grid)[0]);
        }
        else
        {
            values = ScalarOf(expression, grid);
        }

        Leave(expression, held, values.Length);
        return values;
    }

    /// <summary>The parameter of an aggregation: a number for each step.</summary>
    public double[] Parameter(Expression expression, TimeGrid grid) =>
        (scope.Semantics == PromSemantics.V2 ? new Evaluator(scope with { OverlooksPins = true }) : this).Scalar(expression, grid);

    /// <summary>The windows of a range selector or subquery.</summary>
    public WindowSource Windows(Expression expression, TimeGrid grid) => Unwrap(expression) switch
    {
        MatrixSelector matrix => Selectors.Windows(matrix, scope, grid),
        Subquery subquery => SubqueryWindows(subquery, grid),
        var other => throw QueryException.Execution($"expected a range vector, got {other.Kind}"),
    };

    /// <summary>The text of an expression whose kind is <see cref="ValueKind.Text"/>.</summary>
    public static string Text(Expression expression) => ((TextLiteral)Unwrap(expression)).Value;

    /// <summary>An expression without the parentheses around it.</summary>
    public static Expression Unwrap(Expression expression)
    {
        while (expression is Parenthesized { Inner: var inner })
        {
            expression = inner;
        }

        return expression;
    }

    private List<StepSeries> VectorOf(Expression expression, TimeGrid grid) => Unwrap(expression) switch
    {
        VectorSelector selector => Selectors.Vector(selector, scope, grid),
        Aggregation aggregation => Aggregations.Evaluate(aggregation, this, grid),
        FunctionCall call => FunctionCalls.Vector(call, this, grid),
        Binary binary => BinaryOperators.Vector(binary, this, grid),
        Unary { IsMinus: false, Inner: var inner } => Vector(inner, grid),
        Unary { Inner: var inner } => Negated(Vector(inner, grid), grid),
        var other => throw QueryException.Execution($"expected an instant vector, got {other.Kind}"),
    };

    private double[] ScalarOf(Expression expression, TimeGrid grid)
    {
        switch (Unwrap(expression))
        {
            case NumberLiteral number:
                var values = new double[grid.Count];
                Array.Fill(values, number.Value);
                return values;
            case Unary unary:
                var inner = Scalar(unary.Inner, grid);
                for (var i = 0; unary.IsMinus && i < inner.Length; i++)
                {
                    inner[i] = -inner[i];
                }

                return inner;
            case Binary binary:
                return BinaryOperators.Scalar(binary, this, grid);
            case FunctionCall call:
                return FunctionCalls.Scalar(call, this, grid);
            case var other:
                throw QueryException.Execution($"expected a scalar, got {other.Kind}");
        }
    }

    private List<StepSeries> Negated(List<StepSeries> list, TimeGrid grid)
    {
        foreach (var series in list)
        {
            foreach (ref var value in series.Values.AsSpan())
            {
                value = StepSeries.IsAbsent(value) ? value : -value;
            }
        }

        return SeriesMerger.WithoutName(list, scope.Semantics, mayMerge: scope.Semantics == PromSemantics.V3 && grid.Count > 1);
    }

    private SubqueryWindows SubqueryWindows(Subquery subquery, TimeGrid grid)
    {
        var ends = scope.Shift(grid, subquery.Shift);
        var isV2 = scope.Semantics == PromSemantics.V2;
        var step = subquery.StepMs > 0 ? subquery.StepMs : scope.Options.DefaultStepMs;
        var from = ends.Start - subquery.RangeMs;
        var start = from / step * step; // steps are aligned to 1970, whatever the outer ones are
        start += start < from || (start == from && !isV2) ? step : 0;
        var count = ends.Last < start ? 0 : ((ends.Last - start) / step) + 1;
        // What is pinned by @ is evaluated once in Prometheus 2 even when no step of the subquery lies in its window: it may be refused.
        count = count == 0 && isV2 && IsInvariant(subquery.Inner) ? 1 : count;
        scope.Budget.CheckRoom(count);
        var inner = new TimeGrid(start, step, (int)count);
        var list = subquery.Inner.Kind == ValueKind.Scalar ? AsSeries(Scalar(subquery.Inner, inner)) : Vector(subquery.Inner, inner);
        return new SubqueryWindows(list, inner, scope.Budget) { Ends = ends, RangeMs = subquery.RangeMs, IncludesStart = isV2 };
    }

    private static List<StepSeries> AsSeries(double[] values) =>
        values.Length == 0 ? [] : [new StepSeries(LabelSet.Empty, 0, values, values.Length)];

    private List<StepSeries> Repeated(Expression expression, TimeGrid grid)
    {
        var once = Once(() => VectorOf(expression, grid with { Count = 1 }), grid);
        scope.Budget.CheckRoom((long)once.Count * grid.Count);
        var list = new List<StepSeries>(once.Count);
        foreach (var series in once)
        {
            var values = new double[grid.Count];
            Array.Fill(values, series.Values[0]);
            list.Add(new StepSeries(series.Labels, 0, values, values.Length));
            scope.Budget.Hold(values.Length - 1);
        }

        return list;
    }

    // Evaluated once, yet counted for every step: so Prometheus does.
    private T Once<T>(Func<T> evaluate, TimeGrid grid)
    {
        var total = scope.Budget.Total;
        var result = evaluate();
        scope.Budget.Count((scope.Budget.Total - total) * (grid.Count - 1));
        return result;
    }

    // Whether it evaluates to the same at every step, since all that it reads is pinned by @.
    private bool IsInvariant(Expression expression)
    {
        if (!invariants.TryGetValue(expression, out var isInvariant))
        {
            isInvariant = Unwrap(expression) switch
            {
                VectorSelector selector => IsPinned(selector.Shift),
                MatrixSelector matrix => IsPinned(matrix.Selector.Shift),
                Subquery subquery => IsPinned(subquery.Shift),
                Aggregation aggregation => IsInvariant(aggregation.Inner) && (aggregation.Parameter is null || IsInvariant(aggregation.Parameter)),
                Binary binary => IsInvariant(binary.Left) && IsInvariant(binary.Right),
                Unary unary => IsInvariant(unary.Inner),
                FunctionCall call => FunctionCalls.MayBeInvariant(call) && call.Arguments.All(IsInvariant),
                _ => true,
            };
            invariants[expression] = isInvariant;
        }

        return isInvariant;
    }

    private bool IsPinned(TimeShift shift) => shift.Pin != TimePin.None && !scope.OverlooksPins;

    private long Enter()
    {
        scope.Budget.Work(1000);
        return ++depth <= DepthMax ? scope.Budget.Held : throw QueryException.Execution($"expression is nested deeper than {DepthMax} levels");
    }

    private void Leave(Expression expression, long held, long result)
    {
        depth--;
        var isBeside = Unwrap(expression) switch
        {
            Binary => true,
            FunctionCall call => FunctionCalls.HoldsArguments(call),
            Aggregation aggregation => aggregation.Operator == AggregationOperator.CountValues,
            _ => false,
        };
        scope.Budget.NotePeak(isBeside ? result : 0);
        scope.Budget.Release(scope.Budget.Held - held);
        scope.Budget.Hold(result);
    }
}
