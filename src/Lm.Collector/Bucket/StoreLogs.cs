using Lm.Logs;
using Lm.Platform;
using Lm.Platform.Files;

namespace Lm.Collector.Bucket;

/// <summary>The log files of the store, read by range through the cache: indexes first, then the frames that a search wants.</summary>
/// <param name="files">Objects as files.</param>
/// <param name="isHere">Whether all that a file of a name and an oldest time holds is on the local disk, too.</param>
internal sealed class StoreLogs(IFileSystem files, Func<Ulid, long, bool> isHere) : ILogFileSource
{
    private const int IndexesAtOnce = 16;

    private volatile IReadOnlyList<StoredLogFile> known = [];
    private volatile HashSet<Ulid> names = []; // of the known; never changed

    /// <inheritdoc/>
    public IFileSystem Files => files;

    /// <summary>Whether queries find a file in the store.</summary>
    public bool Finds(StoredLogFile file) => names.Contains(file.Id);

    /// <summary>The store was listed.</summary>
    public void Listed(IReadOnlyList<StoredLogFile> there)
    {
        known = there;
        names = [.. there.Select(static file => file.Id)];
    }

    /// <inheritdoc/>
    public IReadOnlyList<StoredLogFile> Take(long from, long until, IReadOnlyList<StoredLogFile> local)
    {
        var there = known;
        if (there.Count == 0)
        {
            return [];
        }

        var here = local.Select(static file => file.Id).ToHashSet();
        StoredLogFile[] wanted = [.. there.Where(file => file.MaxTime >= from && file.MinTime < until && !here.Contains(file.Id) && !isHere(file.Id, file.MinTime))];
        if (wanted.Length > 1)
        {
            // Every search begins with them: several at a time, or each would wait for the one before.
            Parallel.ForEach(wanted, new ParallelOptions { MaxDegreeOfParallelism = IndexesAtOnce }, Prefetch);
        }

        return wanted;
    }

    // What cannot be fetched now says so when it is read.
    private void Prefetch(StoredLogFile file)
    {
        try
        {
            using var handle = files.Open(file.IndexPath, writable: false);
            if (handle.Length > 0)
            {
                handle.Read(handle.Length - 1, new byte[1]);
                handle.Read(0, new byte[1]);
            }
        }
        catch (IOException)
        {
            // It is asked for again, and then someone hears of it.
        }
    }
}
