namespace Lm.Collector.Series;

/// <summary>One series in memory: its labels and its samples, sorted by time, at most one for each time.</summary>
/// <remarks>Not safe for concurrent use: <see cref="MemorySeriesStore"/>'s gate guards the samples. The labels never change.</remarks>
internal sealed class MemorySeries(LabelSet labels)
{
    private long[] times = [];
    private double[] values = [];

    /// <summary>The labels.</summary>
    public LabelSet Labels { get; } = labels;

    /// <summary>Whether the store has let go of it: whoever keeps a reference looks it up again.</summary>
    public bool IsRemoved { get; set; }

    /// <summary>Whether its metric's unit and help text were kept; agents send them only once in a while.</summary>
    public bool IsDescribed { get; set; }

    /// <summary>How many samples.</summary>
    public int Count { get; private set; }

    /// <summary>The newest sample's time; the lowest number when there is none.</summary>
    public long NewestTime => Count == 0 ? long.MinValue : times[Count - 1];

    /// <summary>The oldest sample's time; the highest number when there is none.</summary>
    public long OldestTime => Count == 0 ? long.MaxValue : times[0];

    /// <summary>The times of a run of samples; valid while the gate is held.</summary>
    public ReadOnlySpan<long> Times(int start, int count) => times.AsSpan(start, count);

    /// <summary>The values of a run of samples; valid while the gate is held.</summary>
    public ReadOnlySpan<double> Values(int start, int count) => values.AsSpan(start, count);

    /// <summary>Takes one sample. For one time the first value stays: batches come in commit order, and the lower position has precedence (V20).</summary>
    public AppendOutcome Append(long time, double value)
    {
        var at = Count;
        if (time <= NewestTime)
        {
            at = FirstAtOrAfter(time);
            if (times[at] == time)
            {
                // By bits: a stale marker is not just any NaN, and a NaN equals itself here.
                return BitConverter.DoubleToInt64Bits(values[at]) == BitConverter.DoubleToInt64Bits(value) ? AppendOutcome.Repeated : AppendOutcome.Conflicting;
            }
        }

        MakeRoom();
        if (at < Count)
        {
            Array.Copy(times, at, times, at + 1, Count - at);
            Array.Copy(values, at, values, at + 1, Count - at);
        }

        times[at] = time;
        values[at] = value;
        Count++;
        return AppendOutcome.Added;
    }

    /// <summary>The index of the first sample at <paramref name="time"/> or later; <see cref="Count"/> when there is none.</summary>
    public int FirstAtOrAfter(long time)
    {
        var index = times.AsSpan(0, Count).BinarySearch(time);
        return index < 0 ? ~index : index;
    }

    /// <summary>Forgets samples before <paramref name="cutoff"/> and gives the memory back.</summary>
    /// <returns>How many went.</returns>
    public int DropOlderThan(long cutoff)
    {
        var dropped = FirstAtOrAfter(cutoff);
        if (dropped == 0)
        {
            return 0;
        }

        times = times[dropped..Count];
        values = values[dropped..Count];
        Count -= dropped;
        return dropped;
    }

    private void MakeRoom()
    {
        if (Count < times.Length)
        {
            return;
        }

        // By half: at most a third of what is allocated lies idle.
        var size = Math.Max(4, times.Length + (times.Length / 2));
        Array.Resize(ref times, size);
        Array.Resize(ref values, size);
    }
}

/// <summary>What became of a sample.</summary>
internal enum AppendOutcome
{
    /// <summary>It is stored.</summary>
    Added,

    /// <summary>The same value was there for its time.</summary>
    Repeated,

    /// <summary>Another value was there for its time, and stays.</summary>
    Conflicting,
}
