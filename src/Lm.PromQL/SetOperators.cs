using Lm.Tsdb;

namespace Lm.PromQL;

/// <summary><c>and</c>, <c>or</c> and <c>unless</c>: at each step, series stay or go by whether the other side has their group.</summary>
internal static class SetOperators
{
    public static SeriesMerger Evaluate(Binary binary, List<StepSeries> left, List<StepSeries> right, QueryScope scope, TimeGrid grid)
    {
        var matching = binary.Matching!;
        var groups = matching.IsOn ? LabelSubset.On(matching.Labels) : LabelSubset.Ignoring(matching.Labels);
        var result = new SeriesMerger();
        if (binary.Operator == BinaryOperator.Or)
        {
            var seen = Presence(left, groups, scope, grid);
            left.ForEach(result.Add);
            AddWhere(result, right, seen, isThere: false, scope);
            return result;
        }

        AddWhere(result, left, Presence(right, groups, scope, grid), isThere: binary.Operator == BinaryOperator.And, scope);
        return result;
    }

    // For each group, at which steps it has a sample.
    private static Dictionary<LabelSet, bool[]> Presence(List<StepSeries> list, LabelSubset groups, QueryScope scope, TimeGrid grid)
    {
        var presence = new Dictionary<LabelSet, bool[]>(groups);
        foreach (var series in list)
        {
            scope.Budget.Work(series.Values.Length + 100);
            if (!presence.TryGetValue(series.Labels, out var steps))
            {
                scope.Budget.CheckRoom((presence.Count + 1L) * grid.Count / sizeof(double));
                presence[series.Labels] = steps = new bool[grid.Count];
            }

            for (var i = 0; i < series.Values.Length; i++)
            {
                steps[series.First + i] |= !StepSeries.IsAbsent(series.Values[i]);
            }
        }

        return presence;
    }

    private static void AddWhere(SeriesMerger result, List<StepSeries> list, Dictionary<LabelSet, bool[]> presence, bool isThere, QueryScope scope)
    {
        foreach (var series in list)
        {
            scope.Budget.Work(series.Values.Length + 100);
            if (!presence.TryGetValue(series.Labels, out var steps))
            {
                result.Add(isThere ? null : series);
                continue;
            }

            var values = series.Values.AsSpan();
            for (var i = 0; i < values.Length; i++)
            {
                values[i] = steps[series.First + i] == isThere ? values[i] : StepSeries.Absent;
            }

            result.Add(StepSeries.FromPlaces(series.Labels, series.First, values));
        }
    }
}
