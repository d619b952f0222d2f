using Lm.Tsdb;

namespace Lm.PromQL.Functions;

/// <summary><c>histogram_quantile</c> and <c>histogram_fraction</c> over classic histograms: series whose label <c>le</c> is a bucket's upper bound.</summary>
internal static class Histograms
{
    private const string BoundLabel = "le";

    // Counts of neighbouring buckets that differ by less are taken to be equal: rounding of rates makes them so.
    private const double SmallDelta = 1e-12;

    public static List<StepSeries> Quantile(FunctionCall call, Evaluator evaluator, TimeGrid grid)
    {
        var quantiles = evaluator.Scalar(call.Arguments[0], grid);
        var scope = evaluator.Scope;
        foreach (var quantile in quantiles)
        {
            scope.Annotations.CheckQuantile(quantile, Evaluator.Unwrap(call.Arguments[0]).Place);
        }

        var place = Evaluator.Unwrap(call.Arguments[1]).Place;
        return Evaluate(call.Arguments[1], evaluator, grid, (buckets, step) =>
        {
            var fix = new BucketFix();
            var value = QuantileOf(quantiles[step], buckets, scope.Semantics, ref fix);
            if (fix.IsForced)
            {
                scope.Annotations.InformOfMonotonicity(place, grid[step], fix.Lowest, fix.Highest, fix.Difference);
            }

            return value;
        });
    }

    public static List<StepSeries> Fraction(FunctionCall call, Evaluator evaluator, TimeGrid grid)
    {
        var lower = evaluator.Scalar(call.Arguments[0], grid);
        var upper = evaluator.Scalar(call.Arguments[1], grid);
        if (evaluator.Scope.Semantics == PromSemantics.V2)
        {
            evaluator.Vector(call.Arguments[2], grid);
            return []; // of native histograms alone then
        }

        return Evaluate(call.Arguments[2], evaluator, grid, (buckets, step) => FractionOf(lower[step], upper[step], buckets));
    }

    private static List<StepSeries> Evaluate(Expression argument, Evaluator evaluator, TimeGrid grid, Func<Memory<Bucket>, int, double> evaluate)
    {
        var scope = evaluator.Scope;
        var list = evaluator.Vector(argument, grid);
        var histograms = new Dictionary<LabelSet, List<(double Bound, StepSeries Series)>>();
        foreach (var series in list)
        {
            scope.Budget.Work(500);
            var text = series.Labels.ValueOf(BoundLabel);
            if (!FloatText.TryParse(text, out var bound))
            {
                scope.Annotations.Warn(
                    "bucket label \"le\" is missing or has a malformed value of " + FloatText.Quote(text), Evaluator.Unwrap(argument).Place);
                continue;
            }

            var labels = series.Labels.Without(BoundLabel);
            if (!histograms.TryGetValue(labels, out var buckets))
            {
                histograms[labels] = buckets = [];
            }

            buckets.Add((bound, series));
        }

        var merger = new SeriesMerger();
        foreach (var (labels, buckets) in histograms)
        {
            merger.Add(Over(labels.Without(SeriesMerger.MetadataLabels(scope.Semantics)), buckets, scope, evaluate));
        }

        return merger.Result(mayMerge: grid.Count > 1);
    }

    private static StepSeries? Over(
        LabelSet labels, List<(double Bound, StepSeries Series)> members, QueryScope scope, Func<Memory<Bucket>, int, double> evaluate)
    {
        var ordered = members.OrderBy(member => member.Bound).ToList(); // stays so for all steps
        var first = members.Min(member => member.Series.First);
        var places = new double[members.Max(member => member.Series.End) - first];
        var buckets = new Bucket[members.Count];
        for (var i = 0; i < places.Length; i++)
        {
            var count = 0;
            foreach (var (bound, series) in ordered)
            {
                var value = series.At(first + i);
                if (StepSeries.IsAbsent(value))
                {
                    continue;
                }

                if (count > 0 && buckets[count - 1].Bound == bound)
                {
                    buckets[count - 1].Count += value; // le="1" and le="1.0"
                }
                else
                {
                    buckets[count++] = new Bucket { Bound = bound, Count = value };
                }
            }

            scope.Budget.Work(members.Count * 4);
            places[i] = count == 0 ? StepSeries.Absent : evaluate(buckets.AsMemory(0, count), first + i);
        }

        return StepSeries.FromPlaces(labels, first, places);
    }

