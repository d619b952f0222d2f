namespace Lm.Tsdb;

/// <summary>Samples in memory, times and values apart; grows as needed and is used again and again.</summary>
public sealed class SampleBuffer
{
    private const int FirstSize = 128;

    private long[] times = [];
    private double[] values = [];

    /// <summary>How many samples.</summary>
    public int Count { get; private set; }

    /// <summary>Their times, milliseconds since 1970; valid until the next write.</summary>
    public ReadOnlySpan<long> Times => times.AsSpan(0, Count);

    /// <summary>Their values; valid until the next write.</summary>
    public ReadOnlySpan<double> Values => values.AsSpan(0, Count);

    /// <summary>Forgets all samples and keeps the memory.</summary>
    public void Clear() => Count = 0;

    /// <summary>Adds a sample behind the others.</summary>
    public void Add(long time, double value)
    {
        if (Count == times.Length)
        {
            Grow(1);
        }

        times[Count] = time;
        values[Count++] = value;
    }

    /// <summary>Room for further samples, to be written and then taken in by <see cref="Advance"/>.</summary>
    /// <param name="count">For how many.</param>
    /// <param name="freeTimes">At least as many places for times.</param>
    /// <param name="freeValues">At least as many places for values.</param>
    public void Reserve(int count, out Span<long> freeTimes, out Span<double> freeValues)
    {
        if (times.Length - Count < count)
        {
            Grow(count);
        }

        freeTimes = times.AsSpan(Count);
        freeValues = values.AsSpan(Count);
    }

    /// <summary>Takes in samples written to the places that <see cref="Reserve"/> gave.</summary>
    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, times.Length - Count);
        Count += count;
    }

    /// <summary>Forgets the samples behind the first ones.</summary>
    /// <param name="count">How many stay.</param>
    public void Truncate(int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Count);
        Count = count;
    }

    private void Grow(int more)
    {
        var size = Math.Max(Count + more, Math.Max(FirstSize, times.Length * 2));
        Array.Resize(ref times, size);
        Array.Resize(ref values, size);
    }
}
