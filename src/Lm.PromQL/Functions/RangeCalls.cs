using Lm.Tsdb;

namespace Lm.PromQL.Functions;

/// <summary>Calls of functions over range vectors.</summary>
internal static class RangeCalls
{
    public static List<StepSeries> Evaluate(FunctionCall call, Evaluator evaluator, TimeGrid grid)
    {
        var scope = evaluator.Scope;
        using var windows = Windows(call, evaluator, grid);
        var list = SeriesRun.All(windows, scope);
        if (call.Function.Name == "absent_over_time")
        {
            return Absence.Of(list, ArgumentOf(call), grid);
        }

        var informer = InformerOf(call, scope);
        list.ForEach(series => informer?.Look(series.Labels));
        return KeepsName(call) ? list : SeriesMerger.WithoutName(list, scope.Semantics, mayMerge: false);
    }

    /// <summary>Whether <see cref="Each"/> can give a call's series one by one.</summary>
    public static bool MayStream(FunctionCall call) => call.Function.Parameters.Contains(ValueKind.Matrix) && call.Function.Name != "absent_over_time";

    /// <summary>Hands on the series of a call, each as soon as it is known.</summary>
    public static void Each(FunctionCall call, Evaluator evaluator, TimeGrid grid, Action<StepSeries> into)
    {
        var scope = evaluator.Scope;
        using var windows = Windows(call, evaluator, grid);
        var informer = InformerOf(call, scope);
        var names = KeepsName(call) ? null : new NameDropper(scope.Semantics);
        SeriesRun.Each(windows, scope, series =>
        {
            informer?.Look(series.Labels);
            names?.Drop(series);
            into(series);
        });
        names?.RefuseDuplicates();
    }

    private static SlidingWindows Windows(FunctionCall call, Evaluator evaluator, TimeGrid grid)
    {
        var budget = evaluator.Scope.Budget;
        var maker = Maker(call, evaluator, grid);
        var total = budget.Total;
        var windows = new SlidingWindows(evaluator.Windows(ArgumentOf(call), grid), maker, grid);
        budget.Total = total; // a subquery's samples count as this function sees them
        return windows;
    }

    private static Expression ArgumentOf(FunctionCall call) => call.Arguments.First(argument => argument.Kind == ValueKind.Matrix);

    // Like an offset: the values are the metric's own.
    private static bool KeepsName(FunctionCall call) => call.Function.Name is "first_over_time" or "last_over_time";

    private static CounterInformer? InformerOf(FunctionCall call, QueryScope scope) =>
        call.Function.Name is "rate" or "increase" ? new CounterInformer(scope.Annotations, Evaluator.Unwrap(ArgumentOf(call)).Place) : null;

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
}

/// <summary>Says of which metrics a rate was asked that are none of counters, by their names.</summary>
internal sealed class CounterInformer(Annotations annotations, TextPlace place)
{
    private static readonly string[] CounterSuffixes = ["_total", "_sum", "_count", "_bucket"];

    private string last = "";

    /// <summary>Looks at a series' labels.</summary>
    public void Look(LabelSet labels)
    {
        var name = labels.MetricName;
        if (name != last && name.Length > 0 && !Array.Exists(CounterSuffixes, suffix => name.EndsWith(suffix, StringComparison.Ordinal)))
        {
            annotations.Inform("metric might not be a counter, name does not end in _total/_sum/_count/_bucket: " + GoText.Quote(name), place);
        }

        last = name;
    }
}
