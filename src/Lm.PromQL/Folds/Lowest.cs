namespace Lm.PromQL.Folds;

/// <summary><c>min</c>: NaN only if there is nothing else.</summary>
internal struct Lowest : IFoldCell
{
    public double Value { get; private set; }

    public void Begin(double value) => Value = value;

    public void Add(double value) => Value = value < Value || double.IsNaN(Value) ? value : Value;
}

/// <summary><c>max</c>: NaN only if there is nothing else.</summary>
internal struct Highest : IFoldCell
{
    public double Value { get; private set; }

    public void Begin(double value) => Value = value;

    public void Add(double value) => Value = value > Value || double.IsNaN(Value) ? value : Value;
}

/// <summary><c>count</c>.</summary>
internal struct Counter : IFoldCell
{
    public double Value { get; private set; }

    public void Begin(double value) => Value = 1;

    public void Add(double value) => Value++;
}

/// <summary><c>group</c>.</summary>
internal struct Presence : IFoldCell
{
    public readonly double Value => 1;

    public readonly void Begin(double value)
    {
    }

    public readonly void Add(double value)
    {
    }
}
