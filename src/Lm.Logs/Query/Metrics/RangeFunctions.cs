namespace Lm.Logs.Query.Metrics;

/// <summary>What is made of the unwrapped numbers of a window.</summary>
internal static class RangeFunctions
{
    /// <summary>Of a range aggregation; null when it is about lines.</summary>
    public static Accumulator.WindowFunction? Of(RangeAggregation range)
    {
        if (range.Unwrap is null)
        {
            return null;
        }

        var seconds = range.RangeMs / 1000.0;
        var quantile = range.Parameter ?? 0;
        return range.Operation switch
        {
            RangeOperation.Rate => values => Sum(values) / seconds,
            RangeOperation.Sum => Sum,
            RangeOperation.Average => static values => Sum(values) / values.Length,
            RangeOperation.Min => static values => Fold(values, (least, value) => value < least || double.IsNaN(least) ? value : least),
            RangeOperation.Max => static values => Fold(values, (most, value) => value > most || double.IsNaN(most) ? value : most),
            RangeOperation.Quantile => values => Quantile(values, quantile),
            RangeOperation.Deviation => static values => Math.Sqrt(Variance(values)),
            RangeOperation.Variance => Variance,
            RangeOperation.First => static values => values[0],
            RangeOperation.Last => static values => values[^1],
            RangeOperation.RateCounter => values => Growth(values) / seconds,
            _ => throw new ArgumentOutOfRangeException(nameof(range)),
        };
    }

    /// <summary>The sum.</summary>
    public static double Sum(ReadOnlySpan<double> values)
    {
        var sum = 0.0;
        foreach (var value in values)
        {
            sum += value;
        }

        return sum;
    }

    /// <summary>The mean of the squared distances from the mean.</summary>
    public static double Variance(ReadOnlySpan<double> values)
    {
        // Welford's: no difference of two large sums.
        var (mean, squares, count) = (0.0, 0.0, 0);
        foreach (var value in values)
        {
            count++;
            var distance = value - mean;
            mean += distance / count;
            squares += distance * (value - mean);
        }

        return squares / count;
    }

    /// <summary>A quantile, between two values in proportion; below 0 and above 1 infinite.</summary>
    public static double Quantile(ReadOnlySpan<double> values, double quantile)
    {
        if (double.IsNaN(quantile))
        {
            return double.NaN;
        }

        if (quantile is < 0 or > 1)
        {
            return quantile < 0 ? double.NegativeInfinity : double.PositiveInfinity;
        }

        var sorted = values.ToArray();
        Array.Sort(sorted);
        var rank = quantile * (sorted.Length - 1);
        var low = (int)Math.Floor(rank);
        var high = Math.Min(low + 1, sorted.Length - 1);
        var part = rank - low;
        return (sorted[low] * (1 - part)) + (sorted[high] * part);
    }

    // What it falls to it grew from nothing.
    private static double Growth(ReadOnlySpan<double> values)
    {
        var growth = 0.0;
        for (var i = 1; i < values.Length; i++)
        {
            growth += values[i] < values[i - 1] ? values[i] : values[i] - values[i - 1];
        }

        return growth;
    }

    private static double Fold(ReadOnlySpan<double> values, Func<double, double, double> choose)
    {
        var chosen = values[0];
        foreach (var value in values[1..])
        {
            chosen = choose(chosen, value);
        }

        return chosen;
    }
}
