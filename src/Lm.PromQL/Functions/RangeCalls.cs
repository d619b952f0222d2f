using Lm.Tsdb;

namespace Lm.PromQL.Functions;

/// <summary>Calls of functions over range vectors: moves each series' window along the grid with two indexes.</summary>
internal static class RangeCalls
{
    private static readonly string[] CounterSuffixes = ["_total", "_sum", "_count", "_bucket"];

    public static List<StepSeries> Evaluate(FunctionCall call, Evaluator evaluator, TimeGrid grid)
    {
        var scope = evaluator.Scope;
        var function = Create(call, evaluator, grid);
        var argument = call.Arguments.First(argument => argument.Kind == ValueKind.Matrix);
        var total = scope.Budget.Total;
        using var windows = evaluator.Windows(argument, grid);
        scope.Budget.Total = total; // a subquery's samples count as this function sees them, below
        var list = Slide(function, windows, scope, grid);
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

    private static RangeFunction Create(FunctionCall call, Evaluator evaluator, TimeGrid grid)
    {
        var isV3 = evaluator.Scope.Semantics == PromSemantics.V3;
        double[] Number(int argument) => evaluator.Scalar(call.Arguments[argument], grid);
        return call.Function.Name switch
        {
            "rate" => new Rate(isCounter: true, isRate: true, isV3),
            "increase" => new Rate(isCounter: true, isRate: false, isV3),
            "delta" => new Rate(isCounter: false, isRate: false, isV3),
            "irate" => new LastTwo(isRate: true),
            "idelta" => new LastTwo(isRate: false),
            "resets" => new Turns(resetsOnly: true),
            "changes" => new Turns(resetsOnly: false),
            "deriv" => new Regression(null, isV3),
            "predict_linear" => new Regression(Number(1), isV3),
            "double_exponential_smoothing" or "holt_winters" => new Smoothing(Number(1), Number(2)),
            "quantile_over_time" =>
                new QuantileOverTime(Number(0), evaluator.Scope.Annotations, Evaluator.Unwrap(call.Arguments[0]).Place),
            var name => OverTime.Find(name, isV3) ?? throw QueryException.Execution($"function \"{name}\" is not implemented"),
        };
    }

    private static List<StepSeries> Slide(RangeFunction function, WindowSource windows, QueryScope scope, TimeGrid grid)
    {
        var budget = scope.Budget;
        var list = new List<StepSeries>(Math.Min(windows.Count, 1024));
        var places = new double[grid.Count];
        for (var i = 0; i < windows.Count; i++)
        {
            var samples = windows.Load(i);
            budget.Work(samples.Count + grid.Count + 100);
            if (samples.Count == 0)
            {
                continue;
            }

            function.Begin(samples.Times, samples.Values);
            var lastWindow = Slide(function, windows, samples, places, budget, grid);
            if (StepSeries.FromPlaces(windows.Labels(i), 0, places) is { } series)
            {
                budget.Hold(series.Count);
                budget.NotePeak(lastWindow);
                list.Add(series);
            }
        }

        return list;
    }

    // Gives the size of the last window, which is still held when the series is done.
    private static int Slide(RangeFunction function, WindowSource windows, SampleBuffer samples, double[] places, QueryBudget budget, TimeGrid grid)
    {
        var times = samples.Times;
        var values = samples.Values;
        var (from, until) = (0, 0);
        long total = 0;
        var largest = 0;
        for (var step = 0; step < places.Length; step++)
        {
            var end = windows.Ends[step];
            var start = end - windows.RangeMs - (windows.IncludesStart ? 1 : 0); // does not belong to the window
            while (until < times.Length && times[until] <= end)
            {
                until++;
            }

            while (from < until && times[from] <= start)
            {
                from++;
            }

            var count = until - from;
            if (count == 0)
            {
                places[step] = StepSeries.Absent;
                continue;
            }

            total += count;
            if (count > largest)
            {
                largest = count;
                budget.NotePeak(count);
            }

            if (function.WalksWindow)
            {
                budget.Work(count * 4);
            }

            places[step] = function.At(new Window
            {
                Times = times.Slice(from, count),
                Values = values.Slice(from, count),
                First = from,
                Step = step,
                Time = grid[step],
                End = end,
                RangeMs = windows.RangeMs,
            });
        }

        budget.Count(total);
        return until - from;
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
