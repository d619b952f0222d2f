namespace Lm.Logs.Query.Metrics;

/// <summary>Two sides and what is between them, time by time.</summary>
internal sealed class BinaryOperations(Binary binary, MetricGrid grid)
{
    private readonly BinaryOperation operation = binary.Operation;

    /// <summary>Calculates.</summary>
    /// <exception cref="LogQueryException">Several series of one side belong to the same of the other.</exception>
    public MetricValue Apply(MetricValue left, MetricValue right)
    {
        if (left.Scalar is { } first && right.Scalar is { } second)
        {
            // A comparison of numbers gives 1 or 0, with bool or without.
            return MetricValue.Of(Operations.IsComparison(operation) ? Compare(first, second) ? 1 : 0 : Calculate(first, second));
        }

        if (left.Scalar is { } number)
        {
            return MetricValue.Of(Each(right.Series, value => Combine(number, value, kept: value)));
        }

        if (right.Scalar is { } other)
        {
            return MetricValue.Of(Each(left.Series, value => Combine(value, other, kept: value)));
        }

        return MetricValue.Of(Operations.IsSet(operation) ? Set(left.Series, right.Series) : Pair(left.Series, right.Series));
    }

    private static List<MetricSeries> Each(IReadOnlyList<MetricSeries> series, Func<double, double> calculate) =>
        [.. series.Select(member => member with { Values = Array.ConvertAll(member.Values, value => MetricGrid.IsMissing(value) ? value : calculate(value)) })];

    private double Combine(double left, double right, double kept)
    {
        if (!Operations.IsComparison(operation))
        {
            return Calculate(left, right);
        }

        var holds = Compare(left, right);
        return binary.ReturnsBool ? holds ? 1 : 0 : holds ? kept : MetricGrid.Missing;
    }

    private double Calculate(double left, double right) => operation switch
    {
        BinaryOperation.Add => left + right,
        BinaryOperation.Subtract => left - right,
        BinaryOperation.Multiply => left * right,
        BinaryOperation.Divide => left / right,
        BinaryOperation.Modulo => left % right,
        _ => Math.Pow(left, right),
    };

    private bool Compare(double left, double right) => operation switch
    {
        BinaryOperation.Equal => left == right,
        BinaryOperation.NotEqual => left != right,
        BinaryOperation.Greater => left > right,
        BinaryOperation.GreaterOrEqual => left >= right,
        BinaryOperation.Less => left < right,
        _ => left <= right,
    };

    private string KeyOf(LogField[] labels) => MetricSeries.KeyOf(
        binary.Matching is null ? labels : VectorAggregations.LabelsOf(labels, new Grouping(!binary.Matching.IsOn, binary.Matching.Names)));

    private List<MetricSeries> Set(IReadOnlyList<MetricSeries> left, IReadOnlyList<MetricSeries> right)
    {
        var leftPresence = PresenceOf(left);
        var rightPresence = PresenceOf(right);
        if (operation == BinaryOperation.Or)
        {
            return Merge([.. left, .. right.Select(member => Where(member, leftPresence, isThere: false))]);
        }

        return [.. left.Select(member => Where(member, rightPresence, isThere: operation == BinaryOperation.And))];
    }

    private Dictionary<string, bool[]> PresenceOf(IReadOnlyList<MetricSeries> series)
    {
        var presence = new Dictionary<string, bool[]>(StringComparer.Ordinal);
        foreach (var member in series)
        {
            var key = KeyOf(member.Labels);
            if (!presence.TryGetValue(key, out var row))
            {
                presence[key] = row = new bool[grid.Count];
            }

            for (var i = 0; i < row.Length; i++)
            {
                row[i] |= !MetricGrid.IsMissing(member.Values[i]);
            }
        }

        return presence;
    }

    private MetricSeries Where(MetricSeries member, Dictionary<string, bool[]> presence, bool isThere)
    {
        var row = presence.GetValueOrDefault(KeyOf(member.Labels));
        return member with { Values = [.. member.Values.Select((value, i) => (row?[i] ?? false) == isThere ? value : MetricGrid.Missing)] };
    }

    private List<MetricSeries> Pair(IReadOnlyList<MetricSeries> left, IReadOnlyList<MetricSeries> right)
    {
        // The side of which one belongs to one or many of the other.
        var isSwapped = binary.Matching?.Many == ManySide.Right;
        var (many, one) = isSwapped ? (right, left) : (left, right);
        var ones = one.GroupBy(member => KeyOf(member.Labels), StringComparer.Ordinal).ToDictionary(group => group.Key, group => group.ToArray(), StringComparer.Ordinal);
        foreach (var group in ones.Values)
        {
            CheckOne(group, isSwapped ? "left" : "right");
        }

        var results = new List<MetricSeries>();
        foreach (var member in many)
        {
            foreach (var partner in ones.GetValueOrDefault(KeyOf(member.Labels)) ?? [])
            {
                var row = grid.EmptyRow();
                for (var i = 0; i < row.Length; i++)
                {
                    var (first, second) = (member.Values[i], partner.Values[i]);
                    if (!MetricGrid.IsMissing(first) && !MetricGrid.IsMissing(second))
                    {
                        row[i] = isSwapped ? Combine(second, first, kept: second) : Combine(first, second, kept: first);
                    }
                }

                results.Add(new MetricSeries(ResultLabels(member.Labels, partner.Labels), row));
            }
        }

        return Merge(results);
    }

    private LogField[] ResultLabels(LogField[] many, LogField[] one)
    {
        if (binary.Matching is not { } matching)
        {
            return many;
        }

        if (matching.Many == ManySide.Neither)
        {
            return VectorAggregations.LabelsOf(many, new Grouping(!matching.IsOn, matching.Names));
        }

        return matching.Include.Aggregate(many, (labels, name) => LabelReplacement.With(labels, name, Array.Find(one, label => label.Name == name).Value ?? ""));
    }

    private void CheckOne(MetricSeries[] group, string side)
    {
        for (var i = 0; i < grid.Count && group.Length > 1; i++)
        {
            if (group.Count(member => !MetricGrid.IsMissing(member.Values[i])) > 1)
            {
                throw new LogQueryException(
                    $"several series on the {side} side of {Operations.SymbolOf(operation)} belong together: tell them apart with on (…) or ignoring (…), or say group_left or group_right");
            }
        }
    }

    // Series that have become one; at no time may two of them have a value.
    private List<MetricSeries> Merge(List<MetricSeries> series)
    {
        var merged = new Dictionary<string, MetricSeries>(StringComparer.Ordinal);
        foreach (var member in series)
        {
            var key = MetricSeries.KeyOf(member.Labels);
            if (!merged.TryGetValue(key, out var sum))
            {
                merged[key] = member with { Values = [.. member.Values] };
                continue;
            }

            for (var i = 0; i < grid.Count; i++)
            {
                if (MetricGrid.IsMissing(member.Values[i]))
                {
                    continue;
                }

                sum.Values[i] = MetricGrid.IsMissing(sum.Values[i]) ? member.Values[i] : throw new LogQueryException(
                    $"two results of {Operations.SymbolOf(operation)} have the same labels: several series of one side belong to one of the other; say group_left or group_right");
            }
        }

        return [.. merged.Values];
    }
}
