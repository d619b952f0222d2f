namespace Lm.PromQL.Functions;

/// <summary>Calls of functions over range vectors.</summary>
internal static class RangeCalls
{
    private static readonly string[] CounterSuffixes = ["_total", "_sum", "_count", "_bucket"];

    public static List<StepSeries> Evaluate(FunctionCall call, Evaluator evaluator, TimeGrid grid)
    {
        var scope = evaluator.Scope;
        var maker = Maker(call, evaluator, grid);
        var argument = call.Arguments.First(argument => argument.Kind == ValueKind.Matrix);
        var total = scope.Budget.Total;
        using var windows = new SlidingWindows(evaluator.Windows(argument, grid), maker, grid);
        scope.Budget.Total = total; // a subquery's samples count as this function sees them, below
        var list = SeriesRun.All(windows, scope);
        switch (call.Function.Name)
        {
            case "absent_over_time":
                return Absence.Of(list, argument, grid);
            case "first_over_time" or "last_over_time":
                return list; // like an offset: the values are the metric's own
            case "rate" or "increase":
                InformOfNonCounters(list, Evaluator.Unwrap(argument).Place, scope);
                break;
        }

        return SeriesMerger.WithoutName(list, scope.Semantics, mayMerge: false);
    }

    // Each thread needs one of its own.
    private static Func<RangeFunction> Maker(FunctionCall call, Evaluator evaluator, TimeGrid grid)
    {
        var isV3 = evaluator.Scope.Semantics == PromSemantics.V3;
        double[] Number(int argument) => evaluator.Scalar(call.Arguments[argument], grid);
        switch (call.Function.Name)
        {
            case "rate":
                return () => new Rate(isCounter: true, isRate: true, isV3);
            case "increase":
                return () => new Rate(isCounter: true, isRate: false, isV3);
            case "delta":
                return () => new Rate(isCounter: false, isRate: false, isV3);
            case "irate":
                return () => new LastTwo(isRate: true);
            case "idelta":
                return () => new LastTwo(isRate: false);
            case "resets":
                return () => new Turns(resetsOnly: true);
            case "changes":
                return () => new Turns(resetsOnly: false);
            case "deriv":
                return () => new Regression(null, isV3);
            case "predict_linear":
                var ahead = Number(1);
                return () => new Regression(ahead, isV3);
            case "double_exponential_smoothing" or "holt_winters":
                var (smoothing, trend) = (Number(1), Number(2));
                return () => new Smoothing(smoothing, trend);
            case "quantile_over_time":
                var quantiles = Number(0);
                return () => new QuantileOverTime(quantiles, evaluator.Scope.Annotations, Evaluator.Unwrap(call.Arguments[0]).Place);
            case var name when OverTime.Find(name, isV3) is not null:
                return () => OverTime.Find(name, isV3)!;
            case var name:
                throw QueryException.Execution($"function \"{name}\" is not implemented");
        }
    }

    private static void InformOfNonCounters(List<StepSeries> list, TextPlace place, QueryScope scope)
    {
        var last = "";
        foreach (var series in list)
        {
            var name = series.Labels.MetricName;
            if (name != last && name.Length > 0 && !Array.Exists(CounterSuffixes, suffix => name.EndsWith(suffix, StringComparison.Ordinal)))
            {
                scope.Annotations.Inform(
                    "metric might not be a counter, name does not end in _total/_sum/_count/_bucket: " + GoText.Quote(name), place);
            }

            last = name;
        }
    }
}
