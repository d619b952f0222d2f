using Lm.Tsdb;

namespace Lm.PromQL;

/// <summary><c>sum</c>, <c>avg</c>, <c>topk</c> and the like: groups of series become one series each, or the best of their own.</summary>
/// <remarks>Series by series, not step by step: each series is walked once and added into its group's places, so at each step values are added in the
/// order of the series, as Prometheus adds them.</remarks>
internal static class Aggregations
{
    public static List<StepSeries> Evaluate(Aggregation aggregation, Evaluator evaluator, TimeGrid grid)
    {
        var scope = evaluator.Scope;
        if (aggregation.Operator == AggregationOperator.CountValues)
        {
            return CountValues(aggregation, evaluator, grid);
        }

        if (aggregation.Operator is not (AggregationOperator.Topk or AggregationOperator.Bottomk or AggregationOperator.Quantile))
        {
            var folded = new FoldedGroups(aggregation, scope, grid.Count);
            evaluator.Each(aggregation.Inner, grid, folded.Add);
            return folded.Finish();
        }

        var parameter = evaluator.Parameter(aggregation.Parameter!, grid);
        var list = evaluator.Vector(aggregation.Inner, grid);
        var groups = SeriesGroups.Of(list, aggregation, scope);
        return aggregation.Operator == AggregationOperator.Quantile
            ? Quantiles(aggregation, list, groups, parameter, scope)
            : TopSeries.Evaluate(aggregation, list, groups, parameter, scope, grid);
    }

    private static List<StepSeries> Quantiles(
        Aggregation aggregation, List<StepSeries> list, SeriesGroups groups, double[] quantiles, QueryScope scope)
    {
        foreach (var worst in Array.Exists(quantiles, double.IsNaN) ? (double[])[double.NaN] : [quantiles.Max(), quantiles.Min()])
        {
            scope.Annotations.CheckQuantile(worst, Evaluator.Unwrap(aggregation.Parameter!).Place);
        }

        var result = new List<StepSeries>(groups.Count);
        var members = groups.Members();
        for (var group = 0; group < groups.Count; group++)
        {
            var places = new double[groups.Ends[group] - groups.Firsts[group]];
            var values = new double[members[group].Count];
            for (var i = 0; i < places.Length; i++)
            {
                var step = groups.Firsts[group] + i;
                var count = 0;
                foreach (var member in members[group])
                {
                    var value = list[member].At(step);
                    values[count] = value;
                    count += StepSeries.IsAbsent(value) ? 0 : 1;
                }

                scope.Budget.Work(values.Length * 4);
                places[i] = count == 0 ? StepSeries.Absent : Quantile(quantiles[step], values.AsSpan(0, count));
            }

            if (StepSeries.FromPlaces(groups.Labels[group], groups.Firsts[group], places) is { } series)
            {
                result.Add(series);
            }
        }

        return result;
    }

    /// <summary>A quantile of values, between two of them by weight; sorts them, NaN first.</summary>
    public static double Quantile(double quantile, Span<double> values)
    {
        if (values.Length == 0 || double.IsNaN(quantile))
        {
            return double.NaN;
        }

        if (quantile is < 0 or > 1)
        {
            return quantile < 0 ? double.NegativeInfinity : double.PositiveInfinity;
        }

        values.Sort();
        var rank = quantile * (values.Length - 1);
        var lower = Math.Max(0, Math.Floor(rank));
        var upper = Math.Min(values.Length - 1, lower + 1);
        var weight = rank - Math.Floor(rank);
        return (values[(int)lower] * (1 - weight)) + (values[(int)upper] * weight);
    }

    private static List<StepSeries> CountValues(Aggregation aggregation, Evaluator evaluator, TimeGrid grid)
    {
        var scope = evaluator.Scope;
        var name = Evaluator.Text(aggregation.Parameter!);
        if (!LabelNames.IsValid(name, scope.Semantics))
        {
            throw QueryException.Execution("invalid label name " + GoText.Quote(name));
        }

        var subset = aggregation.IsWithout ? LabelSubset.Ignoring(aggregation.Grouping) : LabelSubset.On([.. aggregation.Grouping, name]);
        var list = evaluator.Vector(aggregation.Inner, grid);
        var counts = new Dictionary<LabelSet, List<(int Step, int Count)>>();
        var last = new (long Bits, LabelSet? Labels)[list.Count]; // most series repeat their value
        for (var step = 0; step < grid.Count; step++)
        {
            for (var i = 0; i < list.Count; i++)
            {
                var value = list[i].At(step);
                if (StepSeries.IsAbsent(value))
                {
                    continue;
                }

                var bits = BitConverter.DoubleToInt64Bits(value);
                if (last[i].Labels is null || last[i].Bits != bits)
                {
                    scope.Budget.Work(500);
                    last[i] = (bits, subset.Of(list[i].Labels.With(name, FloatText.Plain(value))));
                }

                AddOne(counts, last[i].Labels!, step);
            }

            scope.Budget.Work(list.Count * 10);
        }

        return Counted(counts, scope);
    }

    private static void AddOne(Dictionary<LabelSet, List<(int Step, int Count)>> counts, LabelSet labels, int step)
    {
        if (!counts.TryGetValue(labels, out var steps))
        {
            counts[labels] = steps = [];
        }

        if (steps.Count > 0 && steps[^1].Step == step)
        {
            steps[^1] = (step, steps[^1].Count + 1);
        }
        else
        {
            steps.Add((step, 1));
        }
    }

    private static List<StepSeries> Counted(Dictionary<LabelSet, List<(int Step, int Count)>> counts, QueryScope scope)
    {
        var result = new List<StepSeries>(counts.Count);
        long places = 0;
        foreach (var (labels, steps) in counts)
        {
            var first = steps[0].Step;
            scope.Budget.CheckRoom(places += steps[^1].Step - first + 1);
            var values = new double[steps[^1].Step - first + 1];
            Array.Fill(values, StepSeries.Absent);
            foreach (var (step, count) in steps)
            {
                values[step - first] = count;
            }

            result.Add(new StepSeries(labels, first, values, steps.Count));
        }

        return result;
    }
}
