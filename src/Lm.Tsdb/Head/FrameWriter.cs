using System.Buffers.Binary;
using Lm.Platform;
using Lm.Platform.Files;

namespace Lm.Tsdb.Head;

/// <summary>Writes records into checksummed frames: length, CRC-32C, records. What the head's files of series and of open chunks consist of.</summary>
internal sealed class FrameWriter(IFileHandle file, long offset, int frameBytes)
{
    /// <summary>Bytes before a frame's records.</summary>
    public const int HeaderSize = 8;

    private const int FlushBytes = 256 << 10;

    private byte[] buffer = new byte[FlushBytes + 4096];
    private int used;
    private int frame = -1; // where the open one begins in the buffer
    private long flushed = offset;

    /// <summary>Where the next frame begins in the file.</summary>
    public long Offset => flushed + used;

    /// <summary>Whether the next record begins a frame.</summary>
    public bool IsAtFrame => frame < 0;

    /// <summary>Room for a record; <see cref="Advance"/> follows.</summary>
    public Span<byte> Reserve(int bytes)
    {
        var needed = used + bytes + HeaderSize;
        if (needed > buffer.Length)
        {
            Array.Resize(ref buffer, Math.Max(needed, buffer.Length * 2));
        }

        if (frame < 0)
        {
            frame = used;
            used += HeaderSize;
        }

        return buffer.AsSpan(used, bytes);
    }

    /// <summary>Takes in what was written to the room.</summary>
    public void Advance(int bytes)
    {
        used += bytes;
        if (used - frame >= frameBytes)
        {
            EndFrame();
        }
    }

    /// <summary>Writes bytes as they are, behind the frames.</summary>
    public void WriteRaw(ReadOnlySpan<byte> bytes)
    {
        EndFrame();
        if (used + bytes.Length > buffer.Length)
        {
            Array.Resize(ref buffer, used + bytes.Length);
        }

        bytes.CopyTo(buffer.AsSpan(used));
        used += bytes.Length;
    }

    /// <summary>Writes all out; the caller syncs.</summary>
    public void Flush()
    {
        EndFrame();
        WriteOut();
    }

    private void EndFrame()
    {
        if (frame < 0)
        {
            return;
        }

        var payload = buffer.AsSpan(frame + HeaderSize, used - frame - HeaderSize);
        BinaryPrimitives.WriteInt32LittleEndian(buffer.AsSpan(frame), payload.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(buffer.AsSpan(frame + 4), Crc32C.Compute(payload));
        frame = -1;
        if (used >= FlushBytes)
        {
            WriteOut();
        }
    }

    private void WriteOut()
    {
        file.Write(flushed, buffer.AsSpan(0, used));
        flushed += used;
        used = 0;
    }
}
