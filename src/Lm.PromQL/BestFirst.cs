namespace Lm.PromQL;

/// <summary>The order of values for <c>sort</c>, <c>topk</c> and the like: the largest or the smallest first, NaN last.</summary>
/// <remarks>Every NaN is worse than whatever it is compared with, another NaN included; where equal values end is <see cref="PatternSort"/>'s, as with Prometheus.</remarks>
/// <param name="largest">Whether the largest is best.</param>
internal readonly struct BestFirst(bool largest)
{
    /// <summary>Whether a value has less right to stand in front.</summary>
    public bool IsWorse(double value, double other) => double.IsNaN(value) || (largest ? value < other : value > other);

    /// <summary>Sorts indexes by what they stand for.</summary>
    public void Sort(int[] indexes, Func<int, double> valueOf)
    {
        var order = this;
        new PatternSort(indexes, (left, right) => order.IsWorse(valueOf(right), valueOf(left))).Sort();
    }
}
