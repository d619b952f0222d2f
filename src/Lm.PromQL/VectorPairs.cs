using Lm.Tsdb;

namespace Lm.PromQL;

/// <summary>An operator between two vectors: series find the partners of their group, and each pair gives a series.</summary>
/// <remarks>The side that may have many series for a group is "many" here, whichever hand it is; for one-to-one it is the left one.</remarks>
internal sealed class VectorPairs
{
    private readonly Binary binary;
    private readonly VectorMatching matching;
    private readonly QueryScope scope;
    private readonly TimeGrid grid;
    private readonly LabelSubset groups;
    private readonly bool isSwapped;
    private readonly bool isFilter;
    private readonly double[] places;
    private readonly SeriesMerger result = new();
    private bool[]? stepsWithMany;
    private Dictionary<StepSeries, int>? placesOfOne;
    private (int Step, int Place, string Message)? fault;

    public VectorPairs(Binary binary, QueryScope scope, TimeGrid grid)
    {
        this.binary = binary;
        this.scope = scope;
        this.grid = grid;
        matching = binary.Matching!;
        groups = matching.IsOn ? LabelSubset.On(matching.Labels) : LabelSubset.Ignoring(matching.Labels);
        isSwapped = matching.Cardinality == MatchCardinality.OneToMany;
        isFilter = BinaryOperators.IsComparison(binary.Operator) && !binary.ReturnsBool;
        places = new double[grid.Count];
    }

    public SeriesMerger Evaluate(List<StepSeries> left, List<StepSeries> right)
    {
        var (many, one) = isSwapped ? (right, left) : (left, right);
        if (many.Count == 0 || one.Count == 0)
        {
            return result;
        }

        var ones = new Dictionary<LabelSet, List<StepSeries>>(groups);
        foreach (var series in one)
        {
            if (!ones.TryGetValue(series.Labels, out var group))
            {
                ones[series.Labels] = group = new List<StepSeries>(1);
            }

            group.Add(series);
        }

        foreach (var group in ones.Values)
        {
            RefuseTwoAtOnce(group, one, many);
        }

        // Not refused yet: a step before that may have a fault among its matches, which is then the first.
        if (matching.Cardinality == MatchCardinality.OneToOne)
        {
            PairEach(many, ones);
        }
        else
        {
            PairMany(many, ones);
        }

        Throw();
        return result;
    }

    // Series of one group on the "one" side may follow one another, but no two may have a sample at the same step. Of several groups' faults at a step the one is told
    // that a walk over all series meets first.
    private void RefuseTwoAtOnce(List<StepSeries> group, List<StepSeries> one, List<StepSeries> many)
    {
        if (group.Count < 2)
        {
            return;
        }

        var holders = new StepSeries?[grid.Count];
        foreach (var series in group)
        {
            scope.Budget.Work(series.Values.Length);
            for (var i = 0; i < series.Values.Length; i++)
            {
                if (StepSeries.IsAbsent(series.Values[i]))
                {
                    continue;
                }

                var step = series.First + i;
                if (holders[step] is { } other && (fault is null || step <= fault.Value.Step) && HasMany(many, step))
                {
                    placesOfOne ??= one.Select(static (each, place) => (each, place)).ToDictionary(static each => each.each, static each => each.place);
                    var place = placesOfOne[series];
                    if (fault is null || (step, place).CompareTo((fault.Value.Step, fault.Value.Place)) < 0)
                    {
                        fault = (step, place, TwoAtOnce(other, series));
                    }
                }

                holders[step] ??= series;
            }
        }
    }

    // At a step where the other side is empty nothing is matched, and so nothing is refused.
    private bool HasMany(List<StepSeries> many, int step)
    {
        if (stepsWithMany is null)
        {
            stepsWithMany = new bool[grid.Count];
            foreach (var series in many)
            {
                scope.Budget.Work(series.Values.Length);
                for (var i = 0; i < series.Values.Length; i++)
                {
                    stepsWithMany[series.First + i] |= !StepSeries.IsAbsent(series.Values[i]);
                }
            }
        }

        return stepsWithMany[step];
    }

    private string TwoAtOnce(StepSeries first, StepSeries second)
    {
        var (a, b) = (FloatText.Of(second.Labels), FloatText.Of(first.Labels));
        if (scope.Semantics == PromSemantics.V3 && string.CompareOrdinal(a, b) > 0)
        {
            (a, b) = (b, a);
        }

        return $"found duplicate series for the match group {FloatText.Of(groups.Of(second.Labels))} on the {(isSwapped ? "left" : "right")} "
            + $"hand-side of the operation: [{a}, {b}];many-to-many matching not allowed: matching labels must be unique on one side";
    }

