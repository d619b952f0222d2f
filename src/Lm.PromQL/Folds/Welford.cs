namespace Lm.PromQL.Folds;

/// <summary>Mean and sum of squared distances from it, value by value.</summary>
/// <remarks>Source: https://en.wikipedia.org/wiki/Algorithms_for_calculating_variance, "Welford's online algorithm".</remarks>
internal struct Welford
{
    private double count;
    private double mean;
    private double squares;

    public readonly double Variance => squares / count;

    public void Begin(double value, double ownSquares) => (count, mean, squares) = (1, value, ownSquares);

    public void Add(double value)
    {
        count++;
        var before = value - mean;
        mean += before / count;
        squares += before * (value - mean);
    }
}

/// <summary><c>stdvar</c>, by Welford's algorithm; of a single value that is no finite number there is none.</summary>
internal struct Spread : IFoldCell
{
    private Welford values;

    public readonly double Value => values.Variance;

    public void Begin(double value) => values.Begin(value, double.IsFinite(value) ? 0 : double.NaN);

    public void Add(double value) => values.Add(value);
}

/// <summary><c>stdvar</c> of Prometheus 2: that of a single value is zero, whatever it is.</summary>
internal struct SpreadFromZero : IFoldCell
{
    private Welford values;

    public readonly double Value => values.Variance;

    public void Begin(double value) => values.Begin(value, 0);

    public void Add(double value) => values.Add(value);
}

/// <summary><c>stddev</c>: the root of a variance.</summary>
internal struct Deviation<TSpread> : IFoldCell
    where TSpread : struct, IFoldCell
{
    private TSpread spread;

    public readonly double Value => Math.Sqrt(spread.Value);

    public void Begin(double value)
    {
        var begun = default(TSpread);
        begun.Begin(value);
        spread = begun;
    }

    public void Add(double value) => spread.Add(value);
}
