using Lm.Tsdb;

namespace Lm.PromQL;

/// <summary>Series out of storage: offset, <c>@</c>, look-back and staleness.</summary>
internal static class Selectors
{
    /// <summary>What a selector gives at each step: the newest sample within the look-back, unless the series ended there.</summary>
    /// <param name="selector">The selector.</param>
    /// <param name="scope">The query.</param>
    /// <param name="grid">The steps.</param>
    /// <param name="asTimes">Whether the samples' times, in seconds, are wanted instead of their values.</param>
    public static List<StepSeries> Vector(VectorSelector selector, QueryScope scope, TimeGrid grid, bool asTimes = false)
    {
        var budget = scope.Budget;
        var times = scope.Shift(grid, selector.Shift);
        var reach = scope.Options.LookbackMs - (scope.Semantics == PromSemantics.V2 ? 0 : 1);
        using var selection = scope.Reader.Find(selector.Matchers, times.Start - reach, times.Last, budget.Ending);
        budget.Series += selection.Count;
        var list = new List<StepSeries>(Math.Min(selection.Count, 1024));
        var samples = new SampleBuffer();
        var places = new double[grid.Count];
        for (var i = 0; i < selection.Count; i++)
        {
            samples.Clear();
            if (grid.Count == 1)
            {
                selection.ReadNewest(i, times.Start - reach, times.Last, samples);
            }
            else
            {
                selection.Read(i, times.Start - reach, times.Last, samples);
            }

            budget.Work(samples.Count + grid.Count + 100);
            if (samples.Count == 0)
            {
                continue;
            }

            Fill(places, samples, times, reach, asTimes);
            if (StepSeries.FromPlaces(selection.Labels(i), 0, places) is { } series)
            {
                budget.Hold(series.Count);
                budget.Count(series.Count);
                list.Add(series);
            }
        }

        return list;
    }

    /// <summary>The windows that a range selector gives.</summary>
    public static WindowSource Windows(MatrixSelector matrix, QueryScope scope, TimeGrid grid)
    {
        var ends = scope.Shift(grid, matrix.Selector.Shift);
        var includesStart = scope.Semantics == PromSemantics.V2;
        var from = ends.Start - matrix.RangeMs + (includesStart ? 0 : 1);
        var selection = scope.Reader.Find(matrix.Selector.Matchers, from, ends.Last, scope.Budget.Ending);
        scope.Budget.Series += selection.Count;
        return new SelectedWindows(selection) { Ends = ends, RangeMs = matrix.RangeMs, IncludesStart = includesStart };
    }

    private static void Fill(double[] places, SampleBuffer samples, TimeGrid at, long reach, bool asTimes)
    {
        var times = samples.Times;
        var values = samples.Values;
        var next = 0; // the first sample later than the step
        for (var step = 0; step < places.Length; step++)
        {
            var time = at[step];
            while (next < times.Length && times[next] <= time)
            {
                next++;
            }

            places[step] = next == 0 || times[next - 1] < time - reach ? StepSeries.Absent
                : asTimes && !StepSeries.IsAbsent(values[next - 1]) ? times[next - 1] / 1000.0
                : values[next - 1];
        }
    }
}
