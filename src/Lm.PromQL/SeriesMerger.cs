using Lm.Tsdb;

namespace Lm.PromQL;

/// <summary>Gathers the series of a result: those that end up with the same labels become one, as long as no step has two samples.</summary>
internal sealed class SeriesMerger
{
    private readonly List<StepSeries> all = [];
    private Dictionary<LabelSet, int>? places;

    public const string DuplicateFault = "vector cannot contain metrics with the same labelset";

    public void Add(StepSeries? series)
    {
        if (series is not null)
        {
            all.Add(series);
        }
    }

    /// <summary>The series, each label set once, in the order in which they came.</summary>
    /// <param name="mayMerge">Whether series of the same labels may be joined; otherwise they are a fault.</param>
    public List<StepSeries> Result(bool mayMerge)
    {
        if (all.Count < 2)
        {
            return all;
        }

        places = new Dictionary<LabelSet, int>(all.Count);
        var kept = 0;
        for (var i = 0; i < all.Count; i++)
        {
            var series = all[i];
            if (places.TryAdd(series.Labels, kept))
            {
                all[kept++] = series;
                continue;
            }

            var at = places[series.Labels];
            all[at] = mayMerge ? Merge(all[at], series) : throw QueryException.Execution(DuplicateFault);
        }

        all.RemoveRange(kept, all.Count - kept);
        return all;
    }

    /// <summary>Gives the labels without the metric's name to every series, and sees to it that none are the same then.</summary>
    /// <remarks>Series of one metric stay different without its name: the usual case needs no look-up.</remarks>
    public static List<StepSeries> WithoutName(List<StepSeries> list, PromSemantics semantics, bool mayMerge)
    {
        var dropper = new NameDropper(semantics);
        list.ForEach(dropper.Drop);
        if (!dropper.MayCollide)
        {
            return list;
        }

        var merger = new SeriesMerger();
        merger.all.AddRange(list);
        return merger.Result(mayMerge);
    }

    /// <summary>The labels that say what a metric is, and no longer hold once its values were changed.</summary>
    public static ReadOnlySpan<string> MetadataLabels(PromSemantics semantics) =>
        semantics == PromSemantics.V2 ? NameOnly : NameTypeUnit;

    private static readonly string[] NameOnly = [LabelSet.MetricNameLabel];
    private static readonly string[] NameTypeUnit = [LabelSet.MetricNameLabel, "__type__", "__unit__"];

    private static StepSeries Merge(StepSeries left, StepSeries right)
    {
        var first = Math.Min(left.First, right.First);
        var values = new double[Math.Max(left.End, right.End) - first];
        Array.Fill(values, StepSeries.Absent);
        left.Values.CopyTo(values.AsSpan(left.First - first));
        for (var i = 0; i < right.Values.Length; i++)
        {
            var value = right.Values[i];
            if (StepSeries.IsAbsent(value))
            {
                continue;
            }

            ref var place = ref values[right.First - first + i];
            place = StepSeries.IsAbsent(place) ? value : throw QueryException.Execution(DuplicateFault);
        }

        return new StepSeries(left.Labels, first, values, left.Count + right.Count);
    }
}

/// <summary>Takes the metric's name from series after series, and knows whether they may have become the same.</summary>
internal sealed class NameDropper(PromSemantics semantics)
{
    private readonly string[] dropped = SeriesMerger.MetadataLabels(semantics).ToArray();
    private readonly List<LabelSet> left = [];
    private string? firstName;

    /// <summary>Whether names differed, or more than the name went: series of one metric stay different without its name.</summary>
    public bool MayCollide { get; private set; }

    /// <summary>Gives a series the labels without the name.</summary>
    public void Drop(StepSeries series)
    {
        var name = series.Labels.MetricName;
        firstName ??= name;
        var less = series.Labels.Without(dropped);
        MayCollide |= name != firstName || series.Labels.Labels.Length - less.Labels.Length > 1; // __type__ or __unit__ went, too
        series.Labels = less;
        left.Add(less);
    }

    /// <summary>Ends the query when two series became the same.</summary>
    public void RefuseDuplicates()
    {
        if (MayCollide && new HashSet<LabelSet>(left).Count < left.Count)
        {
            throw QueryException.Execution(SeriesMerger.DuplicateFault);
        }
    }
}
