using System.Buffers.Binary;
using System.Security.Cryptography;
using Lm.Platform;

namespace Lm.Collector.Landing;

/// <summary>The last bytes of a raw object: where its manifest is, and what everything before them must hash to. Format: docs/formats/raw.md.</summary>
/// <param name="ManifestOffset">Where the manifest begins.</param>
/// <param name="ManifestSize">Its bytes.</param>
/// <param name="Hash">SHA-256 of everything before the trailer.</param>
internal readonly record struct RawTrailer(long ManifestOffset, int ManifestSize, ReadOnlyMemory<byte> Hash)
{
    /// <summary>Its bytes.</summary>
    public const int Size = 64;

    /// <summary>The largest manifest that is read: that of an object with the most records, and room for queues.</summary>
    public const int ManifestSizeMax = 64 << 20;

    private const ushort Version = 1;

    private static ReadOnlySpan<byte> Magic => "LMRAWEND"u8;

    /// <summary>Writes it.</summary>
    public byte[] ToBytes()
    {
        var bytes = new byte[Size];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, ManifestOffset);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(8), ManifestSize);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(12), Version);
        Hash.Span.CopyTo(bytes.AsSpan(16));
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(52), Crc32C.Compute(bytes.AsSpan(0, 52)));
        Magic.CopyTo(bytes.AsSpan(56));
        return bytes;
    }

    /// <summary>Reads it.</summary>
    /// <param name="bytes">The last <see cref="Size"/> bytes of the object.</param>
    /// <param name="objectSize">Bytes of the object.</param>
    /// <param name="trailer">What they say, when there is nothing wrong.</param>
    /// <returns>Null, or what is wrong.</returns>
    public static string? TryRead(ReadOnlySpan<byte> bytes, long objectSize, out RawTrailer trailer)
    {
        trailer = default;
        if (bytes.Length != Size || !bytes[56..].SequenceEqual(Magic))
        {
            return $"its {objectSize} bytes do not end as a raw object does";
        }

        var (expected, computed) = (BinaryPrimitives.ReadUInt32LittleEndian(bytes[52..]), Crc32C.Compute(bytes[..52]));
        if (expected != computed)
        {
            return $"its trailer's checksum is {expected:x8}, computed {computed:x8}";
        }

        var version = BinaryPrimitives.ReadUInt16LittleEndian(bytes[12..]);
        if (version != Version)
        {
            return $"its version is {version}; this program reads {Version}";
        }

        trailer = new RawTrailer(BinaryPrimitives.ReadInt64LittleEndian(bytes), BinaryPrimitives.ReadInt32LittleEndian(bytes[8..]), bytes.Slice(16, SHA256.HashSizeInBytes).ToArray());
        return trailer.ManifestOffset >= RawManifest.HeaderSize && trailer.ManifestSize is > 0 and <= ManifestSizeMax
            && trailer.ManifestOffset + trailer.ManifestSize + Size == objectSize
            ? null
            : $"its trailer says that {trailer.ManifestSize} bytes of manifest begin at byte {trailer.ManifestOffset}, in an object of {objectSize}";
    }
}
