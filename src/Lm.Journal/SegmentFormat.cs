using System.Buffers.Binary;
using System.Globalization;

using Lm.Platform;

namespace Lm.Journal;

/// <summary>The format of a segment file; docs/formats/journal.md has the byte tables.</summary>
/// <remarks>
/// Every checksum starts from a salt made of the journal's id and the segment's number, and a record's header checksum covers its
/// offset: bytes of another journal, another segment or another place, and payloads that imitate a record, are never taken for one.
/// </remarks>
internal static class SegmentFormat
{
    public const int HeaderSize = 48;
    public const int RecordHeaderSize = 12;
    public const int RecordSizeLimit = (1 << 30) - 1; // 30 bits of length beside the two flags
    public const string Extension = ".seg";

    private const uint GroupStartFlag = 1u << 31;
    private const uint PreambleFlag = 1u << 30;
    private const uint Version = 1;
    private const uint NoPrevious = uint.MaxValue;

    private static ReadOnlySpan<byte> Magic => "LMJRNL1\n"u8;

    public static string FileName(uint segment) => segment.ToString("D10", CultureInfo.InvariantCulture) + Extension;

    public static bool TryParseFileName(string name, out uint segment)
    {
        segment = 0;
        return name.Length == 10 + Extension.Length
            && name.EndsWith(Extension, StringComparison.Ordinal)
            && uint.TryParse(name.AsSpan(0, 10), NumberStyles.None, CultureInfo.InvariantCulture, out segment)
            && segment != NoPrevious;
    }

    public static uint Salt(Guid journal, uint segment)
    {
        Span<byte> source = stackalloc byte[20];
        journal.TryWriteBytes(source, bigEndian: true, out _);
        BinaryPrimitives.WriteUInt32LittleEndian(source[16..], segment);
        return Crc32C.Compute(source);
    }

    public static void WriteHeader(Span<byte> target, SegmentHeader header)
    {
        Magic.CopyTo(target);
        BinaryPrimitives.WriteUInt32LittleEndian(target[8..], Version);
        BinaryPrimitives.WriteUInt32LittleEndian(target[12..], header.Segment);
        header.Journal.TryWriteBytes(target.Slice(16, 16), bigEndian: true, out _);
        BinaryPrimitives.WriteInt64LittleEndian(target[32..], header.PreviousEnd);
        BinaryPrimitives.WriteUInt32LittleEndian(target[40..], header.Previous ?? NoPrevious);
        BinaryPrimitives.WriteUInt32LittleEndian(target[44..], Crc32C.Compute(target[..44]));
    }

    /// <summary>Reads a segment's header.</summary>
    /// <returns>False when it is short or damaged.</returns>
    /// <exception cref="JournalException">It is whole, but of a version that this program does not know.</exception>
    public static bool TryReadHeader(ReadOnlySpan<byte> source, string path, out SegmentHeader header)
    {
        header = default;
        if (source.Length < HeaderSize
            || !source.StartsWith(Magic)
            || BinaryPrimitives.ReadUInt32LittleEndian(source[44..]) != Crc32C.Compute(source[..44]))
        {
            return false;
        }

        var version = BinaryPrimitives.ReadUInt32LittleEndian(source[8..]);
        if (version != Version)
        {
            throw new JournalException($"{path}: journal format version {version}, this program knows version {Version} only");
        }

        var previous = BinaryPrimitives.ReadUInt32LittleEndian(source[40..]);
        header = new SegmentHeader(
            new Guid(source.Slice(16, 16), bigEndian: true),
            BinaryPrimitives.ReadUInt32LittleEndian(source[12..]),
            previous == NoPrevious ? null : previous,
            BinaryPrimitives.ReadInt64LittleEndian(source[32..]));
        return true;
    }

    public static uint PayloadChecksum(uint salt, ReadOnlySpan<byte> payload) => Crc32C.Append(salt, payload);

    public static void WriteRecordHeader(Span<byte> target, uint salt, long offset, RecordHeader header)
    {
        var word = (uint)header.Size | (header.StartsGroup ? GroupStartFlag : 0) | (header.IsPreamble ? PreambleFlag : 0);
        BinaryPrimitives.WriteUInt32LittleEndian(target, word);
        BinaryPrimitives.WriteUInt32LittleEndian(target[4..], header.PayloadChecksum);
        BinaryPrimitives.WriteUInt32LittleEndian(target[8..], RecordHeaderChecksum(target, salt, offset));
    }

    /// <summary>Reads a record's header.</summary>
    /// <returns>False when its checksum is wrong.</returns>
    public static bool TryReadRecordHeader(ReadOnlySpan<byte> source, uint salt, long offset, out RecordHeader header)
    {
        var word = BinaryPrimitives.ReadUInt32LittleEndian(source);
        header = new RecordHeader(
            (int)(word & RecordSizeLimit),
            (word & GroupStartFlag) != 0,
            (word & PreambleFlag) != 0,
            BinaryPrimitives.ReadUInt32LittleEndian(source[4..]));
        return BinaryPrimitives.ReadUInt32LittleEndian(source[8..]) == RecordHeaderChecksum(source, salt, offset);
    }

    private static uint RecordHeaderChecksum(ReadOnlySpan<byte> header, uint salt, long offset)
    {
        Span<byte> place = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(place, offset);
        return Crc32C.Append(Crc32C.Append(salt, place), header[..8]);
    }
}

/// <summary>What a segment begins with.</summary>
/// <param name="Journal">The journal it belongs to.</param>
/// <param name="Segment">Its own number.</param>
/// <param name="Previous">The segment before it when it was begun; null for the first.</param>
/// <param name="PreviousEnd">Where that segment's last committed record ends: what lies behind was never committed.</param>
internal readonly record struct SegmentHeader(Guid Journal, uint Segment, uint? Previous, long PreviousEnd);

/// <summary>What a record begins with.</summary>
/// <param name="Size">Bytes of its payload.</param>
/// <param name="StartsGroup">Everything before it in its segment was synced before it was written.</param>
/// <param name="IsPreamble">It is the owner's state, not an appended record.</param>
/// <param name="PayloadChecksum">Salted CRC-32C of the payload.</param>
internal readonly record struct RecordHeader(int Size, bool StartsGroup, bool IsPreamble, uint PayloadChecksum);
