namespace Lm.Tsdb.Head;

/// <summary>Pages of chunk logs that are free to be used again: what a checkpoint gives back is what the next samples need, and a collection would find it much later.</summary>
/// <remarks>Guarded by the head's gate. Only pages that no reader can be reading may come here.</remarks>
internal sealed class ChunkPages
{
    /// <summary>Bytes of a page.</summary>
    public const int PageBytes = 1 << PageBits;

    /// <summary>The same, as a power of two.</summary>
    public const int PageBits = 16;

    // 16 MiB: about what is sealed between two checkpoints. What a rare need beyond it leaves is the collector's.
    private const int KeptMax = 256;

    private readonly Stack<byte[]> free = new();

    /// <summary>Free pages.</summary>
    public int Count => free.Count;

    /// <summary>A page of zeros, pinned so that no collection copies it.</summary>
    public byte[] Take()
    {
        if (!free.TryPop(out var page))
        {
            return GC.AllocateArray<byte>(PageBytes, pinned: true);
        }

        Array.Clear(page);
        return page;
    }

    /// <summary>Takes a page back.</summary>
    public void Give(byte[] page)
    {
        if (free.Count < KeptMax)
        {
            free.Push(page);
        }
    }
}
