using Lm.Platform.Files;

namespace Lm.Collector.Bucket;

/// <summary>Objects of the store as files that can be read: a path is a key behind a slash. What readers of blocks and log files do with files of the disk they do with these.</summary>
/// <param name="cache">Where what is read goes.</param>
/// <param name="sizeOf">Bytes of an object that is known to be there; null of one that is not.</param>
internal sealed class StoreFileSystem(ObjectCache cache, Func<string, long?> sizeOf) : IFileSystem
{
    private const int NotFound = 2;
    private const int ReadOnly = 30;

    /// <summary>The path of an object.</summary>
    public static string PathOf(string key) => "/" + key;

    /// <summary>The object of a path.</summary>
    public static string KeyOf(string path) => path[1..];

    /// <summary>Gives up what the cache has of the objects in a folder: they are fetched anew.</summary>
    public void Forget(string folder) => cache.Forget(KeyOf(folder) + "/");

    /// <inheritdoc/>
    public IFileHandle Open(string path, bool writable)
    {
        if (writable)
        {
            throw Refused("open", path);
        }

        return new Handle(cache, cache.Hold(KeyOf(path), SizeOf("open", path)), path);
    }

    /// <inheritdoc/>
    public MappedFile Map(string path)
    {
        var held = cache.Hold(KeyOf(path), SizeOf("map", path));
        try
        {
            return held.TryMap(() => cache.LetGo(held)) ?? MappedFile.Copy(new Handle(cache, held, path), () => cache.LetGo(held));
        }
        catch
        {
            cache.LetGo(held);
            throw;
        }
    }

    /// <inheritdoc/>
    public bool Exists(string path) => sizeOf(KeyOf(path)) is not null;

    /// <inheritdoc/>
    public IFileHandle Create(string path) => throw Refused("create", path);

    /// <inheritdoc/>
    public void CreateDirectory(string path) => throw Refused("mkdir", path);

    /// <inheritdoc/>
    public void SyncDirectory(string path) => throw Refused("fsync", path);

    /// <inheritdoc/>
    public void Rename(string source, string target) => throw Refused("rename", source);

    /// <inheritdoc/>
    public bool TryRenameToFree(string source, string target) => throw Refused("rename", source);

    /// <inheritdoc/>
    public void Delete(string path) => throw Refused("unlink", path);

    /// <inheritdoc/>
    public void DeleteDirectory(string path) => throw Refused("rmdir", path);

    /// <inheritdoc/>
    public IReadOnlyList<string> List(string directory) => throw Refused("list", directory);

    /// <inheritdoc/>
    public IReadOnlyList<string> ListDirectories(string directory) => throw Refused("list", directory);

    /// <inheritdoc/>
    public FileIdentity IdentityOf(string path) => throw Refused("stat", path);

    /// <inheritdoc/>
    public IDisposable? TryLock(string directory) => throw Refused("lock", directory);

    private static FileSystemException Refused(string operation, string path) => new(operation, path, ReadOnly, "objects of the store are read here, and nothing else");

    private long SizeOf(string operation, string path) => sizeOf(KeyOf(path)) ?? throw new FileSystemException(operation, path, NotFound, "the object store has no such object");

    private sealed class Handle(ObjectCache cache, CachedObject held, string path) : IFileHandle
    {
        private int disposed;

        public string Path => path;

        public long Length => held.Size;

        public int Read(long offset, Span<byte> buffer) => held.Read(offset, buffer);

        public void Write(long offset, ReadOnlySpan<byte> data) => throw Refused("write", path);

        public void Sync() => throw Refused("fsync", path);

        public void Truncate(long length) => throw Refused("ftruncate", path);

        public void DropCache()
        {
        }

        public void Dispose()
        {
            if (Interlocked.Exchange(ref disposed, 1) == 0)
            {
                cache.LetGo(held);
            }
        }
    }
}
