namespace Lm.Tsdb;

/// <summary>All labels of a series, the metric name under <c>__name__</c>: sorted by the names' UTF-8 bytes, names unique, no empty values. Immutable.</summary>
public sealed class LabelSet : IEquatable<LabelSet>
{
    /// <summary>The label that carries the metric's name.</summary>
    public const string MetricNameLabel = "__name__";

    private readonly Label[] labels;
    private readonly int hash;

    /// <summary>Takes labels in any order; those with an empty value are none, of two with one name the first stays.</summary>
    public LabelSet(params ReadOnlySpan<Label> given)
    {
        var sorted = new List<Label>(given.Length);
        foreach (var label in given)
        {
            if (label.Value.Length > 0 && !sorted.Exists(other => other.Name == label.Name))
            {
                sorted.Add(label);
            }
        }

        sorted.Sort(static (left, right) => Utf8Order.Compare(left.Name, right.Name));
        labels = [.. sorted];
        hash = HashOf(labels);
    }

    private LabelSet(Label[] sorted)
    {
        labels = sorted;
        hash = HashOf(sorted);
    }

    /// <summary>Takes over labels that are sorted, unique and not empty, as a block's index has them.</summary>
    internal static LabelSet FromSorted(Label[] sorted) => new(sorted);

    /// <summary>The labels, sorted by name.</summary>
    public ReadOnlySpan<Label> Labels => labels;

    /// <summary>The metric's name; empty for a series without one.</summary>
    public string MetricName => ValueOf(MetricNameLabel);

    /// <summary>A label's value; empty when the series does not have it, which in PromQL is the same.</summary>
    public string ValueOf(string name)
    {
        foreach (ref readonly var label in labels.AsSpan())
        {
            if (label.Name == name)
            {
                return label.Value;
            }
        }

        return "";
    }

    /// <inheritdoc/>
    public bool Equals(LabelSet? other) => ReferenceEquals(this, other) || other is not null && hash == other.hash && labels.AsSpan().SequenceEqual(other.labels);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as LabelSet);

    /// <inheritdoc/>
    public override int GetHashCode() => hash;

    /// <summary>Label by label, names before values, by UTF-8 bytes: the order of answers and of a block's series.</summary>
    public int CompareTo(LabelSet? other)
    {
        if (other is null)
        {
            return 1;
        }

        for (var i = 0; i < labels.Length && i < other.labels.Length; i++)
        {
            var order = Utf8Order.Compare(labels[i].Name, other.labels[i].Name);
            order = order != 0 ? order : Utf8Order.Compare(labels[i].Value, other.labels[i].Value);
            if (order != 0)
            {
                return order;
            }
        }

        return labels.Length.CompareTo(other.labels.Length);
    }

    /// <inheritdoc/>
    public override string ToString() => "{" + string.Join(", ", labels.Select(label => $"{label.Name}=\"{label.Value}\"")) + "}";

    private static int HashOf(Label[] labels)
    {
        var code = new HashCode();
        foreach (var label in labels)
        {
            code.Add(label.Name);
            code.Add(label.Value);
        }

        return code.ToHashCode();
    }
}
