namespace Lm.PromQL;

/// <summary>The places of one group while its series are added: one state for each step.</summary>
/// <param name="first">The step of the first place.</param>
/// <param name="length">How many places.</param>
internal abstract class Fold(int first, int length)
{
    /// <summary>The group's values so far; a place nothing was added to is absent.</summary>
    protected double[] Values { get; } = AllAbsent(length);

    public static Fold For(AggregationOperator op, int first, int length, PromSemantics semantics) => (op, semantics) switch
    {
        (AggregationOperator.Sum, PromSemantics.V3) => new KahanSumFold(first, length),
        (AggregationOperator.Sum, _) => new PlainSumFold(first, length),
        (AggregationOperator.Avg, PromSemantics.V3) => new KahanMeanFold(first, length),
        (AggregationOperator.Avg, _) => new RunningMeanFold(first, length),
        (AggregationOperator.Min, _) => new MinFold(first, length),
        (AggregationOperator.Max, _) => new MaxFold(first, length),
        (AggregationOperator.Count, _) => new CountFold(first, length),
        (AggregationOperator.Group, _) => new GroupFold(first, length),
        (AggregationOperator.Stddev, _) => new VarianceFold(first, length, semantics, isDeviation: true),
        _ => new VarianceFold(first, length, semantics, isDeviation: false),
    };

    /// <summary>Adds a series.</summary>
    public void Add(StepSeries series)
    {
        var source = series.Values;
        var offset = series.First - first;
        for (var i = 0; i < source.Length; i++)
        {
            if (!StepSeries.IsAbsent(source[i]))
            {
                AddAt(offset + i, source[i]);
            }
        }
    }

    /// <summary>The group's values.</summary>
    public virtual double[] Finish() => Values;

    protected abstract void AddAt(int place, double value);

    protected bool IsFirst(int place) => StepSeries.IsAbsent(Values[place]);

    private static double[] AllAbsent(int length)
    {
        var values = new double[length];
        Array.Fill(values, StepSeries.Absent);
        return values;
    }
}

internal sealed class KahanSumFold(int first, int length) : Fold(first, length)
{
    private readonly double[] rests = new double[length];

    public override double[] Finish()
    {
        for (var i = 0; i < rests.Length; i++)
        {
            Values[i] = IsFirst(i) ? StepSeries.Absent : Values[i] + rests[i];
        }

        return Values;
    }

    protected override void AddAt(int place, double value)
    {
        if (IsFirst(place))
        {
            Values[place] = value;
        }
        else
        {
            KahanSum.Add(value, ref Values[place], ref rests[place], dropsRestAtInfinity: true);
        }
    }
}

internal sealed class PlainSumFold(int first, int length) : Fold(first, length)
{
    protected override void AddAt(int place, double value) => Values[place] = IsFirst(place) ? value : Values[place] + value;
}

/// <summary>The sum divided by the count; where the sum would overflow, the mean itself is carried on from there.</summary>
internal sealed class KahanMeanFold(int first, int length) : Fold(first, length)
{
    private readonly double[] rests = new double[length];
    private readonly int[] counts = new int[length]; // negative: the value is a running mean

    public override double[] Finish()
    {
        for (var i = 0; i < counts.Length; i++)
        {
            Values[i] = counts[i] == 0 ? StepSeries.Absent
                : counts[i] < 0 ? Values[i] + rests[i]
                : (Values[i] / counts[i]) + (rests[i] / counts[i]);
        }

        return Values;
    }

    protected override void AddAt(int place, double value)
    {
        ref var count = ref counts[place];
        ref var mean = ref Values[place];
        ref var rest = ref rests[place];
        if (count == 0)
        {
            (count, mean) = (1, value);
            return;
        }

        if (count > 0)
        {
            var (sum, newRest) = (mean, rest);
            KahanSum.Add(value, ref sum, ref newRest, dropsRestAtInfinity: true);
            if (!double.IsInfinity(sum))
            {
                count++;
                (mean, rest) = (sum, newRest);
                return;
            }

            mean /= count;
            rest /= count;
            count = -count;
        }

        count--;
        double number = -count;
        var share = (number - 1) / number;
        mean *= share;
        rest *= share;
        KahanSum.Add(value / number, ref mean, ref rest, dropsRestAtInfinity: true);
    }
}

/// <summary>The mean as Prometheus 2 computes it.</summary>
internal sealed class RunningMeanFold(int first, int length) : Fold(first, length)
{
    private readonly int[] counts = new int[length];

    protected override void AddAt(int place, double value)
    {
        ref var mean = ref Values[place];
        if (counts[place]++ == 0)
        {
            mean = value;
            return;
        }

        if (double.IsInfinity(mean))
        {
            // Taking the mean off itself would make it NaN: Inf stays, unless the value is NaN or the other infinity.
            var isSame = double.IsInfinity(value) && (mean > 0) == (value > 0);
            if (isSame || double.IsFinite(value))
            {
                return;
            }
        }

        double count = counts[place];
        mean += (value / count) - (mean / count);
    }
}

internal sealed class MinFold(int first, int length) : Fold(first, length)
{
    protected override void AddAt(int place, double value) =>
        Values[place] = IsFirst(place) || Values[place] > value || double.IsNaN(Values[place]) ? value : Values[place];
}

internal sealed class MaxFold(int first, int length) : Fold(first, length)
{
    protected override void AddAt(int place, double value) =>
        Values[place] = IsFirst(place) || Values[place] < value || double.IsNaN(Values[place]) ? value : Values[place];
}

internal sealed class CountFold(int first, int length) : Fold(first, length)
{
    protected override void AddAt(int place, double value) => Values[place] = IsFirst(place) ? 1 : Values[place] + 1;
}

internal sealed class GroupFold(int first, int length) : Fold(first, length)
{
    protected override void AddAt(int place, double value) => Values[place] = 1;
}

/// <summary>Variance by Welford's algorithm.</summary>
internal sealed class VarianceFold(int first, int length, PromSemantics semantics, bool isDeviation) : Fold(first, length)
{
    private readonly double[] means = new double[length];
    private readonly int[] counts = new int[length];

    public override double[] Finish()
    {
        for (var i = 0; i < counts.Length; i++)
        {
            var variance = Values[i] / counts[i];
            Values[i] = counts[i] == 0 ? StepSeries.Absent : isDeviation ? Math.Sqrt(variance) : variance;
        }

        return Values;
    }

    protected override void AddAt(int place, double value)
    {
        double count = ++counts[place];
        if (count == 1)
        {
            means[place] = value;
            Values[place] = semantics == PromSemantics.V2 || double.IsFinite(value) ? 0 : double.NaN;
            return;
        }

        var delta = value - means[place];
        means[place] += delta / count;
        Values[place] += delta * (value - means[place]);
    }
}
