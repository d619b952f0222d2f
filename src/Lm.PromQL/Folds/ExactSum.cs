namespace Lm.PromQL.Folds;

/// <summary><c>sum</c>, with what rounding took from it.</summary>
internal struct ExactSum : IFoldCell
{
    private double sum;
    private double rest;

    public readonly double Value => sum + rest;

    public void Begin(double value) => sum = value;

    public void Add(double value) => KahanSum.Add(value, ref sum, ref rest, dropsRestAtInfinity: true);
}

/// <summary><c>sum</c> of Prometheus 2.</summary>
internal struct PlainSum : IFoldCell
{
    public double Value { get; private set; }

    public void Begin(double value) => Value = value;

    public void Add(double value) => Value += value;
}
