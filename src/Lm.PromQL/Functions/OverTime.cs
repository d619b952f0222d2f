namespace Lm.PromQL.Functions;

/// <summary>The functions whose names end in <c>_over_time</c>, but for that with a parameter.</summary>
internal static class OverTime
{
    public static RangeFunction? Find(string name, bool isV3) => name switch
    {
        "sum_over_time" => new SumOverTime(isV3),
        "avg_over_time" => isV3 ? new MeanOverTime() : new RunningMeanOverTime(),
        "min_over_time" => new ExtremeOverTime(isMax: false),
        "max_over_time" => new ExtremeOverTime(isMax: true),
        "count_over_time" => new CountOverTime(),
        "first_over_time" => new FirstOverTime(),
        "last_over_time" => new LastOverTime(),
        "present_over_time" or "absent_over_time" => new PresentOverTime(),
        "stddev_over_time" => new VarianceOverTime(isDeviation: true, isV3),
        "stdvar_over_time" => new VarianceOverTime(isDeviation: false, isV3),
        _ => null,
    };
}

/// <summary><c>sum_over_time</c>.</summary>
internal sealed class SumOverTime(bool isV3) : RangeFunction
{
    public override double At(in Window window)
    {
        double sum = 0, rest = 0;
        foreach (var value in window.Values)
        {
            KahanSum.Add(value, ref sum, ref rest, isV3);
        }

        return double.IsInfinity(sum) ? sum : sum + rest;
    }
}

/// <summary><c>avg_over_time</c>: the sum divided by the count, or, once that would overflow, the mean carried on.</summary>
internal sealed class MeanOverTime : RangeFunction
{
    public override double At(in Window window)
    {
        var values = window.Values;
        var sum = values[0];
        double rest = 0;
        for (var i = 1; i < values.Length; i++)
        {
            var (newSum, newRest) = (sum, rest);
            KahanSum.Add(values[i], ref newSum, ref newRest, dropsRestAtInfinity: true);
            if (double.IsInfinity(newSum))
            {
                return Carried(values, i, sum / i, rest / i);
            }

            (sum, rest) = (newSum, newRest);
        }

        double count = values.Length;
        return (sum / count) + (rest / count);
    }

    private static double Carried(ReadOnlySpan<double> values, int from, double mean, double rest)
    {
        for (var i = from; i < values.Length; i++)
        {
            var count = i + 1.0;
            var share = (count - 1) / count;
            mean *= share;
            rest *= share;
            KahanSum.Add(values[i] / count, ref mean, ref rest, dropsRestAtInfinity: true);
        }

        return mean + rest;
    }
}

/// <summary><c>avg_over_time</c> as Prometheus 2 computes it.</summary>
internal sealed class RunningMeanOverTime : RangeFunction
{
    public override double At(in Window window)
    {
        double mean = 0, rest = 0, count = 0;
        foreach (var value in window.Values)
        {
            count++;
            if (!Means.StaysInfinite(mean, value))
            {
                KahanSum.Add((value / count) - (mean / count), ref mean, ref rest, dropsRestAtInfinity: false);
            }
        }

        return double.IsInfinity(mean) ? mean : mean + rest;
    }
}

/// <summary><c>min_over_time</c> and <c>max_over_time</c>: NaN only if there is nothing else.</summary>
internal sealed class ExtremeOverTime(bool isMax) : RangeFunction
{
    public override double At(in Window window)
    {
        var extreme = window.Values[0];
        foreach (var value in window.Values)
        {
            extreme = (isMax ? value > extreme : value < extreme) || double.IsNaN(extreme) ? value : extreme;
        }

        return extreme;
    }
}

/// <summary><c>count_over_time</c>.</summary>
internal sealed class CountOverTime : RangeFunction
{
    public override bool WalksWindow => false;

    public override double At(in Window window) => window.Values.Length;
}

/// <summary><c>first_over_time</c>.</summary>
internal sealed class FirstOverTime : RangeFunction
{
    public override bool WalksWindow => false;

    public override double At(in Window window) => window.Values[0];
}

/// <summary><c>last_over_time</c>.</summary>
internal sealed class LastOverTime : RangeFunction
{
    public override bool WalksWindow => false;

    public override double At(in Window window) => window.Values[^1];
}

/// <summary><c>present_over_time</c>, and what <c>absent_over_time</c> is the opposite of.</summary>
internal sealed class PresentOverTime : RangeFunction
{
    public override bool WalksWindow => false;

    public override double At(in Window window) => 1;
}

/// <summary><c>stddev_over_time</c> and <c>stdvar_over_time</c>: Welford's algorithm with compensated sums.</summary>
internal sealed class VarianceOverTime(bool isDeviation, bool isV3) : RangeFunction
{
    public override double At(in Window window)
    {
        double count = 0, mean = 0, meanRest = 0, squares = 0, squaresRest = 0;
        foreach (var value in window.Values)
        {
            count++;
            var delta = value - (mean + meanRest);
            KahanSum.Add(delta / count, ref mean, ref meanRest, isV3);
            KahanSum.Add(delta * (value - (mean + meanRest)), ref squares, ref squaresRest, isV3);
        }

        var variance = (squares + squaresRest) / count;
        return isDeviation ? Math.Sqrt(variance) : variance;
    }
}

/// <summary><c>quantile_over_time</c>.</summary>
internal sealed class QuantileOverTime(double[] quantiles, Annotations annotations, TextPlace place) : RangeFunction
{
    private double[] sorted = [];

    // Warnings are noted by one thread.
    public override bool MayShare => false;

    public override double At(in Window window)
    {
        var quantile = quantiles[window.Step];
        annotations.CheckQuantile(quantile, place);
        if (sorted.Length < window.Values.Length)
        {
            sorted = new double[window.Values.Length * 2];
        }

        var values = sorted.AsSpan(0, window.Values.Length);
        window.Values.CopyTo(values);
        return Aggregations.Quantile(quantile, values);
    }
}
