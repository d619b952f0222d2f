using System.Buffers.Binary;

namespace Lm.Tsdb.Head;

/// <summary>Bytes of open chunks, in size classes carved from arrays of 64 KiB: no object for a chunk, and a window's memory goes in one go.</summary>
/// <remarks>A place is the number of a 16-byte unit. Places that were freed are chained by their first four bytes. Pinned, so that no collection copies them.</remarks>
internal sealed class ChunkArena
{
    private const int UnitBits = 4;
    private const int SlabBits = 12; // units
    private const int SlabBytes = 1 << (SlabBits + UnitBits);

    // A chunk of 120 samples takes 2,200 bytes at most. Steps of a quarter to a third: what is unused is an eighth on average.
    private static readonly short[] Sizes = [32, 48, 64, 80, 96, 128, 160, 192, 256, 320, 384, 512, 640, 768, 1024, 1280, 1536, 1920, 2304];

    private readonly int[] free = new int[Sizes.Length]; // place + 1 of the first free one of each class
    private byte[][] slabs = new byte[4][];
    private int slabCount;
    private int used = SlabBytes; // of the last slab, bytes

    /// <summary>Memory, bytes.</summary>
    public long SizeBytes => (long)slabCount * SlabBytes;

    /// <summary>The class for so many bytes.</summary>
    public static byte ClassFor(int bytes)
    {
        byte found = 0;
        while (Sizes[found] < bytes)
        {
            found++;
        }

        return found;
    }

    /// <summary>Bytes of a class.</summary>
    public static int SizeOf(byte sizeClass) => Sizes[sizeClass];

    /// <summary>The bytes at a place.</summary>
    public Span<byte> At(int place, byte sizeClass) => slabs[place >> SlabBits].AsSpan((place & ((1 << SlabBits) - 1)) << UnitBits, Sizes[sizeClass]);

    /// <summary>Takes a place; what stands there is undefined.</summary>
    public int Take(byte sizeClass)
    {
        if (free[sizeClass] != 0)
        {
            var place = free[sizeClass] - 1;
            free[sizeClass] = BinaryPrimitives.ReadInt32LittleEndian(At(place, sizeClass));
            return place;
        }

        if (SlabBytes - used < Sizes[sizeClass])
        {
            AddSlab();
        }

        var taken = ((slabCount - 1) << SlabBits) + (used >> UnitBits);
        used += Sizes[sizeClass];
        return taken;
    }

    /// <summary>Gives a place back.</summary>
    public void Free(int place, byte sizeClass)
    {
        BinaryPrimitives.WriteInt32LittleEndian(At(place, sizeClass), free[sizeClass]);
        free[sizeClass] = place + 1;
    }

    private void AddSlab()
    {
        if (slabCount == slabs.Length)
        {
            Array.Resize(ref slabs, slabCount * 2);
        }

        slabs[slabCount++] = GC.AllocateUninitializedArray<byte>(SlabBytes, pinned: true);
        used = 0;
    }
}
