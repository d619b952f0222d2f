namespace Lm.Tsdb.Head;

/// <summary>Chunks of one series, copied for a reader; used again and again.</summary>
internal sealed class ChunkBytes
{
    private readonly List<(int Start, int Length)> chunks = [];
    private byte[] bytes = new byte[1024];
    private byte[] scratch = [];
    private int used;

    /// <summary>How many.</summary>
    public int Count => chunks.Count;

    /// <summary>One of them.</summary>
    public ReadOnlySpan<byte> this[int index] => bytes.AsSpan(chunks[index].Start, chunks[index].Length);

    /// <summary>Forgets all.</summary>
    public void Clear()
    {
        chunks.Clear();
        used = 0;
    }

    /// <summary>Copies one.</summary>
    public void Add(ReadOnlySpan<byte> chunk) => chunk.CopyTo(Add(chunk.Length));

    /// <summary>Adds one, whose bytes the caller writes at once.</summary>
    public Span<byte> Add(int length)
    {
        if (bytes.Length - used < length)
        {
            Array.Resize(ref bytes, Math.Max(used + length, bytes.Length * 2));
        }

        chunks.Add((used, length));
        used += length;
        return bytes.AsSpan(used - length, length);
    }

    /// <summary>Forgets the last one.</summary>
    public void RemoveLast()
    {
        used = chunks[^1].Start;
        chunks.RemoveAt(chunks.Count - 1);
    }

    /// <summary>Room to read a file into.</summary>
    public Span<byte> Scratch(int size)
    {
        if (scratch.Length < size)
        {
            scratch = new byte[size];
        }

        return scratch.AsSpan(0, size);
    }
}
