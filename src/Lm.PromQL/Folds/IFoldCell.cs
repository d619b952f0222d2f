namespace Lm.PromQL.Folds;

/// <summary>What an aggregation knows of one group at one step.</summary>
internal interface IFoldCell
{
    /// <summary>What the values taken so far come to.</summary>
    double Value { get; }

    /// <summary>Takes the first value.</summary>
    void Begin(double value);

    /// <summary>Takes a further one.</summary>
    void Add(double value);
}
