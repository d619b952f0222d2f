using System.Runtime.CompilerServices;

namespace Lm.PromQL.Functions;

/// <summary><c>rate</c>, <c>increase</c>, <c>delta</c>: the change between a window's ends, carried on to where the series probably began and ended.</summary>
/// <remarks>Each window takes constant time and gives the digits of a walk over all samples: a counter adds what it had before each reset, and resets
/// are found once for the series.</remarks>
internal sealed class Rate(bool isCounter, bool isRate, bool isV3) : RangeFunction
{
    private readonly List<int> resets = []; // indexes of samples lower than the one before
    private int nextReset;
    private long rangeMs; // of the last window, and the same in seconds
    private double rangeSeconds;

    public override bool WalksWindow => false;

    public override void Begin(ReadOnlySpan<long> times, ReadOnlySpan<double> values)
    {
        resets.Clear();
        nextReset = 0;
        for (var i = 1; isCounter && i < values.Length; i++)
        {
            if (values[i] < values[i - 1])
            {
                resets.Add(i);
            }
        }
    }

    public override double At(in Window window)
    {
        var times = window.Times;
        var values = window.Values;
        if (times.Length < 2)
        {
            return StepSeries.Absent;
        }

        var change = isCounter && resets.Count > 0 ? WithResets(values[^1] - values[0], window) : values[^1] - values[0];
        var sampled = (times[^1] - times[0]) / 1000.0;
        var distance = sampled / (times.Length - 1);
        var before = (times[0] - (window.End - window.RangeMs)) / 1000.0;
        var after = (window.End - times[^1]) / 1000.0;
        var covered = isV3 ? CoveredV3(change, values[0], sampled, distance, before, after) : CoveredV2(change, values[0], sampled, distance, before, after);
        var factor = sampled == 0 && isV3 ? 1 : covered / sampled;
        return change * (isRate ? factor / Seconds(window.RangeMs) : factor);
    }

    // A counter that fell began at zero again: what it had before belongs to the change.
    private double WithResets(double change, in Window window)
    {
        while (nextReset < resets.Count && resets[nextReset] <= window.First)
        {
            nextReset++;
        }

        for (var i = nextReset; i < resets.Count && resets[i] < window.First + window.Values.Length; i++)
        {
            change += window.Values[resets[i] - window.First - 1];
        }

        return change;
    }

    // The samples' own time and what the series is taken to have lived before and after them, within the window: up to its edge where that is about where
    // the next sample would be, and half a sample's distance else. A counter did not live before it was zero.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private double CoveredV3(double change, double first, double sampled, double distance, double before, double after)
    {
        before = Lived(before, distance);
        // Nothing reaches back further than 1.1 times the samples' own time, so zero matters only to a counter that has about doubled.
        if (isCounter && change > 0 && first >= 0 && first < 2 * change)
        {
            before = Nearer(sampled * (first / change), before);
        }

        return sampled + before + Lived(after, distance);
    }

    // Prometheus 2 looks for zero first, and then for how far the edge is: a counter may go back past its zero by half a distance.
    private double CoveredV2(double change, double first, double sampled, double distance, double before, double after)
    {
        if (isCounter && change > 0 && first >= 0)
        {
            before = Nearer(sampled * (first / change), before);
        }

        return sampled + Lived(before, distance) + Lived(after, distance);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static double Lived(double toEdge, double distance) => toEdge >= distance * 1.1 ? distance / 2 : toEdge;

    private static double Nearer(double toZero, double other) => toZero < other ? toZero : other;

    // Whole seconds and their rest apart: rounded twice, as Go's Duration.Seconds is.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private double Seconds(long milliseconds)
    {
        if (milliseconds != rangeMs)
        {
            (rangeMs, rangeSeconds) = (milliseconds, (milliseconds / 1000) + (milliseconds % 1000 * 1_000_000 / 1e9));
        }

        return rangeSeconds;
    }
}

/// <summary><c>irate</c> and <c>idelta</c>: the last two samples.</summary>
internal sealed class LastTwo(bool isRate) : RangeFunction
{
    public override bool WalksWindow => false;

