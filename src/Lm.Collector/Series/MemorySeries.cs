using Lm.Tsdb;
using Lm.Tsdb.Chunks;

namespace Lm.Collector.Series;

/// <summary>One series in memory: its labels and its samples, sorted by time, at most one for each time.</summary>
/// <remarks>Invariants: chunks are not empty, ascend in time and do not overlap; all but the last are sealed (the last may be, too).
/// Not safe for concurrent use: <see cref="MemorySeriesStore"/>'s gate guards the samples. The labels never change.</remarks>
internal sealed class MemorySeries(LabelSet labels)
{
    /// <summary>Samples of the largest chunk: what late samples have filled beyond it becomes two.</summary>
    public const int ChunkSamplesMax = 2 * XorChunk.SamplesMax;

    private XorChunk[] chunks = [];
    private int chunkCount;
    private XorChunk? last; // that of chunks, without the way over the array

    /// <summary>The labels.</summary>
    public LabelSet Labels { get; } = labels;

    /// <summary>Whether the store has let go of it: whoever keeps a reference looks it up again.</summary>
    public bool IsRemoved { get; set; }

    /// <summary>Whether its metric's unit and help text were kept; agents send them only once in a while.</summary>
    public bool IsDescribed { get; set; }

    /// <summary>Where its newest samples may wait; null when nowhere.</summary>
    public PendingRows? Pending { get; private set; }

    /// <summary>Its column in <see cref="Pending"/>.</summary>
    public int PendingColumn { get; private set; }

    /// <summary>How many samples there are in chunks.</summary>
    public int Count { get; private set; }

    /// <summary>Memory that its chunks take, bytes.</summary>
    public int SizeBytes { get; private set; }

    /// <summary>The newest time in chunks; the lowest number when there is none.</summary>
    public long NewestTime => last?.LastTime ?? long.MinValue;

    /// <summary>The oldest time in chunks; the highest number when there is none.</summary>
    public long OldestTime => chunkCount == 0 ? long.MaxValue : chunks[0].FirstTime;

    /// <summary>The chunks, oldest first; valid while the gate is held.</summary>
    public ReadOnlySpan<XorChunk> Chunks => chunks.AsSpan(0, chunkCount);

    /// <summary>Says where its newest samples wait.</summary>
    public void Belong(PendingRows? rows, int column) => (Pending, PendingColumn) = (rows, column);

    /// <summary>Takes one sample. For one time the first value stays: batches come in commit order, and the lower position has precedence (V20).</summary>
    public AppendOutcome Append(long time, double value)
    {
        if (last is not null)
        {
            if (time <= last.LastTime)
            {
                return Insert(time, value);
            }

            if (last.Count < XorChunk.SamplesMax)
            {
                var before = last.SizeBytes;
                last.Append(time, value);
                SizeBytes += last.SizeBytes - before;
                Count++;
                return AppendOutcome.Added;
            }

            SizeBytes -= last.SizeBytes;
            last.Seal();
            SizeBytes += last.SizeBytes;
        }

        // The same series takes about the same room again: no growing, which would leave as much garbage as there are samples.
        var chunk = new XorChunk(last?.Bytes.Length ?? 0);
        chunk.Append(time, value);
        Replace(chunkCount, 0, chunk);
        return AppendOutcome.Added;
    }

    /// <summary>Memory of the chunks that lie before <paramref name="cutoff"/> as a whole, bytes.</summary>
    public long BytesBefore(long cutoff)
    {
        long size = 0;
        foreach (var chunk in Chunks)
        {
            if (chunk.LastTime >= cutoff)
            {
                break;
            }

            size += chunk.SizeBytes;
        }

        return size;
    }

    /// <summary>Forgets the chunks that lie before <paramref name="cutoff"/> as a whole.</summary>
    /// <returns>How many samples went.</returns>
    public int DropOlderThan(long cutoff)
    {
        var gone = 0;
        while (gone < chunkCount && chunks[gone].LastTime < cutoff)
        {
            gone++;
        }

        var before = Count;
        Replace(0, gone);
        return before - Count;
    }

    // A sample that is not the newest: its chunk is made anew. Seldom, and then a few microseconds.
    private AppendOutcome Insert(long time, double value)
    {
        var index = 0;
        while (chunks[index].LastTime < time)
        {
            index++; // there is one: the newest sample is not older
        }

        var chunk = chunks[index];
        Span<long> times = stackalloc long[ChunkSamplesMax + 1];
        Span<double> values = stackalloc double[ChunkSamplesMax + 1];
        chunk.Read(times, values);
        var at = times[..chunk.Count].BinarySearch(time);
        if (at >= 0)
        {
            // By bits: a stale marker is not just any NaN, and a NaN equals itself here.
            return BitConverter.DoubleToInt64Bits(values[at]) == BitConverter.DoubleToInt64Bits(value) ? AppendOutcome.Repeated : AppendOutcome.Conflicting;
        }

        at = ~at;
        times[at..chunk.Count].CopyTo(times[(at + 1)..]);
        values[at..chunk.Count].CopyTo(values[(at + 1)..]);
        (times[at], values[at]) = (time, value);
        var count = chunk.Count + 1;
        var half = count > ChunkSamplesMax ? count / 2 : count;
        var (low, high) = (ChunkOf(times[..half], values[..half]), half == count ? null : ChunkOf(times[half..count], values[half..count]));
        if (high is null)
        {
            Replace(index, 1, low);
        }
        else
        {
            Replace(index, 1, low, high);
        }

        return AppendOutcome.Added;
    }

    private static XorChunk ChunkOf(ReadOnlySpan<long> times, ReadOnlySpan<double> values)
    {
        var chunk = new XorChunk(expectedBytes: 0);
        for (var i = 0; i < times.Length; i++)
        {
            chunk.Append(times[i], values[i]);
        }

        chunk.Seal();
        return chunk;
    }

    private void Replace(int index, int gone, params ReadOnlySpan<XorChunk> come)
    {
        foreach (var chunk in chunks.AsSpan(index, gone))
        {
            Count -= chunk.Count;
            SizeBytes -= chunk.SizeBytes;
        }

        foreach (var chunk in come)
        {
            Count += chunk.Count;
            SizeBytes += chunk.SizeBytes;
        }

        var newCount = chunkCount - gone + come.Length;
        var target = newCount <= chunks.Length ? chunks : new XorChunk[Math.Max(newCount, chunks.Length + (chunks.Length / 2))];
        chunks.AsSpan(index + gone, chunkCount - index - gone).CopyTo(target.AsSpan(index + come.Length));
        if (target != chunks)
        {
            chunks.AsSpan(0, index).CopyTo(target);
            chunks = target;
        }

        come.CopyTo(chunks.AsSpan(index));
        if (newCount < chunkCount)
        {
            chunks.AsSpan(newCount, chunkCount - newCount).Clear();
        }

        chunkCount = newCount;
        last = newCount == 0 ? null : chunks[newCount - 1];
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
