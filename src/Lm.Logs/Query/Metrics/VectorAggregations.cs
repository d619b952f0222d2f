namespace Lm.Logs.Query.Metrics;

/// <summary>Series → fewer series, time by time.</summary>
internal static class VectorAggregations
{
    /// <summary>Aggregates.</summary>
    public static IReadOnlyList<MetricSeries> Aggregate(VectorAggregation aggregation, IReadOnlyList<MetricSeries> series, MetricGrid grid)
    {
        if (aggregation.Operation is VectorOperation.Sort or VectorOperation.SortDescending)
        {
            return Sorted(series, isDescending: aggregation.Operation == VectorOperation.SortDescending);
        }

        var groups = new Dictionary<string, (LogField[] Labels, List<MetricSeries> Members)>(StringComparer.Ordinal);
        foreach (var member in series)
        {
            var labels = LabelsOf(member.Labels, aggregation.Grouping);
            var key = MetricSeries.KeyOf(labels);
            if (!groups.TryGetValue(key, out var group))
            {
                groups[key] = group = (labels, []);
            }

            group.Members.Add(member);
        }

        if (aggregation.Operation is VectorOperation.Top or VectorOperation.Bottom)
        {
            var isTop = aggregation.Operation == VectorOperation.Top;
            var chosen = groups.Values.SelectMany(group => Choose(group.Members, (int)aggregation.Parameter!.Value, isTop, grid)).ToList();
            return grid.Count == 1 ? Sorted(chosen, isDescending: isTop) : chosen;
        }

        return [.. groups.Values.Select(group => new MetricSeries(group.Labels, Fold(group.Members, aggregation.Operation, grid)))];
    }

    /// <summary>Labels that a grouping leaves.</summary>
    public static LogField[] LabelsOf(LogField[] labels, Grouping? grouping) => grouping is null
        ? []
        : [.. labels.Where(label => grouping.Names.Contains(label.Name) != grouping.IsWithout)];

    private static double[] Fold(List<MetricSeries> members, VectorOperation operation, MetricGrid grid)
    {
        var row = grid.EmptyRow();
        var values = new double[members.Count];
        for (var i = 0; i < grid.Count; i++)
        {
            var count = 0;
            foreach (var member in members)
            {
                values[count] = member.Values[i];
                count += MetricGrid.IsMissing(member.Values[i]) ? 0 : 1;
            }

            if (count > 0)
            {
                row[i] = Fold(values.AsSpan(0, count), operation);
            }
        }

        return row;
    }

    private static double Fold(Span<double> values, VectorOperation operation)
    {
        switch (operation)
        {
            case VectorOperation.Sum:
                return RangeFunctions.Sum(values);
            case VectorOperation.Average:
                return RangeFunctions.Sum(values) / values.Length;
            case VectorOperation.Count:
                return values.Length;
            case VectorOperation.Deviation:
                return Math.Sqrt(RangeFunctions.Variance(values));
            case VectorOperation.Variance:
                return RangeFunctions.Variance(values);
            default:
                var chosen = values[0];
                foreach (var value in values)
                {
                    var isBetter = operation == VectorOperation.Min ? value < chosen : value > chosen;
                    chosen = isBetter || double.IsNaN(chosen) ? value : chosen;
                }

                return chosen;
        }
    }

    private static List<MetricSeries> Choose(List<MetricSeries> members, int count, bool isTop, MetricGrid grid)
    {
        var rows = members.ConvertAll(_ => grid.EmptyRow());
        for (var i = 0; i < grid.Count; i++)
        {
            var at = i;
            var present = Enumerable.Range(0, members.Count).Where(member => !MetricGrid.IsMissing(members[member].Values[at]));

            // NaN is neither among the largest nor the smallest.
            var ordered = isTop
                ? present.OrderBy(member => double.IsNaN(members[member].Values[at])).ThenByDescending(member => members[member].Values[at])
                : present.OrderBy(member => double.IsNaN(members[member].Values[at])).ThenBy(member => members[member].Values[at]);
            foreach (var member in ordered.Take(count))
            {
                rows[member][i] = members[member].Values[i];
            }
        }

        return [.. members.Select((member, i) => member with { Values = rows[i] }).Where(member => HasAny(member.Values))];
    }

    private static bool HasAny(double[] values)
    {
        foreach (var value in values)
        {
            if (!MetricGrid.IsMissing(value))
            {
                return true;
            }
        }

        return false;
    }

    // Only for one time; over several there is no order.
    private static List<MetricSeries> Sorted(IReadOnlyList<MetricSeries> series, bool isDescending)
    {
        var byKind = series.OrderBy(member => double.IsNaN(member.Values[0]));
        return [.. isDescending ? byKind.ThenByDescending(member => member.Values[0]) : byKind.ThenBy(member => member.Values[0])];
    }
}
