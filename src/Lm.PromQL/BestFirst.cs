namespace Lm.PromQL;

/// <summary>The order of values for <c>sort</c>, <c>topk</c> and the like: the largest or the smallest first, NaN last.</summary>
/// <remarks>Few are inserted one by one, each moved forward past those that are worse; every NaN is worse than whatever comes after it, another NaN included. So
/// NaNs turn round and equal values keep their order, as with Prometheus. Of more than twelve all equal ones keep their order; there Prometheus mixes them.</remarks>
/// <param name="largest">Whether the largest is best.</param>
internal readonly struct BestFirst(bool largest)
{
    private const int FewMax = 12;

    /// <summary>Whether a value has less right to stand in front.</summary>
    public bool IsWorse(double value, double other) => double.IsNaN(value) || (largest ? value < other : value > other);

    /// <summary>Sorts indexes by what they stand for.</summary>
    public void Sort(int[] indexes, Func<int, double> valueOf)
    {
        if (indexes.Length > FewMax)
        {
            var sign = largest ? -1 : 1;
            indexes.OrderBy(at => double.IsNaN(valueOf(at))).ThenBy(at => sign * valueOf(at)).ToArray().CopyTo(indexes, 0);
            return;
        }

        for (var next = 1; next < indexes.Length; next++)
        {
            for (var at = next; at > 0 && IsWorse(valueOf(indexes[at - 1]), valueOf(indexes[at])); at--)
            {
                (indexes[at - 1], indexes[at]) = (indexes[at], indexes[at - 1]);
            }
        }
    }
}
