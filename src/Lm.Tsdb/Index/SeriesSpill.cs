using System.Buffers.Binary;
using Lm.Platform.Files;
using Lm.Tsdb.Blocks;

namespace Lm.Tsdb.Index;

/// <summary>Records of numbers that are written one behind the other and read back once: in memory up to a size, beyond it in a file.</summary>
/// <param name="files">The file system.</param>
/// <param name="path">The file, if it comes to that. Nobody relies on it after a crash, so it is never synced.</param>
/// <param name="memoryMax">Bytes that are kept in memory.</param>
internal sealed class SeriesSpill(IFileSystem files, string path, int memoryMax) : IDisposable
{
    private const int LengthBytes = sizeof(int);
    private const int NumberBytesMax = 10;

    private byte[] buffer = new byte[64 << 10];
    private int used;
    private int recordAt;
    private IFileHandle? file;
    private long written;
    private long fileRead;
    private int readAt;

    public SeriesSpill BeginRecord()
    {
        if (used >= memoryMax)
        {
            Spill();
        }

        Ensure(LengthBytes);
        recordAt = used;
        used += LengthBytes;
        return this;
    }

    public void Write(ulong number)
    {
        Ensure(NumberBytesMax);
        used += GoVarint.Write(buffer.AsSpan(used), number);
    }

    public void EndRecord() => BinaryPrimitives.WriteInt32LittleEndian(buffer.AsSpan(recordAt), used - recordAt - LengthBytes);

    public void BeginReading()
    {
        if (file is not null)
        {
            Spill();
        }

        (fileRead, readAt) = (0, 0);
    }

    /// <summary>The next record; valid until the next call.</summary>
    public ReadOnlySpan<byte> ReadRecord()
    {
        var length = BinaryPrimitives.ReadInt32LittleEndian(Next(LengthBytes));
        return Next(length);
    }

    /// <summary>Gives back the file and the memory.</summary>
    public void Delete()
    {
        if (file is not null)
        {
            file.Dispose();
            file = null;
            files.Delete(path);
        }

        (buffer, used) = ([], 0);
    }

    public void Dispose() => file?.Dispose();

    private ReadOnlySpan<byte> Next(int count)
    {
        if (file is not null && used - readAt < count)
        {
            buffer.AsSpan(readAt, used - readAt).CopyTo(buffer);
            used -= readAt;
            readAt = 0;
            Ensure(count - used);
            var read = file.Read(fileRead, buffer.AsSpan(used));
            fileRead += read;
            used += read;
        }

        readAt += count;
        return buffer.AsSpan(readAt - count, count);
    }

    private void Spill()
    {
        file ??= files.Create(path);
        file.Write(written, buffer.AsSpan(0, used));
        written += used;
        used = 0;
    }

    private void Ensure(int count)
    {
        if (buffer.Length - used < count)
        {
            Array.Resize(ref buffer, Math.Max(buffer.Length * 2, used + count));
        }
    }
}
