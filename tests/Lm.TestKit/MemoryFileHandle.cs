using Lm.Platform.Files;

namespace Lm.TestKit;

internal sealed class MemoryFileHandle(MemoryFileSystem files, string path, MemoryFile file, bool writable) : IFileHandle
{
    private bool disposed;

    public string Path => path;

    public long Length
    {
        get
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            lock (files.Gate)
            {
                return file.Length;
            }
        }
    }

    public int Read(long offset, Span<byte> buffer)
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        lock (files.Gate)
        {
            files.Perform(FileOperationKind.Read, path, static () => { });
            var content = file.Content;
            var count = offset >= content.Length ? 0 : (int)Math.Min(buffer.Length, content.Length - offset);
            content.Slice((int)Math.Min(offset, content.Length), count).CopyTo(buffer);
            return count;
        }
    }

    public void Write(long offset, ReadOnlySpan<byte> data)
    {
        CheckWritable();
        lock (files.Gate)
        {
            var copy = data.ToArray();
            var half = files.Random.Next(copy.Length + 1);
            files.Perform(
                FileOperationKind.Write,
                path,
                () => files.Store(path, file, offset, copy),
                () => files.Store(path, file, offset, copy.AsSpan(0, half)));
        }
    }

    public void Sync()
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        lock (files.Gate)
        {
            files.Perform(FileOperationKind.Sync, path, file.Sync, () => file.FailSync(files.Random), alwaysFails: true);
        }
    }

    public void Truncate(long length)
    {
        CheckWritable();
        lock (files.Gate)
        {
            files.Perform(FileOperationKind.Truncate, path, () => file.Truncate(length));
        }
    }

    public void DropCache()
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        lock (files.Gate)
        {
            files.Perform(FileOperationKind.DropCache, path, file.DropCache);
        }
    }

    public void Dispose() => disposed = true;

    private void CheckWritable()
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        if (!writable)
        {
            throw MemoryFileSystem.Failure("write", path, 9);
        }
    }
}
