namespace Lm.Collector.Series;

/// <summary>What a read found: series, and their samples in two shared arrays.</summary>
internal sealed class SeriesSelection
{
    private readonly List<Run> runs = [];
    private long[] times = [];
    private double[] values = [];
    private int used;

    /// <summary>How many series.</summary>
    public int Count => runs.Count;

    /// <summary>How many samples.</summary>
    public int SampleCount => used;

    /// <summary>A series' labels.</summary>
    public LabelSet Labels(int index) => runs[index].Labels;

    /// <summary>A series' sample times, ascending.</summary>
    public ReadOnlySpan<long> Times(int index) => times.AsSpan(runs[index].Start, runs[index].Count);

    /// <summary>A series' sample values.</summary>
    public ReadOnlySpan<double> Values(int index) => values.AsSpan(runs[index].Start, runs[index].Count);

    /// <summary>Copies a run of samples.</summary>
    public void Add(LabelSet labels, ReadOnlySpan<long> runTimes, ReadOnlySpan<double> runValues)
    {
        if (times.Length - used < runTimes.Length)
        {
            var size = Math.Max(used + runTimes.Length, Math.Max(64, times.Length * 2));
            Array.Resize(ref times, size);
            Array.Resize(ref values, size);
        }

        runTimes.CopyTo(times.AsSpan(used));
        runValues.CopyTo(values.AsSpan(used));
        runs.Add(new Run(labels, used, runTimes.Length));
        used += runTimes.Length;
    }

    /// <summary>Orders the series by their labels.</summary>
    public void Sort() => runs.Sort(static (left, right) => left.Labels.CompareTo(right.Labels));

    private readonly record struct Run(LabelSet Labels, int Start, int Count);
}
