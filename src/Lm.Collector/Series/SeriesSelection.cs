using Lm.Tsdb;

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

    /// <summary>Copies a run of samples; one that follows another of the same series lengthens it.</summary>
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
        if (runs.Count > 0 && ReferenceEquals(runs[^1].Labels, labels))
        {
            runs[^1] = runs[^1] with { Count = runs[^1].Count + runTimes.Length };
        }
        else
        {
            runs.Add(new Run(labels, used, runTimes.Length));
        }

        used += runTimes.Length;
    }

    /// <summary>Of the last run, keeps only the newest samples.</summary>
    public void KeepNewest(int count)
    {
        if (runs.Count == 0 || runs[^1].Count <= count)
        {
            return;
        }

        var (labels, start, had) = runs[^1];
        times.AsSpan(start + had - count, count).CopyTo(times.AsSpan(start));
        values.AsSpan(start + had - count, count).CopyTo(values.AsSpan(start));
        runs[^1] = new Run(labels, start, count);
        used = start + count;
    }

    /// <summary>Orders the series by their labels.</summary>
    public void Sort() => runs.Sort(static (left, right) => left.Labels.CompareTo(right.Labels));

    private readonly record struct Run(LabelSet Labels, int Start, int Count);
}
