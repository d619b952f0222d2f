using Lm.Tsdb;

namespace Lm.PromQL;

/// <summary>Which group each series of an aggregation is in, looked up once for each series.</summary>
internal sealed class SeriesGroups
{
    private SeriesGroups(int series) => OfSeries = new int[series];

    /// <summary>The group of each series.</summary>
    public int[] OfSeries { get; }

    /// <summary>Each group's labels.</summary>
    public List<LabelSet> Labels { get; } = [];

    /// <summary>The first step at which a series of the group may have a sample.</summary>
    public List<int> Firsts { get; } = [];

    /// <summary>The step behind the last.</summary>
    public List<int> Ends { get; } = [];

    /// <summary>How many groups.</summary>
    public int Count => Labels.Count;

    public static SeriesGroups Of(List<StepSeries> list, Aggregation aggregation, QueryScope scope)
    {
        var groups = new SeriesGroups(list.Count);
        var subset = aggregation.IsWithout ? LabelSubset.Ignoring(aggregation.Grouping) : LabelSubset.On(aggregation.Grouping);
        var numbers = new Dictionary<LabelSet, int>(subset);
        for (var i = 0; i < list.Count; i++)
        {
            var series = list[i];
            if (!numbers.TryGetValue(series.Labels, out var number))
            {
                number = groups.Count;
                numbers[series.Labels] = number;
                groups.Labels.Add(subset.Of(series.Labels));
                groups.Firsts.Add(series.First);
                groups.Ends.Add(series.End);
            }

            groups.OfSeries[i] = number;
            groups.Firsts[number] = Math.Min(groups.Firsts[number], series.First);
            groups.Ends[number] = Math.Max(groups.Ends[number], series.End);
            scope.Budget.Work(20);
        }

        return groups;
    }

    /// <summary>The series of each group, in their order.</summary>
    public List<int>[] Members()
    {
        var members = new List<int>[Count];
        for (var i = 0; i < OfSeries.Length; i++)
        {
            (members[OfSeries[i]] ??= []).Add(i);
        }

        return members;
    }
}
