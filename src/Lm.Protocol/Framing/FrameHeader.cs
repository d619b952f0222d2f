using System.Buffers.Binary;
using Lm.Platform;

namespace Lm.Protocol.Framing;

/// <summary>The places of the header's fields. Format: docs/formats/frame.md.</summary>
internal static class FrameHeader
{
    public const int Size = 24;
    public const int VersionAt = 8;
    public const int FlagsAt = 10;
    public const int StoredLengthAt = 12;
    public const int PayloadLengthAt = 16;
    public const int ChecksumAt = 20;
    public const ushort Version = 1;
    public const ushort ZstdFlag = 1;

    public static ReadOnlySpan<byte> Magic => "LMFRAME\n"u8;

    /// <summary>CRC-32C of the header up to its checksum, and of the stored payload.</summary>
    public static uint ChecksumOf(ReadOnlySpan<byte> header, ReadOnlySpan<byte> stored) =>
        Crc32C.Append(Crc32C.Compute(header[..ChecksumAt]), stored);

    public static void Write(Span<byte> header, bool isCompressed, ReadOnlySpan<byte> stored, int payloadLength)
    {
        Magic.CopyTo(header);
        BinaryPrimitives.WriteUInt16LittleEndian(header[VersionAt..], Version);
        BinaryPrimitives.WriteUInt16LittleEndian(header[FlagsAt..], isCompressed ? ZstdFlag : (ushort)0);
        BinaryPrimitives.WriteUInt32LittleEndian(header[StoredLengthAt..], (uint)stored.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(header[PayloadLengthAt..], (uint)payloadLength);
        BinaryPrimitives.WriteUInt32LittleEndian(header[ChecksumAt..], ChecksumOf(header, stored));
    }
}
