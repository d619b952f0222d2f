using System.Buffers.Binary;

namespace Lm.Tsdb.Head;

/// <summary>Bytes of open chunks, as chains of segments of 64 bytes carved from arrays of 64 KiB: no object for a chunk, and a window's memory goes in one go.</summary>
/// <remarks>
/// All segments are of one size because all series of a window grow in step: with classes of sizes, each class would have room for all of them, the outgrown ones unused.
/// A chain is known by its last segment, which names the first; each other names the next. Pinned, so that no collection copies them.
/// </remarks>
internal sealed class ChunkArena
{
    /// <summary>Bytes of a chunk in a segment; the rest names another segment.</summary>
    public const int DataBytes = SegmentBytes - sizeof(int);

    private const int SegmentBytes = 64;
    private const int SlabBits = 10; // segments
    private const int SlabBytes = SegmentBytes << SlabBits;
    private const int None = -1;

    private byte[][] slabs = new byte[4][];
    private int slabCount;
    private int used = 1 << SlabBits; // segments of the last slab
    private int free = None; // a chain that ends

    /// <summary>Memory, bytes.</summary>
    public long SizeBytes => (long)slabCount * SlabBytes;

    /// <summary>Writes into a chain.</summary>
    /// <param name="last">Its last segment; changed when the chain grows.</param>
    /// <param name="length">Bytes that the chain has; 0 for none yet.</param>
    /// <param name="at">Where to write: within the last segment, or right behind it.</param>
    /// <param name="bytes">What.</param>
    public void Write(ref int last, int length, int at, ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            var inside = at % DataBytes;
            if (inside == 0 && at >= length)
            {
                last = Add(at == 0 ? None : last);
            }

            var count = Math.Min(bytes.Length, DataBytes - inside);
            bytes[..count].CopyTo(Segment(last)[inside..]);
            bytes = bytes[count..];
            at += count;
        }
    }

    /// <summary>A byte of the last segment.</summary>
    public byte ByteAt(int last, int at) => Segment(last)[at % DataBytes];

    /// <summary>Copies a chain.</summary>
    public void Read(int last, Span<byte> target)
    {
        for (var segment = NextOf(last); target.Length > 0; segment = NextOf(segment))
        {
            var count = Math.Min(target.Length, DataBytes);
            Segment(segment)[..count].CopyTo(target);
            target = target[count..];
        }
    }

    /// <summary>Gives a chain back.</summary>
    public void Free(int last)
    {
        var first = NextOf(last);
        SetNext(last, free);
        free = first;
    }

    private int Add(int last)
    {
        var added = Take();
        if (last == None)
        {
            SetNext(added, added);
            return added;
        }

        SetNext(added, NextOf(last));
        SetNext(last, added);
        return added;
    }

    private int Take()
    {
        if (free != None)
        {
            var taken = free;
            free = NextOf(taken);
            return taken;
        }

        if (used == 1 << SlabBits)
        {
            if (slabCount == slabs.Length)
            {
                Array.Resize(ref slabs, slabCount * 2);
            }

            slabs[slabCount++] = GC.AllocateUninitializedArray<byte>(SlabBytes, pinned: true);
            used = 0;
        }

        return ((slabCount - 1) << SlabBits) + used++;
    }

    private Span<byte> Segment(int segment) => slabs[segment >> SlabBits].AsSpan((segment & ((1 << SlabBits) - 1)) * SegmentBytes, SegmentBytes);

    private int NextOf(int segment) => BinaryPrimitives.ReadInt32LittleEndian(Segment(segment)[DataBytes..]);

    private void SetNext(int segment, int next) => BinaryPrimitives.WriteInt32LittleEndian(Segment(segment)[DataBytes..], next);
}