    private void PairEach(List<StepSeries> many, Dictionary<LabelSet, List<StepSeries>> ones)
    {
        // The first series of each group, and its matches once there is a second: the usual case has none.
        var matched = new Dictionary<LabelSet, (StepSeries First, bool[]? Steps)>(many.Count, groups);
        foreach (var series in many)
        {
            if (!ones.TryGetValue(series.Labels, out var partners))
            {
                continue;
            }

            bool[]? steps = null;
            if (!matched.TryAdd(series.Labels, (series, null)))
            {
                var before = matched[series.Labels];
                steps = before.Steps ?? StepsOf(before.First, partners);
                matched[series.Labels] = before with { Steps = steps };
            }

            foreach (var partner in partners)
            {
                Pair(series, partner, steps, "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)");
            }
        }
    }

    private bool[] StepsOf(StepSeries many, List<StepSeries> partners)
    {
        var steps = new bool[grid.Count];
        foreach (var partner in partners)
        {
            MarkMatches(many, partner, steps, "");
        }

        return steps;
    }

    private void PairMany(List<StepSeries> many, Dictionary<LabelSet, List<StepSeries>> ones)
    {
        // By result's labels, within each group: at which steps they were given already. Only made for labels that come twice.
        var given = new Dictionary<(List<StepSeries> Group, LabelSet Labels), (StepSeries Many, StepSeries One, bool[]? Steps)>();
        foreach (var series in many)
        {
            if (!ones.TryGetValue(series.Labels, out var partners))
            {
                continue;
            }

            foreach (var partner in partners)
            {
                var key = (partners, ResultLabels(series.Labels, partner.Labels));
                bool[]? steps = null;
                if (given.TryGetValue(key, out var before))
                {
                    steps = before.Steps;
                    if (steps is null)
                    {
                        steps = StepsOf(before.Many, [before.One]);
                        given[key] = before with { Steps = steps };
                    }
                }
                else
                {
                    given[key] = (series, partner, null);
                }

                Pair(series, partner, steps, "multiple matches for labels: grouping labels must ensure unique matches");
            }
        }
    }

    private void Pair(StepSeries many, StepSeries one, bool[]? taken, string duplicate)
    {
        var first = Math.Max(many.First, one.First);
        var end = Math.Min(many.End, one.End);
        scope.Budget.Work(Math.Max(0, end - first) + 100);
        if (end <= first)
        {
            return;
        }

        if (taken is not null)
        {
            MarkMatches(many, one, taken, duplicate);
        }

        var (left, right) = isSwapped ? (one, many) : (many, one);
        var leftValues = left.Values.AsSpan(first - left.First, end - first);
        var rightValues = right.Values.AsSpan(first - right.First, end - first);
        var into = places.AsSpan(0, end - first);
        for (var i = 0; i < into.Length; i++)
        {
            into[i] = StepSeries.IsAbsent(leftValues[i]) || StepSeries.IsAbsent(rightValues[i]) ? StepSeries.Absent : Apply(leftValues[i], rightValues[i]);
        }

        result.Add(StepSeries.FromPlaces(ResultLabels(many.Labels, one.Labels), first, into));
    }

    private double Apply(double left, double right) =>
        isFilter ? (BinaryOperators.Compare(binary.Operator, left, right) ? left : StepSeries.Absent)
        : binary.ReturnsBool ? (BinaryOperators.Compare(binary.Operator, left, right) ? 1 : 0)
        : BinaryOperators.Arithmetic(binary.Operator, left, right);

    // Prometheus 3 refuses a second match even if the comparison then drops it; before, only what was kept counted.
    private void MarkMatches(StepSeries many, StepSeries one, bool[] steps, string duplicate)
    {
        for (var step = Math.Max(many.First, one.First); step < Math.Min(many.End, one.End); step++)
        {
            var (left, right) = isSwapped ? (one.At(step), many.At(step)) : (many.At(step), one.At(step));
            var isMatch = !StepSeries.IsAbsent(left) && !StepSeries.IsAbsent(right)
                && !(scope.Semantics == PromSemantics.V2 && isFilter && !BinaryOperators.Compare(binary.Operator, left, right));
            if (isMatch && steps[step] && duplicate.Length > 0 && (fault is null || step < fault.Value.Step))
            {
                fault = (step, 0, duplicate);
            }

            steps[step] |= isMatch;
        }
    }

    private LabelSet ResultLabels(LabelSet many, LabelSet one)
    {
        var labels = many;
        if (BinaryOperators.DropsName(binary, scope.Semantics))
        {
            labels = labels.Without(SeriesMerger.MetadataLabels(scope.Semantics));
        }

        if (matching.Cardinality == MatchCardinality.OneToOne)
        {
            string[] names = [.. matching.Labels];
            labels = matching.IsOn ? labels.Only(names) : labels.Without(names);
        }

        foreach (var name in matching.Include)
        {
            labels = labels.With(name, one.ValueOf(name));
        }

        return labels;
    }

    private void Throw()
    {
        if (fault is { } found)
        {
            throw QueryException.Execution(found.Message);
        }
    }
}
