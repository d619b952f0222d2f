using System.Buffers.Binary;
using Lm.Platform;
using Lm.Platform.Files;

namespace Lm.Tsdb.Blocks;

/// <summary>Writes a new file from start to end through one buffer, with the number formats and checksums of Prometheus' files.</summary>
/// <remarks>Not safe for concurrent use. Nothing is durable before <see cref="Finish"/> returns.</remarks>
internal sealed class BlockFileWriter : IDisposable
{
    private const int BufferSize = 256 << 10;
    private const int NumberBytesMax = 10;

    private readonly IFileHandle file;
    private readonly byte[] buffer = new byte[BufferSize];
    private long flushed;
    private int used;
    private int checksumFrom; // bytes of the buffer before it are in the checksum
    private uint checksum;

    public BlockFileWriter(IFileSystem files, string path) => file = files.Create(path);

    public string Path => file.Path;

    /// <summary>Bytes written so far.</summary>
    public long Position => flushed + used;

    public void Write(ReadOnlySpan<byte> data)
    {
        while (data.Length > buffer.Length - used)
        {
            var part = buffer.Length - used;
            data[..part].CopyTo(buffer.AsSpan(used));
            used += part;
            Flush();
            data = data[part..];
        }

        data.CopyTo(buffer.AsSpan(used));
        used += data.Length;
    }

    public void WriteByte(byte value)
    {
        Ensure(1);
        buffer[used++] = value;
    }

    public void WriteUInt32(uint value)
    {
        Ensure(sizeof(uint));
        BinaryPrimitives.WriteUInt32BigEndian(buffer.AsSpan(used), value);
        used += sizeof(uint);
    }

    public void WriteUInt64(ulong value)
    {
        Ensure(sizeof(ulong));
        BinaryPrimitives.WriteUInt64BigEndian(buffer.AsSpan(used), value);
        used += sizeof(ulong);
    }

    public void WriteUvarint(ulong value)
    {
        Ensure(NumberBytesMax);
        used += GoVarint.Write(buffer.AsSpan(used), value);
    }

    /// <summary>Writes zeros up to the next multiple.</summary>
    public void Align(int multiple)
    {
        while (Position % multiple != 0)
        {
            WriteByte(0);
        }
    }

    /// <summary>What is written from here on goes into the next checksum.</summary>
    public void BeginChecksum()
    {
        checksum = 0;
        checksumFrom = used;
    }

    /// <summary>Writes the checksum of what was written since <see cref="BeginChecksum"/>.</summary>
    public void WriteChecksum()
    {
        TakeChecksum();
        WriteUInt32(checksum);
    }

    /// <summary>Changes four bytes that were written before; no checksum may cover them.</summary>
    public void Patch(long offset, uint value)
    {
        Flush();
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        file.Write(offset, bytes);
    }

    /// <summary>Returns once all is on stable storage.</summary>
    public void Finish()
    {
        Flush();
        file.Sync();
    }

    public void Dispose() => file.Dispose();

    private void Ensure(int count)
    {
        if (buffer.Length - used < count)
        {
            Flush();
        }
    }

    private void TakeChecksum()
    {
        checksum = Crc32C.Append(checksum, buffer.AsSpan(checksumFrom, used - checksumFrom));
        checksumFrom = used;
    }

    private void Flush()
    {
        TakeChecksum();
        file.Write(flushed, buffer.AsSpan(0, used));
        flushed += used;
        (used, checksumFrom) = (0, 0);
    }
}
