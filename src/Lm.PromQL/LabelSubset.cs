using Lm.Tsdb;

namespace Lm.PromQL;

/// <summary>Series are the same when a part of their labels is: the groups of aggregations and the partners of binary operators.</summary>
/// <remarks>A hash over the labels in place: nothing is allocated to look a series up.</remarks>
/// <param name="isOn">Whether only the labels named count; otherwise all but them.</param>
/// <param name="names">The names.</param>
internal sealed class LabelSubset(bool isOn, string[] names) : IEqualityComparer<LabelSet>
{
    /// <summary>The labels that <c>on</c> or <c>by</c> names.</summary>
    public static LabelSubset On(IReadOnlyList<string> names) => new(true, [.. names.Distinct()]);

    /// <summary>All labels but those that <c>ignoring</c> or <c>without</c> names, and the metric's name.</summary>
    public static LabelSubset Ignoring(IReadOnlyList<string> names) => new(false, [.. names.Append(LabelSet.MetricNameLabel).Distinct()]);

    /// <summary>The labels that count.</summary>
    public LabelSet Of(LabelSet labels) => isOn ? labels.Only(names) : labels.Without(names);

    public bool Equals(LabelSet? x, LabelSet? y)
    {
        var left = x!.Labels;
        var right = y!.Labels;
        var (i, j) = (0, 0);
        while (true)
        {
            i = Next(left, i);
            j = Next(right, j);
            if (i == left.Length || j == right.Length)
            {
                return i == left.Length && j == right.Length;
            }

            if (left[i] != right[j])
            {
                return false;
            }

            i++;
            j++;
        }
    }

    public int GetHashCode(LabelSet obj)
    {
        var labels = obj.Labels;
        var hash = 17;
        for (var i = Next(labels, 0); i < labels.Length; i = Next(labels, i + 1))
        {
            // Values are told apart by their own hash; names only by their place: two sets of one query rarely differ in names alone.
            hash = (hash * -1521134295) + labels[i].Value.GetHashCode(StringComparison.Ordinal);
        }

        return hash;
    }

    private int Next(ReadOnlySpan<Label> labels, int from)
    {
        while (from < labels.Length && names.AsSpan().Contains(labels[from].Name) != isOn)
        {
            from++;
        }

        return from;
    }
}
