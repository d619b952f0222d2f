using System.Buffers.Binary;
using Lm.Platform;

namespace Lm.Tsdb.Head;

/// <summary>What stands before a sealed chunk in a window's log.</summary>
internal struct ChunkRecord
{
    /// <summary>Bytes before the chunk.</summary>
    public const int HeaderSize = 24;

    /// <summary>Bytes of a record at most, the largest chunk included.</summary>
    public const int SizeMax = HeaderSize + 2304;

    /// <summary>Place of the same series' chunk before it, of the same kind; 0 for none.</summary>
    public uint Before;

    /// <summary>Which series.</summary>
    public int Series;

    /// <summary>Its first time, from the window's start.</summary>
    public int FirstTime;

    /// <summary>Its last time.</summary>
    public int LastTime;

    /// <summary>Bytes of the chunk.</summary>
    public ushort Length;

    /// <summary>Samples in it.</summary>
    public byte Count;

    /// <summary>Whether it holds late samples: its range may overlap others.</summary>
    public bool IsLate;

    /// <summary>Writes the record with its chunk.</summary>
    public void Write(Span<byte> target, ReadOnlySpan<byte> chunk)
    {
        Length = (ushort)chunk.Length;
        BinaryPrimitives.WriteUInt32LittleEndian(target[4..], Before);
        BinaryPrimitives.WriteInt32LittleEndian(target[8..], Series);
        BinaryPrimitives.WriteInt32LittleEndian(target[12..], FirstTime);
        BinaryPrimitives.WriteInt32LittleEndian(target[16..], LastTime);
        BinaryPrimitives.WriteUInt16LittleEndian(target[20..], Length);
        target[22] = Count;
        target[23] = IsLate ? (byte)1 : (byte)0;
        chunk.CopyTo(target[HeaderSize..]);
        BinaryPrimitives.WriteUInt32LittleEndian(target, Crc32C.Compute(target[4..(HeaderSize + Length)]));
    }

    /// <summary>Reads what stands before a chunk.</summary>
    public static ChunkRecord Read(ReadOnlySpan<byte> source) => new()
    {
        Before = BinaryPrimitives.ReadUInt32LittleEndian(source[4..]),
        Series = BinaryPrimitives.ReadInt32LittleEndian(source[8..]),
        FirstTime = BinaryPrimitives.ReadInt32LittleEndian(source[12..]),
        LastTime = BinaryPrimitives.ReadInt32LittleEndian(source[16..]),
        Length = BinaryPrimitives.ReadUInt16LittleEndian(source[20..]),
        Count = source[22],
        IsLate = source[23] != 0,
    };

    /// <summary>Whether a whole record's checksum is right.</summary>
    public static bool IsIntact(ReadOnlySpan<byte> record) => Crc32C.Compute(record[4..]) == BinaryPrimitives.ReadUInt32LittleEndian(record);
}
