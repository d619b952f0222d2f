using Lm.Logs.Files;
using Lm.Platform;
using Lm.Platform.Files;

namespace Lm.Logs.Store;

/// <summary>Indexes of sealed files: those read last stay in memory, up to a bound. One that is missing or damaged is made anew from its file.</summary>
/// <remarks>Safe for concurrent use.</remarks>
/// <param name="files">The file system.</param>
/// <param name="bytesMax">The bound; one that is larger than all of it is not kept.</param>
internal sealed class IndexCache(IFileSystem files, long bytesMax)
{
    private const int IndexSizeMax = 1 << 30;

    private readonly Lock gate = new(); // guards all below but rebuilt
    private readonly Lock rebuilding = new(); // held by who makes one anew: one at a time
    private readonly Dictionary<Ulid, LinkedListNode<(Ulid Id, FileIndex Index)>> known = [];
    private readonly LinkedList<(Ulid Id, FileIndex Index)> byUse = [];
    private long bytes;
    private long rebuilt;

    /// <summary>Bytes in memory, about.</summary>
    public long Bytes => Interlocked.Read(ref bytes);

    /// <summary>Indexes made anew.</summary>
    public long Rebuilt => Interlocked.Read(ref rebuilt);

    /// <summary>A file's index.</summary>
    /// <exception cref="IOException">Neither it nor the file can be read.</exception>
    public FileIndex Of(StoredLogFile file, IFileHandle handle)
    {
        if (Find(file.Id) is { } found)
        {
            return found;
        }

        var index = Read(file) ?? Rebuild(file, handle);
        Keep(file.Id, index);
        return index;
    }

    /// <summary>Forgets a file.</summary>
    public void Forget(Ulid id)
    {
        lock (gate)
        {
            if (known.Remove(id, out var node))
            {
                byUse.Remove(node);
                bytes -= node.Value.Index.MemoryBytes;
            }
        }
    }

    private FileIndex? Find(Ulid id)
    {
        lock (gate)
        {
            if (!known.TryGetValue(id, out var node))
            {
                return null;
            }

            byUse.Remove(node);
            byUse.AddLast(node);
            return node.Value.Index;
        }
    }

    private void Keep(Ulid id, FileIndex index)
    {
        lock (gate)
        {
            if (index.MemoryBytes > bytesMax || known.ContainsKey(id))
            {
                return;
            }

            known.Add(id, byUse.AddLast((id, index)));
            bytes += index.MemoryBytes;
            while (bytes > bytesMax)
            {
                var oldest = byUse.First!;
                byUse.RemoveFirst();
                known.Remove(oldest.Value.Id);
                bytes -= oldest.Value.Index.MemoryBytes;
            }
        }
    }

    private FileIndex? Read(StoredLogFile file)
    {
        try
        {
            var read = AtomicFile.Read(files, file.IndexPath, IndexSizeMax);
            return read is not null && IndexFormat.Read(read, out var index, out var fileLength) is null && fileLength == file.FileBytes ? index : null;
        }
        catch (IOException)
        {
            return null; // what it says is in the file as well
        }
    }

    private FileIndex Rebuild(StoredLogFile file, IFileHandle handle)
    {
        lock (rebuilding)
        {
            if (Find(file.Id) is { } found)
            {
                return found;
            }

            var builder = FileSurvey.Run(handle, file.FileBytes, out _, out _);
            builder.Complete(file.FileBytes);
            Interlocked.Increment(ref rebuilt);
            try
            {
                AtomicFile.Write(files, file.IndexPath, builder.Bytes.Written);
            }
            catch (IOException)
            {
                // It is made again when it is needed again.
            }

            return builder.Index;
        }
    }
}
