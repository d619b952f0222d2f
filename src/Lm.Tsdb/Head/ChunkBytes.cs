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
    public void Add(ReadOnlySpan<byte> chunk)
    {
        if (bytes.Length - used < chunk.Length)
        {
            Array.Resize(ref bytes, Math.Max(used + chunk.Length, bytes.Length * 2));
        }

        chunk.CopyTo(bytes.AsSpan(used));
        chunks.Add((used, chunk.Length));
        used += chunk.Length;
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
