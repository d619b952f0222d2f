using Lm.Logs;
using Lm.ObjectStore;
using Lm.Platform;
using Lm.Platform.Files;

namespace Lm.Collector.Landing;

/// <summary>Puts sealed log files into the object store, each once, under the name that it has here (L29): what reads them there sees every line once.</summary>
/// <remarks>
/// Invariants:
/// a file's index goes up after the file was read back and compared: an index that is there vouches for its file, also after a restart;
/// a file has its name from the moment it was sealed and synced, so a put that is made again meets the first one.
/// One caller at a time.
/// </remarks>
/// <param name="store">The store.</param>
/// <param name="keys">Makes keys.</param>
/// <param name="files">The file system that the files lie on.</param>
/// <param name="sealedFiles">The files that there are now.</param>
/// <param name="expiredBefore">What is older is deleted in the store.</param>
/// <param name="metrics">Counts.</param>
/// <param name="logger">The log.</param>
internal sealed class LogLanding(
    IObjectStore store, ObjectKeys keys, IFileSystem files, Func<IReadOnlyList<StoredLogFile>> sealedFiles, Func<UnixMillis> expiredBefore, LandingMetrics metrics, ILogger logger)
{
    private readonly VerifiedPut puts = new(store, metrics, logger);
    private readonly Lock gate = new(); // guards landed
    private HashSet<string>? landed; // keys of the indexes of local files that are there; null until the store was asked

    /// <summary>Sealed files that are not in the store, as far as is known.</summary>
    public int Waiting
    {
        get
        {
            lock (gate)
            {
                return sealedFiles().Count(file => landed?.Contains(IndexKey(file)) != true && !IsExpired(file));
            }
        }
    }

    /// <summary>Whether a file is in the store, verified, or need not be any more.</summary>
    public bool IsSafe(StoredLogFile file)
    {
        lock (gate)
        {
            return landed?.Contains(IndexKey(file)) == true || IsExpired(file);
        }
    }

    /// <summary>Lands the oldest file that is not there.</summary>
    /// <returns>False when there is none.</returns>
    /// <exception cref="IOException">Store or disk failed.</exception>
    public async Task<bool> LandNextAsync(CancellationToken cancellationToken)
    {
        if (sealedFiles().Count == 0)
        {
            return false;
        }

        var known = landed ?? await ListAsync(cancellationToken);
        if (sealedFiles().Where(file => !known.Contains(IndexKey(file)) && !IsExpired(file)).MinBy(file => file.Id) is not { } next)
        {
            return false;
        }

        try
        {
            await PutAsync(Key(next.Path), next.Path, cancellationToken);
            await PutAsync(IndexKey(next), next.IndexPath, cancellationToken);
        }
        catch (FileSystemException e) when (e.IsNotFound && !sealedFiles().Any(file => file.Id == next.Id))
        {
            return true; // retention was faster; the others come next
        }

        lock (gate)
        {
            known.Add(IndexKey(next));
            known.IntersectWith(sealedFiles().Select(IndexKey)); // what is gone here is not asked for again
        }

        metrics.LogFileLanded(next.SizeBytes);
        return true;
    }

    private bool IsExpired(StoredLogFile file) => file.MaxTime < expiredBefore().Value;

    private string IndexKey(StoredLogFile file) => Key(file.IndexPath);

    // date=…/hour=…/name, as below the logs' folder.
    private string Key(string path)
    {
        var hour = Path.GetDirectoryName(path) ?? "";
        return keys.Log(Path.GetFileName(Path.GetDirectoryName(hour) ?? ""), Path.GetFileName(hour), Path.GetFileName(path));
    }

    private string DateFolder(string key) => keys.LogDate(key[keys.LogFolder.Length..].Split('/')[0]);

    private async Task<HashSet<string>> ListAsync(CancellationToken cancellationToken)
    {
        var local = sealedFiles().Select(IndexKey).ToHashSet(StringComparer.Ordinal);
        var found = new HashSet<string>(StringComparer.Ordinal);
        foreach (var folder in local.Select(DateFolder).Distinct().Order(StringComparer.Ordinal))
        {
            await foreach (var key in StoreLists.KeysAsync(store, folder, cancellationToken))
            {
                if (local.Contains(key))
                {
                    found.Add(key);
                }
            }
        }

        // The last one may be one whose index was put and not yet read back when the program ended: it is put again.
        if (sealedFiles().Where(file => found.Contains(IndexKey(file))).MaxBy(file => file.Id) is { } last)
        {
            found.Remove(IndexKey(last));
        }

        lock (gate)
        {
            landed = found;
        }

        return found;
    }

    private async Task PutAsync(string key, string path, CancellationToken cancellationToken)
    {
        using var content = new FileContent(files, path);
        await puts.RunAsync(key, content, cancellationToken);
    }
}
