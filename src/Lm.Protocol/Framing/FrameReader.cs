using System.Buffers.Binary;
using System.Globalization;
using Lm.Platform;

namespace Lm.Protocol.Framing;

/// <summary>Reads frames out of a buffer. Format: docs/formats/frame.md.</summary>
public static class FrameReader
{
    /// <summary>The header's bytes.</summary>
    public const int HeaderSize = FrameHeader.Size;

    /// <summary>Looks at the frame that the buffer begins with: header, sizes, checksum. Allocates nothing.</summary>
    /// <param name="buffer">Bytes that begin with a frame; more may follow.</param>
    /// <param name="payloadSizeMax">The largest payload after decompression that is allowed, bytes.</param>
    /// <param name="frame">The frame when the status is <see cref="FrameStatus.Ok"/>.</param>
    public static FrameStatus TryRead(ReadOnlySpan<byte> buffer, int payloadSizeMax, out Frame frame)
    {
        var status = TryReadHeader(buffer, payloadSizeMax, out frame);
        if (status != FrameStatus.Ok)
        {
            return status;
        }

        if (buffer.Length < frame.Length)
        {
            frame = default;
            return FrameStatus.Incomplete;
        }

        if (FrameHeader.ChecksumOf(buffer, buffer.Slice(HeaderSize, frame.StoredLength)) != frame.Checksum)
        {
            frame = default;
            return FrameStatus.BadChecksum;
        }

        return FrameStatus.Ok;
    }

    /// <summary>The payload's size and the frame's whole length as its header declares them, before the checksum is known to be right; for
    /// a reader that has only the header yet.</summary>
    /// <param name="buffer">Bytes that begin with a frame's header; what follows is not looked at.</param>
    /// <param name="payloadSizeMax">The largest payload that is allowed, stored or after decompression, bytes.</param>
    /// <param name="frame">What the header declares when the status is <see cref="FrameStatus.Ok"/>.</param>
    public static FrameStatus TryReadHeader(ReadOnlySpan<byte> buffer, int payloadSizeMax, out Frame frame)
    {
        frame = default;
        var magic = FrameHeader.Magic;
        if (!buffer[..Math.Min(buffer.Length, magic.Length)].SequenceEqual(magic[..Math.Min(buffer.Length, magic.Length)]))
        {
            return FrameStatus.BadMagic;
        }

        if (buffer.Length < HeaderSize)
        {
            return FrameStatus.Incomplete;
        }

        if (BinaryPrimitives.ReadUInt16LittleEndian(buffer[FrameHeader.VersionAt..]) != FrameHeader.Version)
        {
            return FrameStatus.BadVersion;
        }

        var flags = BinaryPrimitives.ReadUInt16LittleEndian(buffer[FrameHeader.FlagsAt..]);
        if ((flags & ~FrameHeader.ZstdFlag) != 0)
        {
            return FrameStatus.BadFlags;
        }

        return ReadSizes(buffer, flags == FrameHeader.ZstdFlag, payloadSizeMax, ref frame);
    }

    /// <summary>Puts the payload of a frame that <see cref="TryRead"/> found into <paramref name="destination"/>.</summary>
    /// <param name="buffer">The same buffer.</param>
    /// <param name="frame">The frame.</param>
    /// <param name="destination">At least <see cref="Frame.PayloadLength"/> bytes; no byte behind those is written.</param>
    /// <returns><see cref="FrameStatus.Ok"/>, or <see cref="FrameStatus.BadCompression"/>.</returns>
    public static FrameStatus ReadPayload(ReadOnlySpan<byte> buffer, in Frame frame, Span<byte> destination)
    {
        var stored = buffer.Slice(HeaderSize, frame.StoredLength);
        var payload = destination[..frame.PayloadLength];
        if (frame.IsCompressed)
        {
            return Zstd.TryDecompress(stored, payload) ? FrameStatus.Ok : FrameStatus.BadCompression;
        }

        stored.CopyTo(payload);
        return FrameStatus.Ok;
    }