    public override double At(in Window window)
    {
        if (window.Times.Length < 2)
        {
            return StepSeries.Absent;
        }

        var interval = window.Times[^1] - window.Times[^2];
        var (before, last) = (window.Values[^2], window.Values[^1]);
        var change = isRate && last < before ? last : last - before;
        return interval == 0 ? StepSeries.Absent : isRate ? change / (interval / 1000.0) : change;
    }
}

/// <summary><c>resets</c> and <c>changes</c>: how often a value was lower than, or other than, the one before.</summary>
internal sealed class Turns(bool resetsOnly) : RangeFunction
{
    private readonly List<int> sums = []; // turns up to each sample of the series

    public override bool WalksWindow => false;

    public override void Begin(ReadOnlySpan<long> times, ReadOnlySpan<double> values)
    {
        sums.Clear();
        var sum = 0;
        for (var i = 0; i < values.Length; i++)
        {
            sum += i > 0 && IsTurn(values[i - 1], values[i]) ? 1 : 0;
            sums.Add(sum);
        }
    }

    public override double At(in Window window) => sums[window.First + window.Values.Length - 1] - sums[window.First];

    private bool IsTurn(double before, double value) =>
        resetsOnly ? value < before : value != before && !(double.IsNaN(value) && double.IsNaN(before));
}

/// <summary><c>deriv</c> and <c>predict_linear</c>: least squares.</summary>
/// <param name="ahead">How far ahead of the time of evaluation to predict, seconds, by step; null for the slope alone.</param>
/// <param name="isV3">Whether as Prometheus 3.</param>
internal sealed class Regression(double[]? ahead, bool isV3) : RangeFunction
{
    public override double At(in Window window)
    {
        if (window.Times.Length < 2)
        {
            return StepSeries.Absent;
        }

        // Times near zero: seconds since 1970 squared would leave few digits for the rest.
        var (slope, intercept) = Line(window.Times, window.Values, ahead is null ? window.Times[0] : window.Time);
        return ahead is null ? slope : (slope * ahead[window.Step]) + intercept;
    }

    private (double Slope, double Intercept) Line(ReadOnlySpan<long> times, ReadOnlySpan<double> values, long origin)
    {
        double sumX = 0, restX = 0, sumY = 0, restY = 0, sumXY = 0, restXY = 0, sumXX = 0, restXX = 0;
        var isConstant = true;
        for (var i = 0; i < times.Length; i++)
        {
            isConstant &= i == 0 || values[i] == values[0];
            var x = (times[i] - origin) / 1e3;
            KahanSum.Add(x, ref sumX, ref restX, isV3);
            KahanSum.Add(values[i], ref sumY, ref restY, isV3);
            KahanSum.Add(x * values[i], ref sumXY, ref restXY, isV3);
            KahanSum.Add(x * x, ref sumXX, ref restXX, isV3);
        }

        if (isConstant)
        {
            return double.IsInfinity(values[0]) ? (double.NaN, double.NaN) : (0, values[0]);
        }

        double count = times.Length;
        sumX += restX;
        sumY += restY;
        sumXY += restXY;
        sumXX += restXX;
        var covariance = sumXY - (sumX * sumY / count);
        var variance = sumXX - (sumX * sumX / count);
        var slope = covariance / variance;
        return (slope, (sumY / count) - (slope * sumX / count));
    }
}

/// <summary><c>double_exponential_smoothing</c>, whose name was <c>holt_winters</c>.</summary>
/// <remarks>Source: https://en.wikipedia.org/wiki/Exponential_smoothing, "double".</remarks>
internal sealed class Smoothing(double[] smoothingFactors, double[] trendFactors) : RangeFunction
{
    public override double At(in Window window)
    {
        var smoothing = Check("smoothing", "sf", smoothingFactors[window.Step]);
        var trending = Check("trend", "tf", trendFactors[window.Step]);
        var values = window.Values;
        if (values.Length < 2)
        {
            return StepSeries.Absent;
        }

        double before = 0;
        var smoothed = values[0];
        var trend = values[1] - values[0];
        for (var i = 1; i < values.Length; i++)
        {
            var scaled = smoothing * values[i];
            if (i > 1)
            {
                trend = (trending * (smoothed - before)) + ((1 - trending) * trend);
            }

            var carried = (1 - smoothing) * (smoothed + trend);
            (before, smoothed) = (smoothed, scaled + carried);
        }

        return smoothed;
    }

    private static double Check(string what, string symbol, double factor) => factor is <= 0 or >= 1
        ? throw QueryException.Execution($"invalid {what} factor. Expected: 0 < {symbol} < 1, got: {FloatText.Fixed(factor)}")
        : factor;
}
