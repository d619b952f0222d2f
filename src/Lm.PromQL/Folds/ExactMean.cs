namespace Lm.PromQL.Folds;

/// <summary><c>avg</c>: a sum that is divided at the end. One that would overflow is divided at once, and goes on as a mean that each value moves by its share.</summary>
internal struct ExactMean : IFoldCell
{
    private double level; // the sum; the mean once it is one
    private double rest;
    private double count;
    private bool isMean;

    public readonly double Value => isMean ? level + rest : (level / count) + (rest / count);

    public void Begin(double value) => (level, count) = (value, 1);

    public void Add(double value)
    {
        if (!isMean)
        {
            var (sum, sumRest) = (level, rest);
            KahanSum.Add(value, ref sum, ref sumRest, dropsRestAtInfinity: true);
            if (!double.IsInfinity(sum))
            {
                (level, rest, count) = (sum, sumRest, count + 1);
                return;
            }

            (level, rest, isMean) = (level / count, rest / count, true);
        }

        var others = count / (count + 1); // the weight of all values before
        count++;
        level *= others;
        rest *= others;
        KahanSum.Add(value / count, ref level, ref rest, dropsRestAtInfinity: true);
    }
}

/// <summary><c>avg</c> of Prometheus 2: the mean moves towards each value.</summary>
internal struct RunningMean : IFoldCell
{
    private double count;

    public double Value { get; private set; }

    public void Begin(double value) => (Value, count) = (value, 1);

    public void Add(double value)
    {
        count++;
        if (!Means.StaysInfinite(Value, value))
        {
            Value += (value / count) - (Value / count);
        }
    }
}