    /// <summary>A sentence for people about a status other than Ok: what was found, what is allowed.</summary>
    /// <param name="status">What reading <paramref name="buffer"/> gave.</param>
    /// <param name="buffer">The buffer that was read; less than a header is fine.</param>
    /// <param name="payloadSizeMax">What the reader was allowed.</param>
    public static string Describe(FrameStatus status, ReadOnlySpan<byte> buffer, int payloadSizeMax)
    {
        var header = new byte[HeaderSize];
        buffer[..Math.Min(buffer.Length, HeaderSize)].CopyTo(header);
        var storedLength = BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(FrameHeader.StoredLengthAt));
        var payloadLength = BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(FrameHeader.PayloadLengthAt));
        var culture = CultureInfo.InvariantCulture;
        return status switch
        {
            FrameStatus.Ok => "the frame is whole and intact",
            FrameStatus.Incomplete when buffer.Length < HeaderSize =>
                string.Create(culture, $"the frame ends after {buffer.Length} bytes, within its header of {HeaderSize}"),
            FrameStatus.Incomplete => string.Create(
                culture, $"the frame ends after {buffer.Length} bytes; its header says that it has {HeaderSize + (long)storedLength}"),
            FrameStatus.BadMagic => "the frame begins with "
                + (buffer.IsEmpty ? "nothing" : Convert.ToHexStringLower(buffer[..Math.Min(buffer.Length, FrameHeader.Magic.Length)]))
                + ", not with LMFRAME\\n (4c4d4652414d450a)",
            FrameStatus.BadVersion => string.Create(
                culture, $"the frame's version is {BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(FrameHeader.VersionAt))}; only 1 is known"),
            FrameStatus.BadFlags => string.Create(
                culture,
                $"the frame's flags are 0x{BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(FrameHeader.FlagsAt)):x4}; only bit 0, zstd, is known"),
            FrameStatus.BadLength when storedLength == 0 || payloadLength == 0 => string.Create(
                culture, $"the frame's payload is empty (stored {storedLength} bytes, {payloadLength} after decompression); it has at least one byte"),
            FrameStatus.BadLength => string.Create(
                culture, $"the frame is not compressed, yet its payload has {storedLength} bytes as stored and {payloadLength} after decompression"),
            FrameStatus.TooLarge => string.Create(
                culture,
                $"the frame's payload has {Math.Max(storedLength, payloadLength)} bytes; max_batch_bytes is {payloadSizeMax}"),
            FrameStatus.BadChecksum => DescribeChecksum(header, buffer, storedLength),
            FrameStatus.BadCompression => string.Create(
                culture, $"the frame's payload of {storedLength} bytes is not zstd of exactly {payloadLength} bytes"),
            _ => string.Create(culture, $"the frame's status is {(int)status}"),
        };
    }

    private static FrameStatus ReadSizes(ReadOnlySpan<byte> buffer, bool isCompressed, int payloadSizeMax, ref Frame frame)
    {
        var storedLength = BinaryPrimitives.ReadUInt32LittleEndian(buffer[FrameHeader.StoredLengthAt..]);
        var payloadLength = BinaryPrimitives.ReadUInt32LittleEndian(buffer[FrameHeader.PayloadLengthAt..]);
        if (storedLength == 0 || payloadLength == 0 || (!isCompressed && storedLength != payloadLength))
        {
            return FrameStatus.BadLength;
        }

        // Checked before anyone waits for the payload: a hostile length must not make us buffer 4 GiB. Zstd adds a few bytes at most to
        // what it cannot compress, so what is stored is bounded as well; the sum of both stays an int.
        if (payloadLength > payloadSizeMax || storedLength > payloadSizeMax || storedLength > int.MaxValue - HeaderSize)
        {
            return FrameStatus.TooLarge;
        }

        var checksum = BinaryPrimitives.ReadUInt32LittleEndian(buffer[FrameHeader.ChecksumAt..]);
        frame = new Frame(HeaderSize + (int)storedLength, isCompressed, (int)storedLength, (int)payloadLength, checksum);
        return FrameStatus.Ok;
    }

    private static string DescribeChecksum(byte[] header, ReadOnlySpan<byte> buffer, uint storedLength)
    {
        var declared = BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(FrameHeader.ChecksumAt));
        var stored = buffer[Math.Min(buffer.Length, HeaderSize)..];
        var computed = FrameHeader.ChecksumOf(header, stored[..(int)Math.Min(storedLength, (uint)stored.Length)]);
        return string.Create(CultureInfo.InvariantCulture, $"the frame's checksum is {declared:x8}, computed {computed:x8}");
    }
}

/// <summary>How reading a frame ended.</summary>
public enum FrameStatus
{
    /// <summary>A whole, intact frame.</summary>
    Ok = 0,

    /// <summary>The buffer ends before the frame does.</summary>
    Incomplete,

    /// <summary>It does not begin with <c>LMFRAME\n</c>.</summary>
    BadMagic,

    /// <summary>A version other than 1.</summary>
    BadVersion,

    /// <summary>A flag other than zstd.</summary>
    BadFlags,

    /// <summary>A length is 0, or the two contradict each other.</summary>
    BadLength,

    /// <summary>A declared size, stored or after decompression, is above what is allowed.</summary>
    TooLarge,

    /// <summary>The CRC-32C does not match.</summary>
    BadChecksum,

    /// <summary>The payload is not zstd of the declared size.</summary>
    BadCompression,
}

/// <summary>A frame found in a buffer.</summary>
/// <param name="Length">Its bytes, header included.</param>
/// <param name="IsCompressed">Whether the payload is zstd.</param>
/// <param name="StoredLength">The payload's bytes as stored.</param>
/// <param name="PayloadLength">The payload's bytes after decompression.</param>
/// <param name="Checksum">The CRC-32C in its header, which was checked.</param>
public readonly record struct Frame(int Length, bool IsCompressed, int StoredLength, int PayloadLength, uint Checksum);
