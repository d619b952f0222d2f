namespace Lm.PromQL.Functions;

/// <summary>Functions of each value alone: <c>abs</c>, <c>clamp</c>, <c>round</c>, logarithms, trigonometry.</summary>
internal static class Values
{
    public static bool TryEvaluate(FunctionCall call, Evaluator evaluator, TimeGrid grid, out List<StepSeries> result)
    {
        result = [];
        if (call.Function.Name is "clamp" or "clamp_min" or "clamp_max" or "round")
        {
            result = WithNumbers(call, evaluator, grid);
            return true;
        }

        if (Find(call.Function.Name) is not { } function)
        {
            return false;
        }

        var list = evaluator.Vector(call.Arguments[0], grid);
        foreach (var series in list)
        {
            evaluator.Scope.Budget.Work(series.Values.Length * 4);
            foreach (ref var value in series.Values.AsSpan())
            {
                value = StepSeries.IsAbsent(value) ? value : function(value);
            }
        }

        result = SeriesMerger.WithoutName(list, evaluator.Scope.Semantics, mayMerge: grid.Count > 1);
        return true;
    }

    private static Func<double, double>? Find(string name) => name switch
    {
        "abs" => Math.Abs,
        "ceil" => Math.Ceiling,
        "floor" => Math.Floor,
        "exp" => Math.Exp,
        "sqrt" => Math.Sqrt,
        "ln" => Math.Log,
        "log2" => Math.Log2,
        "log10" => Math.Log10,
        "sin" => Math.Sin,
        "cos" => Math.Cos,
        "tan" => Math.Tan,
        "asin" => Math.Asin,
        "acos" => Math.Acos,
        "atan" => Math.Atan,
        "sinh" => static value => IsBeyondExp(value) ? Math.CopySign(double.PositiveInfinity, value) : Math.Sinh(value),
        "cosh" => static value => IsBeyondExp(value) ? double.PositiveInfinity : Math.Cosh(value),
        "tanh" => Math.Tanh,
        "asinh" => Math.Asinh,
        "acosh" => Math.Acosh,
        "atanh" => Math.Atanh,
        "rad" => static value => value * Math.PI / 180,
        "deg" => static value => value * 180 / Math.PI,
        "sgn" => static value => value < 0 ? -1 : value > 0 ? 1 : value,
        _ => null,
    };

    private static List<StepSeries> WithNumbers(FunctionCall call, Evaluator evaluator, TimeGrid grid)
    {
        var list = evaluator.Vector(call.Arguments[0], grid);
        var first = call.Arguments.Count > 1 ? evaluator.Scalar(call.Arguments[1], grid) : null;
        var second = call.Arguments.Count > 2 ? evaluator.Scalar(call.Arguments[2], grid) : null;
        var kept = new List<StepSeries>(list.Count);
        foreach (var series in list)
        {
            evaluator.Scope.Budget.Work(series.Values.Length * 2);
            for (var i = 0; i < series.Values.Length; i++)
            {
                ref var value = ref series.Values[i];
                var step = series.First + i;
                value = StepSeries.IsAbsent(value) ? value : call.Function.Name switch
                {
                    "round" => Round(value, first?[step] ?? 1),
                    "clamp_min" => Clamp(value, first![step], double.PositiveInfinity),
                    "clamp_max" => Clamp(value, double.NegativeInfinity, first![step]),
                    _ => Clamp(value, first![step], second![step]),
                };
            }

            if (StepSeries.FromPlaces(series.Labels, series.First, series.Values) is { } rest)
            {
                kept.Add(rest);
            }
        }

        // Only what is left can clash without its name: clamp with its bounds the wrong way round leaves nothing.
        return SeriesMerger.WithoutName(kept, evaluator.Scope.Semantics, mayMerge: grid.Count > 1);
    }

    // Prometheus halves e^x, which is infinite a little before its half is.
    private static bool IsBeyondExp(double value) => double.IsPositiveInfinity(Math.Exp(Math.Abs(value)));

    // Halves go up. Divided by the inverse, which loses fewer digits.
    private static double Round(double value, double nearest)
    {
        var inverse = 1 / nearest;
        return Math.Floor((value * inverse) + 0.5) / inverse;
    }

    private static double Clamp(double value, double min, double max) => max < min ? StepSeries.Absent : Max(min, Min(max, value));

    // As Go has them: the infinity that decides wins even over NaN.
    private static double Max(double left, double right) =>
        double.IsPositiveInfinity(left) || double.IsPositiveInfinity(right) ? double.PositiveInfinity : Math.Max(left, right);

    private static double Min(double left, double right) =>
        double.IsNegativeInfinity(left) || double.IsNegativeInfinity(right) ? double.NegativeInfinity : Math.Min(left, right);
}
