using System.Buffers.Binary;
using Lm.Platform;
using Lm.Platform.Files;

namespace Lm.Tsdb.Head;

/// <summary>Reads frames one after another, as <see cref="FrameWriter"/> has written them.</summary>
internal sealed class FrameReader(IFileHandle file, long offset, long end)
{
    /// <summary>Bytes of a frame at most; a longer one is damage.</summary>
    public const int FrameBytesMax = 16 << 20;

    private byte[] buffer = new byte[256 << 10];
    private long next = offset;
    private long bufferedFrom = offset;
    private int buffered;

    /// <summary>Where the frame read last begins in the file.</summary>
    public long FrameOffset { get; private set; }

    /// <summary>Why reading ended; null when all frames were read.</summary>
    public string? Damage { get; private set; }

    /// <summary>Reads the next frame.</summary>
    /// <param name="payload">Its records; valid until the next call.</param>
    /// <returns>False at the end, or when the frame is damaged: <see cref="Damage"/> tells.</returns>
    public bool TryRead(out ReadOnlySpan<byte> payload)
    {
        payload = default;
        if (next >= end || Damage is not null)
        {
            return false;
        }

        FrameOffset = next;
        var header = Buffered(FrameWriter.HeaderSize);
        var length = header.Length < FrameWriter.HeaderSize ? -1 : BinaryPrimitives.ReadInt32LittleEndian(header);
        if (length < 0 || length > FrameBytesMax || length > end - next - FrameWriter.HeaderSize)
        {
            Damage = $"{file.Path} at byte {next}: no frame stands there, {end - next} bytes of them were expected";
            return false;
        }

        var frame = Buffered(FrameWriter.HeaderSize + length);
        if (!TryCheck(frame, out payload))
        {
            Damage = $"{file.Path} at byte {next}: the checksum of a frame of {length} bytes is wrong";
            return false;
        }

        next += frame.Length;
        return true;
    }

    /// <summary>Checks a whole frame.</summary>
    public static bool TryCheck(ReadOnlySpan<byte> frame, out ReadOnlySpan<byte> payload)
    {
        payload = default;
        if (frame.Length < FrameWriter.HeaderSize || BinaryPrimitives.ReadInt32LittleEndian(frame) is var length && length != frame.Length - FrameWriter.HeaderSize)
        {
            return false;
        }

        payload = frame[FrameWriter.HeaderSize..];
        return Crc32C.Compute(payload) == BinaryPrimitives.ReadUInt32LittleEndian(frame[4..]);
    }

    private ReadOnlySpan<byte> Buffered(int bytes)
    {
        if (bufferedFrom + buffered < next + bytes)
        {
            if (bytes > buffer.Length)
            {
                buffer = new byte[bytes];
            }

            buffered = file.Read(next, buffer.AsSpan(0, (int)Math.Min(buffer.Length, end - next)));
            bufferedFrom = next;
        }

        var at = (int)(next - bufferedFrom);
        return buffer.AsSpan(at, Math.Min(bytes, buffered - at));
    }
}
