namespace Lm.PromQL.Functions;

/// <summary>A function over range vectors: moves each series' window along the grid with two indexes.</summary>
internal sealed class SlidingWindows(WindowSource windows, Func<RangeFunction> maker, TimeGrid grid) : SeriesEvaluation
{
    private readonly RangeFunction function = maker();
    private readonly double[] places = new double[grid.Count];

    public override int Count => windows.Count;

    public override SeriesOutcome Evaluate(int index, WorkMeter meter)
    {
        var samples = windows.Load(index);
        meter.Add(samples.Count + grid.Count + 100);
        if (samples.Count == 0)
        {
            return default;
        }

        function.Begin(samples.Times, samples.Values);
        var (total, largest, last) = Slide(samples.Times, samples.Values, meter);
        return new SeriesOutcome(StepSeries.FromPlaces(windows.Labels(index), 0, places), total, largest, last);
    }

    public override SeriesEvaluation? Another() =>
        function.MayShare && windows.Another() is { } other ? new SlidingWindows(other, maker, grid) : null;

    public override void Dispose() => windows.Dispose();

    // Tells how many samples all windows have together, the largest, and the last one.
    private (long Total, int Largest, int Last) Slide(ReadOnlySpan<long> times, ReadOnlySpan<double> values, WorkMeter meter)
    {
        var (ends, range, walks) = (windows.Ends, windows.RangeMs, function.WalksWindow);
        var reach = range + (windows.IncludesStart ? 1 : 0);
        var (from, until, largest) = (0, 0, 0);
        long total = 0;
        for (var step = 0; step < places.Length; step++)
        {
            var end = ends[step];
            while (until < times.Length && times[until] <= end)
            {
                until++;
            }

            while (from < until && times[from] <= end - reach)
            {
                from++;
            }

            var count = until - from;
            if (count == 0)
            {
                places[step] = StepSeries.Absent;
                continue;
            }

            total += count;
            largest = Math.Max(largest, count);
            if (walks)
            {
                meter.Add(count * 4L);
            }

            places[step] = function.At(new Window
            {
                Times = times.Slice(from, count),
                Values = values.Slice(from, count),
                First = from,
                Step = step,
                Time = grid[step],
                End = end,
                RangeMs = range,
            });
        }

        return (total, largest, until - from);
    }
}