    private static double QuantileOf(double quantile, Memory<Bucket> sorted, PromSemantics semantics, ref BucketFix fix)
    {
        var buckets = sorted.Span;
        if (!(quantile is >= 0 and <= 1))
        {
            return double.IsNaN(quantile) ? double.NaN : quantile < 0 ? double.NegativeInfinity : double.PositiveInfinity;
        }

        if (!double.IsPositiveInfinity(buckets[^1].Bound))
        {
            return double.NaN;
        }

        Straighten(buckets, semantics, ref fix);
        var observations = buckets[^1].Count;
        if (buckets.Length < 2 || observations == 0)
        {
            return double.NaN;
        }

        var rank = quantile * observations;
        var at = FirstWith(buckets[..^1], rank);
        if (at == buckets.Length - 1)
        {
            return buckets[^2].Bound;
        }

        if (at == 0 && buckets[0].Bound <= 0)
        {
            return buckets[0].Bound;
        }

        var (start, count) = (0.0, buckets[at].Count);
        if (at > 0)
        {
            start = buckets[at - 1].Bound;
            count -= buckets[at - 1].Count;
            rank -= buckets[at - 1].Count;
        }

        return start + ((buckets[at].Bound - start) * (rank / count));
    }

    // By halves, as Prometheus searches: with NaN among the counts it matters which of them are looked at.
    private static int FirstWith(Span<Bucket> buckets, double rank)
    {
        var (low, high) = (0, buckets.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = buckets[middle].Count >= rank ? (low, middle) : (middle + 1, high);
        }

        return low;
    }

    // Counts may not decrease from bucket to bucket; rates of series scraped apart do.
    private static void Straighten(Span<Bucket> buckets, PromSemantics semantics, ref BucketFix fix)
    {
        var before = buckets[0].Count;
        for (var i = 1; i < buckets.Length; i++)
        {
            var count = buckets[i].Count;
            if (semantics == PromSemantics.V3 && count != before && IsAlmostEqual(before, count))
            {
                buckets[i].Count = before;
            }
            else if (count < before)
            {
                buckets[i].Count = before;
                fix.Add(buckets[i].Bound, before - count);
            }
            else if (semantics == PromSemantics.V3 || count > before)
            {
                before = count;
            }
        }
    }

    private static bool IsAlmostEqual(double left, double right)
    {
        const double SmallestNormal = 2.2250738585072014e-308;
        if (double.IsNaN(left) && double.IsNaN(right))
        {
            return true;
        }

        var sum = Math.Abs(left) + Math.Abs(right);
        var difference = Math.Abs(left - right);
        return left == 0 || right == 0 || sum < SmallestNormal
            ? difference < SmallDelta * SmallestNormal
            : difference / Math.Min(sum, double.MaxValue) < SmallDelta;
    }

    private static double FractionOf(double lower, double upper, Memory<Bucket> sorted)
    {
        var buckets = sorted.Span;
        var count = buckets[^1].Count;
        if (!double.IsPositiveInfinity(buckets[^1].Bound) || count == 0 || double.IsNaN(lower) || double.IsNaN(upper))
        {
            return double.NaN;
        }

        if (lower >= upper)
        {
            return 0;
        }

        var from = RankOf(lower, buckets);
        var until = RankOf(upper, buckets);
        return (until - from) / count;
    }

    // How many observations are below a value, those of its own bucket by share.
    private static double RankOf(double value, Span<Bucket> buckets)
    {
        var count = buckets[^1].Count;
        double rank = 0;
        var start = buckets[0].Bound <= 0 ? double.NegativeInfinity : 0;
        for (var i = 0; i < buckets.Length; i++)
        {
            start = i > 0 ? buckets[i - 1].Bound : start;
            if (start >= value)
            {
                return Math.Min(rank, count);
            }

            if (buckets[i].Bound > value)
            {
                var inside = double.IsNegativeInfinity(start)
                    ? buckets[i].Count
                    : rank + ((buckets[i].Count - rank) * (value - start) / (buckets[i].Bound - start));
                return inside > count ? count : inside;
            }

            rank = buckets[i].Count;
        }

        return count;
    }

    private struct Bucket
    {
        public double Bound;
        public double Count;
    }

    /// <summary>What had to be lifted.</summary>
    private struct BucketFix()
    {
        public bool IsForced { get; private set; }

        public double Lowest { get; private set; } = double.PositiveInfinity;

        public double Highest { get; private set; } = double.NegativeInfinity;

        public double Difference { get; private set; }

        public void Add(double bound, double difference)
        {
            IsForced = true;
            Lowest = Math.Min(Lowest, bound);
            Highest = Math.Max(Highest, bound);
            Difference = Math.Max(Difference, difference);
        }
    }
}
