using System.Buffers.Binary;
using Lm.Platform;

namespace Lm.Logs.Files;

/// <summary>What a sealed file says of itself in its last bytes: a zstd skippable frame, which every reader of zstd passes over (K13). Docs: docs/formats/log.md.</summary>
internal sealed record LogFooter
{
    /// <summary>Its bytes.</summary>
    public const int Size = 128;

    private const uint SkippableMagic = 0x184D2A5C;
    private const int Version = 1;

    /// <summary>Which spool's records it covers (K12).</summary>
    public required Guid Incarnation { get; init; }

    /// <summary>Which lines it holds.</summary>
    public required LogWindow Window { get; init; }

    /// <summary>The number of the open file that it was made of.</summary>
    public required uint Source { get; init; }

    /// <summary>All lines of the window that the spool's records before this brought are in this file or in those sealed before it.</summary>
    public required CommitPosition Covered { get; init; }

    /// <summary>Its frames.</summary>
    public required int Frames { get; init; }

    /// <summary>Its lines.</summary>
    public required long Lines { get; init; }

    /// <summary>Bytes of its lines, decompressed.</summary>
    public required long RawBytes { get; init; }

    /// <summary>Bytes of its lines' bodies.</summary>
    public required long BodyBytes { get; init; }

    /// <summary>The time of the oldest line.</summary>
    public required long MinTime { get; init; }

    /// <summary>The time of the newest line.</summary>
    public required long MaxTime { get; init; }

    private static ReadOnlySpan<byte> Magic => "LMLOGS1\n"u8;

    /// <summary>The bytes.</summary>
    public byte[] ToBytes()
    {
        var bytes = new byte[Size];
        var at = bytes.AsSpan();
        BinaryPrimitives.WriteUInt32LittleEndian(at, SkippableMagic);
        BinaryPrimitives.WriteInt32LittleEndian(at[4..], Size - 8);
        Magic.CopyTo(at[8..]);
        BinaryPrimitives.WriteInt32LittleEndian(at[16..], Version);
        BinaryPrimitives.WriteUInt32LittleEndian(at[20..], Source);
        Incarnation.TryWriteBytes(at[24..], bigEndian: true, out _);
        BinaryPrimitives.WriteInt64LittleEndian(at[40..], Window.Start);
        BinaryPrimitives.WriteInt32LittleEndian(at[48..], Window.IsLate ? 1 : 0);
        BinaryPrimitives.WriteUInt32LittleEndian(at[52..], Covered.Segment);
        BinaryPrimitives.WriteInt64LittleEndian(at[56..], Covered.Offset);
        BinaryPrimitives.WriteInt64LittleEndian(at[64..], Lines);
        BinaryPrimitives.WriteInt64LittleEndian(at[72..], RawBytes);
        BinaryPrimitives.WriteInt64LittleEndian(at[80..], BodyBytes);
        BinaryPrimitives.WriteInt64LittleEndian(at[88..], MinTime);
        BinaryPrimitives.WriteInt64LittleEndian(at[96..], MaxTime);
        BinaryPrimitives.WriteInt32LittleEndian(at[104..], Frames);
        BinaryPrimitives.WriteUInt32LittleEndian(at[124..], Crc32C.Compute(at[..124]));
        return bytes;
    }

    /// <summary>Reads the bytes.</summary>
    /// <returns>What is wrong; null when nothing.</returns>
    public static string? Read(ReadOnlySpan<byte> bytes, out LogFooter? footer)
    {
        footer = null;
        if (bytes.Length != Size || BinaryPrimitives.ReadUInt32LittleEndian(bytes) != SkippableMagic || !bytes[8..].StartsWith(Magic))
        {
            return "it does not end as a sealed log file does";
        }

        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes[124..]) != Crc32C.Compute(bytes[..124]))
        {
            return "the checksum of its footer is wrong";
        }

        if (BinaryPrimitives.ReadInt32LittleEndian(bytes[16..]) is var version && version != Version)
        {
            return $"its footer has version {version}; this program reads {Version}";
        }

        footer = new LogFooter
        {
            Source = BinaryPrimitives.ReadUInt32LittleEndian(bytes[20..]),
            Incarnation = new Guid(bytes.Slice(24, 16), bigEndian: true),
            Window = new LogWindow(BinaryPrimitives.ReadInt64LittleEndian(bytes[40..]), BinaryPrimitives.ReadInt32LittleEndian(bytes[48..]) != 0),
            Covered = new CommitPosition(BinaryPrimitives.ReadUInt32LittleEndian(bytes[52..]), BinaryPrimitives.ReadInt64LittleEndian(bytes[56..])),
            Lines = BinaryPrimitives.ReadInt64LittleEndian(bytes[64..]),
            RawBytes = BinaryPrimitives.ReadInt64LittleEndian(bytes[72..]),
            BodyBytes = BinaryPrimitives.ReadInt64LittleEndian(bytes[80..]),
            MinTime = BinaryPrimitives.ReadInt64LittleEndian(bytes[88..]),
            MaxTime = BinaryPrimitives.ReadInt64LittleEndian(bytes[96..]),
            Frames = BinaryPrimitives.ReadInt32LittleEndian(bytes[104..]),
        };
        return null;
    }
}
