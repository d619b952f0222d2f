using Lm.Tsdb;

namespace Lm.PromQL.Functions;

/// <summary>Which function is which: hands each call to its family.</summary>
internal static class FunctionCalls
{
    /// <summary>Whether a call whose arguments are the same at every step is the same, too.</summary>
    public static bool MayBeInvariant(FunctionCall call) => call.Function.Name switch
    {
        "time" or "predict_linear" => false,
        "timestamp" => Evaluator.Unwrap(call.Arguments[0]) is VectorSelector,
        var name => !Dates.Has(name),
    };

    /// <summary>Whether Prometheus makes a call's result beside its arguments, so that both are held for a moment.</summary>
    public static bool HoldsArguments(FunctionCall call) =>
        !call.Function.Parameters.Contains(ValueKind.Matrix) && call.Function.Name is not ("label_replace" or "label_join")
        && !(call.Function.Name == "timestamp" && Evaluator.Unwrap(call.Arguments[0]) is VectorSelector);

    public static double[] Scalar(FunctionCall call, Evaluator evaluator, TimeGrid grid)
    {
        var values = new double[grid.Count];
        switch (call.Function.Name)
        {
            case "time":
                for (var step = 0; step < values.Length; step++)
                {
                    values[step] = grid[step] / 1000.0;
                }

                return values;
            case "pi":
                Array.Fill(values, Math.PI);
                return values;
            case "scalar":
                return TheOnly(evaluator.Vector(call.Arguments[0], grid), values, evaluator.Scope);
            default:
                throw Unknown(call);
        }
    }

    public static List<StepSeries> Vector(FunctionCall call, Evaluator evaluator, TimeGrid grid)
    {
        var name = call.Function.Name;
        if (call.Function.Parameters.Contains(ValueKind.Matrix))
        {
            return RangeCalls.Evaluate(call, evaluator, grid);
        }

        if (Values.TryEvaluate(call, evaluator, grid, out var result) || Dates.TryEvaluate(call, evaluator, grid, out result))
        {
            return result;
        }

        switch (name)
        {
            case "vector":
                var values = evaluator.Scalar(call.Arguments[0], grid);
                return [new StepSeries(LabelSet.Empty, 0, values, values.Length)];
            case "absent":
                return Absence.Of(evaluator.Vector(call.Arguments[0], grid), call.Arguments[0], grid);
            case "timestamp":
                return Timestamp(call.Arguments[0], evaluator, grid);
            case "sort" or "sort_desc":
                return Sorted(call, evaluator, grid);
            case "label_replace":
                return LabelFunctions.Replace(call, evaluator, grid);
            case "label_join":
                return LabelFunctions.Join(call, evaluator, grid);
            case "histogram_quantile":
                return Histograms.Quantile(call, evaluator, grid);
            case "histogram_fraction":
                return Histograms.Fraction(call, evaluator, grid);
            case "histogram_avg" or "histogram_count" or "histogram_sum" or "histogram_stddev" or "histogram_stdvar":
                evaluator.Vector(call.Arguments[0], grid); // of native histograms, which are not stored here; the argument's own faults still count
                return [];
            default:
                throw Unknown(call);
        }
    }

    private static QueryException Unknown(FunctionCall call) => QueryException.Execution($"function \"{call.Function.Name}\" is not implemented");

    // NaN unless exactly one series has a sample.
    private static double[] TheOnly(List<StepSeries> list, double[] values, QueryScope scope)
    {
        var counts = new int[values.Length];
        foreach (var series in list)
        {
            scope.Budget.Work(series.Values.Length + 20);
            for (var i = 0; i < series.Values.Length; i++)
            {
                if (!StepSeries.IsAbsent(series.Values[i]))
                {
                    counts[series.First + i]++;
                    values[series.First + i] = series.Values[i];
                }
            }
        }

        for (var step = 0; step < values.Length; step++)
        {
            values[step] = counts[step] == 1 ? values[step] : double.NaN;
        }

        return values;
    }

    private static List<StepSeries> Timestamp(Expression argument, Evaluator evaluator, TimeGrid grid)
    {
        var scope = evaluator.Scope;
        var mayMerge = grid.Count > 1;
        if (Evaluator.Unwrap(argument) is VectorSelector selector)
        {
            var times = Selectors.Vector(selector, scope, grid, asTimes: true);
            scope.Budget.NotePeak(times.Count); // the samples of a step, that the times were taken from
            return SeriesMerger.WithoutName(times, scope.Semantics, mayMerge);
        }

        var list = evaluator.Vector(argument, grid);
        foreach (var series in list)
        {
            for (var i = 0; i < series.Values.Length; i++)
            {
                series.Values[i] = StepSeries.IsAbsent(series.Values[i]) ? StepSeries.Absent : grid[series.First + i] / 1000.0;
            }
        }

        return SeriesMerger.WithoutName(list, scope.Semantics, mayMerge);
    }

    // Only an instant query has an order; NaN comes last either way.
    private static List<StepSeries> Sorted(FunctionCall call, Evaluator evaluator, TimeGrid grid)
    {
        var list = evaluator.Vector(call.Arguments[0], grid);
        if (grid.Count > 1)
        {
            evaluator.Scope.Annotations.Warn("sort is ineffective for range queries since results are always ordered by labels", call.Place);
            return list;
        }

        var indexes = Enumerable.Range(0, list.Count).ToArray();
        new BestFirst(largest: call.Function.Name == "sort_desc").Sort(indexes, at => list[at].Values[0]);
        return [.. indexes.Select(at => list[at])];
    }
}
