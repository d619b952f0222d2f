namespace Lm.PromQL;

/// <summary>The times that an expression is evaluated at.</summary>
/// <param name="Start">The first, milliseconds.</param>
/// <param name="Step">Between two, at least 1.</param>
/// <param name="Count">How many; 0 for none.</param>
internal readonly record struct TimeGrid(long Start, long Step, int Count)
{
    public long Last => Start + (Count - 1) * Step;

    public long this[int step] => Start + step * Step;
}
