using System.Globalization;
using Lm.ObjectStore;
using Lm.Platform.Files;

namespace Lm.Collector.Bucket;

/// <summary>Parts of objects in files of <c>cache_dir</c>, the least recently used ones given up first.</summary>
/// <remarks>
/// All of it can be made again: it is emptied at start, and its files may be deleted at any time, what is read goes on; what the disk changes of them is fetched again. It may grow beyond its bounds of bytes and of open files by what running queries hold. Safe for
/// concurrent use.
/// </remarks>
internal sealed class ObjectCache : IDisposable
{
    /// <summary>Files that stay open for what may be wanted again; what running queries hold comes on top.</summary>
    public const int FilesMax = 4096;

    private readonly IObjectStore store;
    private readonly IFileSystem files;
    private readonly string directory;
    private readonly Func<long> sizeMax;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly Lock gate = new(); // guards all below, and what objects say it guards
    private readonly Dictionary<string, CachedObject> objects = new(StringComparer.Ordinal);
    private long bytes;
    private long uses;
    private long fetches;
    private long fetchedBytes;
    private long evicted;
    private long damagedPages;
    private int nextFile;

    private ObjectCache(IObjectStore store, IFileSystem files, string directory, Func<long> sizeMax, TimeProvider time, ILogger logger) =>
        (this.store, this.files, this.directory, this.sizeMax, this.time, this.logger) = (store, files, directory, sizeMax, time, logger);

    /// <summary>Raised, on the thread of whoever fetched, when what is held alone is more than the bound: holders that can should let go.</summary>
    public event Action? Crowded;

    /// <summary>Bytes in the cache.</summary>
    public long Bytes => Interlocked.Read(ref bytes);

    /// <summary>Objects in the cache, each with a file that is open.</summary>
    public int Count
    {
        get
        {
            lock (gate)
            {
                return objects.Count;
            }
        }
    }

    /// <summary>Reads from the store.</summary>
    public long Fetches => Interlocked.Read(ref fetches);

    /// <summary>Bytes of them.</summary>
    public long FetchedBytes => Interlocked.Read(ref fetchedBytes);

    /// <summary>Bytes given up for room.</summary>
    public long EvictedBytes => Interlocked.Read(ref evicted);

    /// <summary>Pages that the disk did not have as they came, and that were dropped.</summary>
    public long DamagedPages => Interlocked.Read(ref damagedPages);

    /// <summary>Opens the cache in a folder, which it empties.</summary>
    /// <param name="store">The store.</param>
    /// <param name="files">The file system of the folder.</param>
    /// <param name="directory">The folder: its own.</param>
    /// <param name="sizeMax">The bound as it is now.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">The log.</param>
    /// <exception cref="FileSystemException">The folder cannot be used.</exception>
    public static ObjectCache Open(IObjectStore store, IFileSystem files, string directory, Func<long> sizeMax, TimeProvider time, ILogger logger)
    {
        files.CreateDirectory(directory);
        foreach (var name in files.List(directory))
        {
            files.Delete(Path.Combine(directory, name));
        }

        return new ObjectCache(store, files, directory, sizeMax, time, logger);
    }

    /// <summary>Holds an object; to be let go by <see cref="LetGo"/>.</summary>
    /// <param name="key">The object.</param>
    /// <param name="size">Its bytes.</param>
    public CachedObject Hold(string key, long size)
    {
        lock (gate)
        {
            if (!objects.TryGetValue(key, out var found) || found.Size != size)
            {
                if (found is { Holders: 0 })
                {
                    Remove(found); // another object has its key now
                }

                var name = nextFile++.ToString("D10", CultureInfo.InvariantCulture);
                files.CreateDirectory(directory); // someone may have deleted it
                found = new CachedObject(store, key, size, files.Create(Path.Combine(directory, name)), time) { Fetched = Fetched, Damaged = Dropped };
                objects[key] = found;
            }

            found.Holders++;
            found.LastUsed = ++uses;
            return found;
        }
    }

    /// <summary>Ends a hold.</summary>
    public void LetGo(CachedObject held)
    {
        lock (gate)
        {
            held.Holders--;
            held.LastUsed = ++uses;
            if (held.Holders == 0 && (!objects.TryGetValue(held.Key, out var known) || known != held))
            {
                Remove(held);
            }
        }

        Shrink();
    }

    /// <summary>Gives up what is here of all objects whose keys begin so: they are fetched anew. Who holds one goes on with what it has.</summary>
    public void Forget(string prefix)
    {
        lock (gate)
        {
            foreach (var each in objects.Values.Where(each => each.Key.StartsWith(prefix, StringComparison.Ordinal)).ToArray())
            {
                objects.Remove(each.Key);
                if (each.Holders == 0)
                {
                    Remove(each);
                }
            }
        }
    }

    /// <summary>Deletes all that nobody holds.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            foreach (var each in objects.Values.Where(static each => each.Holders == 0).ToArray())
            {
                Remove(each);
            }
        }
    }

    private void Fetched(CachedObject of, int count)
    {
        Interlocked.Increment(ref fetches);
        Interlocked.Add(ref fetchedBytes, count);
        lock (gate)
        {
            of.CachedBytes += count;
            of.LastUsed = ++uses;
            bytes += count;
        }

        if (!Shrink())
        {
            Crowded?.Invoke();
        }
    }

    // A disk that goes bad damages many: the first is told, and all are counted.
    private void Dropped(CachedObject of, int count)
    {
        lock (gate)
        {
            of.CachedBytes -= count;
            bytes -= count;
        }

        if (Interlocked.Increment(ref damagedPages) == 1)
        {
            BucketLog.CacheDamaged(logger, of.FilePath, of.Key);
        }
    }

    // Whether it is within its bounds then.
    private bool Shrink()
    {
        var max = sizeMax();
        lock (gate)
        {
            while ((bytes > max || objects.Count > FilesMax) && objects.Values.Where(static each => each.Holders == 0).MinBy(static each => each.LastUsed) is { } oldest)
            {
                evicted += oldest.CachedBytes;
                Remove(oldest);
            }

            return bytes <= max && objects.Count <= FilesMax;
        }
    }

    private void Remove(CachedObject gone)
    {
        if (objects.TryGetValue(gone.Key, out var known) && known == gone)
        {
            objects.Remove(gone.Key);
        }

        bytes -= gone.CachedBytes;
        var path = gone.FilePath;
        gone.Close();
        try
        {
            files.Delete(path);
        }
        catch (IOException)
        {
            // The next start deletes it.
        }
    }
}
