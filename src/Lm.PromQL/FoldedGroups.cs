using Lm.PromQL.Folds;
using Lm.Tsdb;

namespace Lm.PromQL;

/// <summary>Groups of an aggregation that adds series up, each given once and then forgotten.</summary>
/// <param name="aggregation">Which.</param>
/// <param name="scope">The query.</param>
/// <param name="steps">How many steps there are.</param>
internal sealed class FoldedGroups(Aggregation aggregation, QueryScope scope, int steps)
{
    private readonly LabelSubset subset = aggregation.IsWithout ? LabelSubset.Ignoring(aggregation.Grouping) : LabelSubset.On(aggregation.Grouping);
    private readonly List<(LabelSet Labels, Fold Fold)> groups = [];
    private Dictionary<LabelSet, int>? numbers;
    private long places;

    /// <summary>Takes a series.</summary>
    public void Add(StepSeries series)
    {
        numbers ??= new Dictionary<LabelSet, int>(subset);
        if (!numbers.TryGetValue(series.Labels, out var number))
        {
            number = groups.Count;
            numbers[series.Labels] = number;
            groups.Add((subset.Of(series.Labels), Fold.For(aggregation.Operator, series.First, steps, scope.Semantics)));
        }

        var fold = groups[number].Fold;
        var more = fold.MoreFor(series);
        if (more > 0)
        {
            scope.Budget.CheckRoom(places += more);
        }

        scope.Budget.Work(series.Values.Length + 40);
        fold.Add(series);
    }

    /// <summary>The groups, in the order of their first series.</summary>
    public List<StepSeries> Finish()
    {
        var result = new List<StepSeries>(groups.Count);
        foreach (var (labels, fold) in groups)
        {
            if (StepSeries.FromPlaces(labels, fold.First, fold.Finish()) is { } series)
            {
                result.Add(series);
            }
        }

        return result;
    }
}
