namespace Lm.Tsdb.Head;

/// <summary>The newest samples of the series that batches of one shape bring, a row for each batch, until there are enough to hand each series its samples in one
/// go (decision 0011).</summary>
/// <remarks>
/// Invariants: a series belongs to at most one of these, and there to one column; the rows that wait lie in one window, ascend in time, and each is newer than all
/// samples that its series have in that window. Guarded by the head's gate.
/// </remarks>
public sealed class HeadRows
{
    private readonly int[] series;
    private readonly long[] times;
    private readonly double[] values; // row by row

    internal HeadRows(int[] series, int depth)
    {
        this.series = series;
        times = new long[depth];
        values = new double[(long)depth * series.Length];
    }

    /// <summary>How many series it has.</summary>
    public int Width => series.Length;

    /// <summary>Where the values of the next row go, in the order of the series that were claimed; <see cref="Head.TryAppendRow"/> follows.</summary>
    public Span<double> Next => values.AsSpan(Count * series.Length, series.Length);

    /// <summary>Whether it lost its series: claim them anew.</summary>
    public bool IsReleased { get; internal set; }

    /// <summary>Rows that wait.</summary>
    internal int Count { get; private set; }

    /// <summary>The series.</summary>
    internal ReadOnlySpan<int> Series => series;

    /// <summary>The window of the rows.</summary>
    internal HeadWindow? Window { get; set; }

    /// <summary>The newest time that one of its series has in the window.</summary>
    internal long NewestTime { get; set; }

    /// <summary>Its place in the head's list.</summary>
    internal int ListIndex { get; set; }

    /// <summary>Memory, bytes; the head's share for each series included.</summary>
    internal long SizeBytes => (sizeof(double) * (long)values.Length) + (sizeof(long) * (long)times.Length) + (sizeof(int) * (long)series.Length) + 160;

    /// <summary>Takes in the row that was put in <see cref="Next"/>.</summary>
    /// <returns>Whether there is no room for another one.</returns>
    internal bool Add(long time)
    {
        times[Count++] = time;
        NewestTime = time;
        return Count == times.Length;
    }

    /// <summary>A column's times and values.</summary>
    /// <param name="column">Which.</param>
    /// <param name="columnValues">Room for <see cref="Count"/> values.</param>
    /// <returns>The times.</returns>
    internal ReadOnlySpan<long> Read(int column, Span<double> columnValues)
    {
        for (int row = 0, at = column; row < Count; row++, at += series.Length)
        {
            columnValues[row] = values[at];
        }

        return times.AsSpan(0, Count);
    }

    /// <summary>A column's newest time and value; there is a row at least.</summary>
    internal (long Time, double Value) Newest(int column) => (times[Count - 1], values[((Count - 1) * series.Length) + column]);

    /// <summary>Moves the row that stood in <see cref="Next"/> to where that is now.</summary>
    /// <param name="before">How many rows waited then.</param>
    internal void Keep(int before)
    {
        if (before != Count)
        {
            values.AsSpan(before * series.Length, series.Length).CopyTo(Next);
        }
    }

    /// <summary>Forgets the rows: their series have them.</summary>
    internal void Clear() => Count = 0;
}
