namespace Lm.Collector.Series;

/// <summary>The newest samples of the series that one agent's batches bring, a row for each batch, until there are enough to hand each series
/// its samples in one go.</summary>
/// <remarks>
/// A series is three or four places in memory, and a batch has a hundred series: going to them for one sample each takes several times as
/// long as all the rest of storing a batch. A row is one place.
/// Invariants: a series belongs to at most one of these, and there to one column; rows ascend in time, and each is newer than all samples
/// that its series hold in chunks. So the samples of a series are those of its chunks and behind them its column.
/// Not safe for concurrent use: <see cref="MemorySeriesStore"/>'s gate guards it.
/// </remarks>
internal sealed class PendingRows
{
    /// <summary>Rows that wait at most. For 262,144 series they take 34 MB.</summary>
    public const int RowsMax = 16;

    private readonly MemorySeries[] series;
    private readonly long[] times = new long[RowsMax];
    private readonly double[] values;

    private PendingRows(MemorySeries[] series)
    {
        this.series = series;
        values = new double[RowsMax * series.Length];
    }

    /// <summary>Rows that wait.</summary>
    public int Count { get; private set; }

    /// <summary>The newest time that one of its series has.</summary>
    public long NewestTime { get; private set; } = long.MinValue;

    /// <summary>How many series it has.</summary>
    public int Width => series.Length;

    /// <summary>Memory that it takes, bytes.</summary>
    public int SizeBytes => (sizeof(double) * values.Length) + (sizeof(long) * RowsMax) + (IntPtr.Size * series.Length) + 96;

    /// <summary>Where the values of the next row go; <see cref="Add"/> follows.</summary>
    public Span<double> Next => values.AsSpan(Count * series.Length, series.Length);

    /// <summary>Takes series that belong to no other.</summary>
    /// <returns>Null when one of them stands there twice, or is in no store any more.</returns>
    public static PendingRows? TryClaim(ReadOnlySpan<MemorySeries?> wanted)
    {
        var claimed = new PendingRows(new MemorySeries[wanted.Length]);
        for (var i = 0; i < wanted.Length; i++)
        {
            if (wanted[i] is not { IsRemoved: false, Pending: null } each)
            {
                claimed.Release();
                return null;
            }

            claimed.series[i] = each;
            claimed.NoteTime(each.NewestTime);
            each.Belong(claimed, i);
        }

        return claimed;
    }

    /// <summary>Adds the row whose values were put in <see cref="Next"/>.</summary>
    /// <param name="time">Later than <see cref="NewestTime"/>.</param>
    /// <returns>Whether there is no room for another one: <see cref="Flush"/> comes next.</returns>
    public bool Add(long time)
    {
        times[Count++] = time;
        NewestTime = time;
        return Count == RowsMax;
    }

    /// <summary>Takes note of a sample that one of the series took past the rows.</summary>
    public void NoteTime(long time) => NewestTime = Math.Max(NewestTime, time);

    /// <summary>A series' samples in the rows.</summary>
    public void Read(int column, Span<long> columnTimes, Span<double> columnValues)
    {
        times.AsSpan(0, Count).CopyTo(columnTimes);
        for (var row = 0; row < Count; row++)
        {
            columnValues[row] = values[(row * series.Length) + column];
        }
    }

    /// <summary>Hands the samples to their series.</summary>
    /// <returns>By how many bytes the series have grown.</returns>
    public long Flush()
    {
        long grown = 0;
        for (var column = 0; column < series.Length && Count > 0; column++)
        {
            var target = series[column];
            grown -= target.SizeBytes;
            for (var row = 0; row < Count; row++)
            {
                target.Append(times[row], values[(row * series.Length) + column]);
            }

            grown += target.SizeBytes;
        }

        Count = 0;
        return grown;
    }

    /// <summary>Lets go of the series, after <see cref="Flush"/>; nothing may be added any more.</summary>
    public void Release()
    {
        foreach (var each in series)
        {
            each?.Belong(null, 0);
        }
    }
}
