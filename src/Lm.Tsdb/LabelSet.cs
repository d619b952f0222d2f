namespace Lm.Tsdb;

/// <summary>All labels of a series, the metric name under <c>__name__</c>: sorted by the names' UTF-8 bytes, names unique, no empty values. Immutable.</summary>
public sealed class LabelSet : IEquatable<LabelSet>
{
    /// <summary>The label that carries the metric's name.</summary>
    public const string MetricNameLabel = "__name__";

    private readonly Label[] labels;

    // Computed at the first use, since most sets of a query are never looked up; 0 means not yet. Two threads at once compute the same.
    private int hash;

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
    }

    private LabelSet(Label[] sorted) => labels = sorted;

    /// <summary>The set without any label.</summary>
    public static LabelSet Empty { get; } = new();

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

    /// <summary>This set without the labels named.</summary>
    public LabelSet Without(params ReadOnlySpan<string> names) => Filtered(names, keeps: false);

    /// <summary>Only those of this set's labels that are named.</summary>
    public LabelSet Only(params ReadOnlySpan<string> names) => Filtered(names, keeps: true);

    /// <summary>This set with one label set; an empty value removes it.</summary>
    public LabelSet With(string name, string value)
    {
        if (value.Length == 0)
        {
            return Without(name);
        }

        var at = 0;
        while (at < labels.Length && Utf8Order.Compare(labels[at].Name, name) < 0)
        {
            at++;
        }

        var replaces = at < labels.Length && labels[at].Name == name;
        var changed = new Label[labels.Length + (replaces ? 0 : 1)];
        labels.AsSpan(0, at).CopyTo(changed);
        changed[at] = new Label(name, value);
        labels.AsSpan(at + (replaces ? 1 : 0)).CopyTo(changed.AsSpan(at + 1));
        return new LabelSet(changed);
    }

    /// <inheritdoc/>
    public bool Equals(LabelSet? other) =>
        ReferenceEquals(this, other) || (other is not null && GetHashCode() == other.GetHashCode() && labels.AsSpan().SequenceEqual(other.labels));

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as LabelSet);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        if (hash == 0)
        {
            var code = new HashCode();
            foreach (var label in labels)
            {
                code.Add(label.Name);
                code.Add(label.Value);
            }

            hash = Math.Max(1, code.ToHashCode() & int.MaxValue);
        }

        return hash;
    }

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

    private LabelSet Filtered(ReadOnlySpan<string> names, bool keeps)
    {
        var count = 0;
        foreach (ref readonly var label in labels.AsSpan())
        {
            count += names.Contains(label.Name) == keeps ? 1 : 0;
        }

        if (count == labels.Length)
        {
            return this;
        }

        var left = new Label[count];
        var at = 0;
        foreach (ref readonly var label in labels.AsSpan())
        {
            if (names.Contains(label.Name) == keeps)
            {
                left[at++] = label;
            }
        }

        return new LabelSet(left);
    }
}
