using Lm.Logs;
using Lm.ObjectStore;
using Lm.Platform;
using Lm.Platform.Files;

namespace Lm.Collector.Landing;

/// <summary>Puts sealed log files into the object store, each once, under the name that it has here (L29): what reads them there sees every line once.</summary>
/// <remarks>
/// Invariants:
/// a file's index goes up after the file was read back and compared: an index that is there vouches for its file, also after a restart;
/// a file that cannot be read here holds up no other: it is told, and tried again an hour later;
/// a file has its name from the moment it was sealed and synced, so a put that is made again meets the first one.
/// One caller at a time.
/// </remarks>
/// <param name="store">The store.</param>
/// <param name="keys">Makes keys.</param>
/// <param name="files">The file system that the files lie on.</param>
/// <param name="sealedFiles">The files that there are now.</param>
/// <param name="expiredBefore">What is older is deleted in the store.</param>
/// <param name="time">The clock.</param>
/// <param name="metrics">Counts.</param>
/// <param name="logger">The log.</param>
internal sealed class LogLanding(
    IObjectStore store, ObjectKeys keys, IFileSystem files, Func<IReadOnlyList<StoredLogFile>> sealedFiles, Func<UnixMillis> expiredBefore, TimeProvider time, LandingMetrics metrics, ILogger logger)
{
    private static readonly TimeSpan RetryInterval = TimeSpan.FromHours(1);

    private readonly Dictionary<Ulid, long> unreadable = []; // when each was last tried
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
        if (sealedFiles().Where(file => !known.Contains(IndexKey(file)) && !IsExpired(file) && !IsPutOff(file)).MinBy(file => file.Id) is not { } next)
        {
            return false;
        }

        try
        {
            var fault = await TryPutAsync(Key(next.Path), next.Path, cancellationToken) ?? await TryPutAsync(IndexKey(next), next.IndexPath, cancellationToken);
            if (fault is not null)
            {
                PutOff(next, fault);
                return true;
            }
        }
        catch (FileSystemException e) when (e.IsNotFound && !sealedFiles().Any(file => file.Id == next.Id))
        {
            return true; // retention was faster; the others come next
        }
        catch (FileSystemException e) when (e.IsNotFound)
        {
            PutOff(next, e.Message);
            return true;
        }

        lock (gate)
        {
            known.Add(IndexKey(next));
            known.IntersectWith(sealedFiles().Select(IndexKey)); // what is gone here is not asked for again
        }

        unreadable.Remove(next.Id);
        Forget();
        metrics.LogFileLanded(next.SizeBytes);
        return true;
    }

    private void PutOff(StoredLogFile file, string reason)
    {
        if (unreadable.TryAdd(file.Id, 0))
        {
            LandingLog.LogFileUnreadable(logger, file.Path, reason);
        }

        unreadable[file.Id] = time.GetTimestamp();
        metrics.LogFilesUnreadable = unreadable.Count;
    }

    private bool IsPutOff(StoredLogFile file) => unreadable.TryGetValue(file.Id, out var triedAt) && time.GetElapsedTime(triedAt) < RetryInterval;

    // Those that are gone here, too.
    private void Forget()
    {
        var here = sealedFiles().Select(static file => file.Id).ToHashSet();
        foreach (var gone in unreadable.Keys.Where(id => !here.Contains(id)).ToArray())
        {
            unreadable.Remove(gone);
        }

        metrics.LogFilesUnreadable = unreadable.Count;
    }

    /// <summary>Whether nothing of a file need stay there: all of it is older than <c>retention_days</c>.</summary>
    public bool IsExpired(StoredLogFile file) => file.MaxTime < expiredBefore().Value;

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

    // Returns why the file cannot be read here; null when it is there.
    private async Task<string?> TryPutAsync(string key, string path, CancellationToken cancellationToken)
    {
        FileContent? content = null;
        try
        {
            content = new FileContent(files, path);
            await puts.RunAsync(key, content, cancellationToken);
            return null;
        }
        catch (FileSystemException e) when (content is null && !e.IsNotFound)
        {
            return e.Message;
        }
        catch (IOException) when (content?.Fault is not null)
        {
            return content.Fault.Message;
        }
        finally
        {
            content?.Dispose();
        }
    }
}
