using Lm.Logs.Lines;

namespace Lm.Logs.Query.Metrics;

/// <summary>What the lines of one series add up to. For one thread at a time.</summary>
/// <remarks>Counts and bytes are kept as differences between neighbouring times of the grid: a line costs the same, however many windows it lies in.</remarks>
internal sealed class Accumulator
{
    private static readonly Comparer<LogKey> ByPlace = Comparer<LogKey>.Create(static (left, right) => left.CompareTo(right));

    private readonly long[]? counts;
    private readonly long[]? bytes;
    private long[] times = [];
    private double[] values = [];
    private LogKey[]? places; // of the values' lines
    private int used;

    /// <summary>Of a series.</summary>
    /// <param name="labels">Its labels.</param>
    /// <param name="grid">The times.</param>
    /// <param name="keepsValues">Whether numbers are kept; else lines and bytes are counted.</param>
    /// <param name="keepsPlaces">Whether it matters which of several numbers of one time comes first: then they stand in the order of their lines.</param>
    public Accumulator(LogField[] labels, MetricGrid grid, bool keepsValues, bool keepsPlaces)
    {
        Labels = labels;
        places = keepsPlaces ? [] : null;
        if (!keepsValues)
        {
            (counts, bytes) = (new long[grid.Count + 1], new long[grid.Count + 1]);
        }
    }

    /// <summary>The series' labels.</summary>
    public LogField[] Labels { get; }

    /// <summary>How many numbers it holds.</summary>
    public static long CellsOf(MetricGrid grid, bool keepsValues) => keepsValues ? 0 : 2L * (grid.Count + 1);

    /// <summary>Counts a line.</summary>
    /// <param name="first">The first window it lies in.</param>
    /// <param name="last">The last.</param>
    /// <param name="size">Its bytes.</param>
    public void Add(int first, int last, int size)
    {
        counts![first]++;
        counts[last + 1]--;
        bytes![first] += size;
        bytes[last + 1] -= size;
    }

    /// <summary>Takes a number.</summary>
    public void Add(in LogKey place, double value)
    {
        if (used == times.Length)
        {
            Array.Resize(ref times, Math.Max(16, 2 * used));
            Array.Resize(ref values, times.Length);
            if (places is not null)
            {
                Array.Resize(ref places, times.Length);
            }
        }

        if (places is not null)
        {
            places[used] = place;
        }

        times[used] = place.Time;
        values[used++] = value;
    }

    /// <summary>Adds what another thread found for the same series.</summary>
    public void Add(Accumulator other)
    {
        for (var i = 0; i < (counts?.Length ?? 0); i++)
        {
            counts![i] += other.counts![i];
            bytes![i] += other.bytes![i];
        }

        for (var i = 0; i < other.used; i++)
        {
            Add(other.places is { } known ? known[i] : new LogKey(other.times[i], "", default), other.values[i]);
        }
    }

    /// <summary>Lines, or their bytes, in each window; missing where there is no line.</summary>
    /// <param name="wantsBytes">Bytes rather than lines.</param>
    /// <param name="factor">What each is multiplied with.</param>
    public double[] Totals(bool wantsBytes, double factor)
    {
        var row = new double[counts!.Length - 1];
        long lines = 0;
        long size = 0;
        for (var i = 0; i < row.Length; i++)
        {
            lines += counts[i];
            size += bytes![i];
            row[i] = lines == 0 ? MetricGrid.Missing : (wantsBytes ? size : lines) * factor;
        }

        return row;
    }

    /// <summary>What a function makes of the numbers in each window, oldest first; missing where there are none.</summary>
    public double[] Windows(MetricGrid grid, long rangeMs, long offsetMs, WindowFunction function, CancellationToken cancellationToken)
    {
        Sort();
        var row = grid.EmptyRow();
        var (low, high) = (0, 0);
        for (var i = 0; i < grid.Count; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var end = grid.Start + (i * grid.Step) - offsetMs;
            while (high < used && times[high] <= end)
            {
                high++;
            }

            while (low < high && times[low] <= end - rangeMs)
            {
                low++;
            }

            if (high > low)
            {
                row[i] = function(values.AsSpan(low, high - low));
            }
        }

        return row;
    }

    private void Sort()
    {
        if (places is null)
        {
            Array.Sort(times, values, 0, used);
            return;
        }

        Array.Sort(places, values, 0, used, ByPlace);
        for (var i = 0; i < used; i++)
        {
            times[i] = places[i].Time;
        }
    }

    /// <summary>A number made of those of a window.</summary>
    public delegate double WindowFunction(ReadOnlySpan<double> values);
}
