using Lm.Tsdb;

namespace Lm.PromQL.Functions;

/// <summary><c>absent</c> and <c>absent_over_time</c>: 1 at the steps where no series has anything.</summary>
internal static class Absence
{
    public static List<StepSeries> Of(List<StepSeries> list, Expression argument, TimeGrid grid)
    {
        var places = new double[grid.Count];
        Array.Fill(places, 1);
        foreach (var series in list)
        {
            for (var i = 0; i < series.Values.Length; i++)
            {
                if (!StepSeries.IsAbsent(series.Values[i]))
                {
                    places[series.First + i] = StepSeries.Absent;
                }
            }
        }

        return StepSeries.FromPlaces(LabelsOf(argument), 0, places) is { } result ? [result] : [];
    }

    // What the selector asks for by exactly one "equal" condition; a label named twice is left out.
    private static LabelSet LabelsOf(Expression argument)
    {
        var matchers = Evaluator.Unwrap(argument) switch
        {
            VectorSelector selector => selector.Matchers,
            MatrixSelector matrix => matrix.Selector.Matchers,
            _ => [],
        };

        var labels = LabelSet.Empty;
        var taken = new HashSet<string>();
        foreach (var matcher in matchers)
        {
            if (matcher.Name == LabelSet.MetricNameLabel)
            {
                continue;
            }

            var isFirst = matcher.Kind == MatchKind.Equal && taken.Add(matcher.Name);
            labels = isFirst ? labels.With(matcher.Name, matcher.Value) : labels.Without(matcher.Name);
        }

        return labels;
    }
}
