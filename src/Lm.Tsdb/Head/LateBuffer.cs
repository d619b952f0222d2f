namespace Lm.Tsdb.Head;

/// <summary>Late samples of one series in a window, sorted by time, until there are enough for a chunk.</summary>
internal sealed class LateBuffer
{
    /// <summary>Samples at most.</summary>
    public const int SamplesMax = 32;

    private int[] times = new int[4];
    private double[] values = new double[4];

    /// <summary>How many.</summary>
    public int Count { get; private set; }

    /// <summary>Their times, from the window's start.</summary>
    public ReadOnlySpan<int> Times => times.AsSpan(0, Count);

    /// <summary>Their values.</summary>
    public ReadOnlySpan<double> Values => values.AsSpan(0, Count);

    /// <summary>Memory, bytes.</summary>
    public int SizeBytes => (times.Length * (sizeof(int) + sizeof(double))) + 88;

    /// <summary>Adds a sample for a time that is not there.</summary>
    public void Insert(int time, double value)
    {
        if (Count == times.Length)
        {
            Array.Resize(ref times, Count * 2);
            Array.Resize(ref values, Count * 2);
        }

        var at = ~Times.BinarySearch(time);
        times.AsSpan(at, Count - at).CopyTo(times.AsSpan(at + 1));
        values.AsSpan(at, Count - at).CopyTo(values.AsSpan(at + 1));
        (times[at], values[at]) = (time, value);
        Count++;
    }

    /// <summary>Forgets all.</summary>
    public void Clear() => Count = 0;
}
