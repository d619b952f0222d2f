namespace Lm.Protocol.Framing;

/// <summary>Reads frames out of a buffer. Format: docs/formats/frame.md.</summary>
public static class FrameReader
{
    /// <summary>The header's bytes.</summary>
    public const int HeaderSize = 24;

    /// <summary>Looks at the frame that the buffer begins with: header, sizes, checksum. Allocates nothing.</summary>
    /// <param name="buffer">Bytes that begin with a frame; more may follow.</param>
    /// <param name="payloadSizeMax">The largest payload after decompression that is allowed, bytes.</param>
    /// <param name="frame">The frame when the status is <see cref="FrameStatus.Ok"/>.</param>
    public static FrameStatus TryRead(ReadOnlySpan<byte> buffer, int payloadSizeMax, out Frame frame) => throw new NotImplementedException();

    /// <summary>The payload's size and the frame's whole length as its header declares them, before the checksum is known to be right; for
    /// a reader that has only the header yet.</summary>
    public static FrameStatus TryReadHeader(ReadOnlySpan<byte> buffer, int payloadSizeMax, out Frame frame) => throw new NotImplementedException();

    /// <summary>Puts the payload of a frame that <see cref="TryRead"/> found into <paramref name="destination"/>.</summary>
    /// <param name="buffer">The same buffer.</param>
    /// <param name="frame">The frame.</param>
    /// <param name="destination">At least <see cref="Frame.PayloadLength"/> bytes.</param>
    public static FrameStatus ReadPayload(ReadOnlySpan<byte> buffer, in Frame frame, Span<byte> destination) => throw new NotImplementedException();

    /// <summary>A sentence for people about a status other than Ok: what was found, what is allowed.</summary>
    public static string Describe(FrameStatus status, ReadOnlySpan<byte> buffer, int payloadSizeMax) => throw new NotImplementedException();
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

    /// <summary>The two lengths contradict each other.</summary>
    BadLength,

    /// <summary>The declared size after decompression is above what is allowed.</summary>
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
