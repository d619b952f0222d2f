using System.Runtime.InteropServices;
using Lm.Tsdb;

namespace Lm.PromQL;

/// <summary>Series whose samples are looked at through windows: one for each step of the outer grid.</summary>
internal abstract class WindowSource : IDisposable
{
    /// <summary>The last time of each window, which belongs to it.</summary>
    public required TimeGrid Ends { get; init; }

    /// <summary>How long each window is.</summary>
    public required long RangeMs { get; init; }

    /// <summary>Whether the time exactly a range before the end belongs to the window, too: it did before Prometheus 3.</summary>
    public required bool IncludesStart { get; init; }

    /// <summary>How many series.</summary>
    public abstract int Count { get; }

    /// <summary>A series' labels.</summary>
    public abstract LabelSet Labels(int index);

    /// <summary>A series' samples of all windows, without staleness markers; valid until the next call.</summary>
    public abstract SampleBuffer Load(int index);

    /// <summary>The same for another thread, to be disposed of before this is; null when it must be one thread.</summary>
    public abstract WindowSource? Another();

    public abstract void Dispose();
}

/// <summary>The windows of <c>name[5m]</c>.</summary>
internal sealed class SelectedWindows(ISeriesSelection selection) : WindowSource
{
    private readonly SampleBuffer samples = new();
    private readonly SampleBuffer clean = new();

    public override int Count => selection.Count;

    public override LabelSet Labels(int index) => selection.Labels(index);

    public override SampleBuffer Load(int index)
    {
        samples.Clear();
        selection.Read(index, Ends.Start - RangeMs + (IncludesStart ? 0 : 1), Ends.Last, samples);
        var bits = MemoryMarshal.Cast<double, long>(samples.Values);
        if (!bits.Contains(StaleMarker.Bits))
        {
            return samples;
        }

        clean.Clear();
        for (var i = 0; i < samples.Count; i++)
        {
            if (bits[i] != StaleMarker.Bits)
            {
                clean.Add(samples.Times[i], samples.Values[i]);
            }
        }

        return clean;
    }

    public override WindowSource? Another() =>
        selection.Another() is { } other ? new SelectedWindows(other) { Ends = Ends, RangeMs = RangeMs, IncludesStart = IncludesStart } : null;

    public override void Dispose() => selection.Dispose();
}

/// <summary>The windows of <c>expression[1h:5m]</c>.</summary>
/// <param name="list">What the expression evaluated to.</param>
/// <param name="grid">At which times.</param>
/// <param name="budget">Holds the samples until this is done with; null where another one does.</param>
internal sealed class SubqueryWindows(List<StepSeries> list, TimeGrid grid, QueryBudget? budget) : WindowSource
{
    private readonly SampleBuffer samples = new();

    public override int Count => list.Count;

    public override LabelSet Labels(int index) => list[index].Labels;

    public override SampleBuffer Load(int index)
    {
        samples.Clear();
        var series = list[index];
        for (var i = 0; i < series.Values.Length; i++)
        {
            if (!StepSeries.IsAbsent(series.Values[i]))
            {
                samples.Add(grid[series.First + i], series.Values[i]);
            }
        }

        return samples;
    }

    public override WindowSource Another() =>
        new SubqueryWindows(list, grid, budget: null) { Ends = Ends, RangeMs = RangeMs, IncludesStart = IncludesStart };

    public override void Dispose() => budget?.Release(StepSeries.CountOf(list));
}
