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
        using var points = Points(selector, scope, grid, asTimes);
        return SeriesRun.All(points, scope);
    }

    /// <summary>The same, handed on series by series.</summary>
    public static void Each(VectorSelector selector, QueryScope scope, TimeGrid grid, Action<StepSeries> into)
    {
        using var points = Points(selector, scope, grid, asTimes: false);
        SeriesRun.Each(points, scope, into);
    }

    /// <summary>The windows that a range selector gives.</summary>
    public static WindowSource Windows(MatrixSelector matrix, QueryScope scope, TimeGrid grid)
    {
        var ends = scope.Shift(grid, matrix.Selector.Shift);
        var includesStart = scope.Semantics == PromSemantics.V2;
        var from = ends.Start - matrix.RangeMs + (includesStart ? 0 : 1);
        var selection = scope.Find(matrix.Selector.Matchers, from, ends.Last);
        return new SelectedWindows(selection) { Ends = ends, RangeMs = matrix.RangeMs, IncludesStart = includesStart };
    }

    private static SelectedPoints Points(VectorSelector selector, QueryScope scope, TimeGrid grid, bool asTimes)
    {
        var times = scope.Shift(grid, selector.Shift);
        var reach = scope.Options.LookbackMs - (scope.Semantics == PromSemantics.V2 ? 0 : 1);
        var selection = scope.Find(selector.Matchers, times.Start - reach, times.Last);

        // For timestamp() alone, Prometheus 2.42 forgets the offset of what is pinned: it looks at the pinned time, at what was read for the other one.
        var looksElsewhere = asTimes && scope.Semantics == PromSemantics.V2 && selector.Shift.Pin != TimePin.None;
        var looked = looksElsewhere ? scope.Shift(grid, selector.Shift with { OffsetMs = 0 }) : times;
        return new SelectedPoints(selection, looked, reach, asTimes) { From = Math.Max(looked.Start, times.Start) - reach, Until = Math.Min(looked.Last, times.Last) };
    }
}

/// <summary>The newest sample of each series at each step.</summary>
/// <param name="selection">The series.</param>
/// <param name="steps">The steps.</param>
/// <param name="reach">How old a sample may be.</param>
/// <param name="asTimes">Whether the samples' times, in seconds, are wanted instead of their values.</param>
internal sealed class SelectedPoints(ISeriesSelection selection, TimeGrid steps, long reach, bool asTimes) : SeriesEvaluation
{
    private readonly SampleBuffer samples = new();
    private readonly double[] places = new double[steps.Count];

    /// <summary>The earliest sample that is looked at.</summary>
    public required long From { get; init; }

    /// <summary>The latest.</summary>
    public required long Until { get; init; }

    public override int Count => selection.Count;

    public override SeriesOutcome Evaluate(int index, WorkMeter meter)
    {
        samples.Clear();
        if (steps.Count == 1)
        {
            selection.ReadNewest(index, From, Until, samples);
        }
        else
        {
            selection.Read(index, From, Until, samples);
        }

        meter.Add(samples.Count + steps.Count + 100);
        if (samples.Count == 0)
        {
            return default;
        }

        Fill();
        var series = StepSeries.FromPlaces(selection.Labels(index), 0, places);
        return new SeriesOutcome(series, series?.Count ?? 0, 0, 0);
    }

    public override SeriesEvaluation? Another() => selection.Another() is { } other ? new SelectedPoints(other, steps, reach, asTimes) { From = From, Until = Until } : null;

    public override void Dispose() => selection.Dispose();

    private void Fill()
    {
        var times = samples.Times;
        var values = samples.Values;
        var next = 0; // the first sample later than the step
        for (var step = 0; step < places.Length; step++)
        {
            var time = steps[step];
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
