using System.Buffers;
using Lm.Logs;
using Lm.ObjectStore;
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
/// <param name="metrics">Counts.</param>
/// <param name="logger">The log.</param>
internal sealed class LogLanding(
    IObjectStore store, ObjectKeys keys, IFileSystem files, Func<IReadOnlyList<StoredLogFile>> sealedFiles, LandingMetrics metrics, ILogger logger)
{
    private const int CompareSize = 1 << 20;

    private readonly Lock gate = new(); // guards landed
    private HashSet<string>? landed; // keys of the indexes of local files that are there; null until the store was asked

    /// <summary>Sealed files that are not in the store, as far as is known.</summary>
    public int Waiting
    {
        get
        {
            lock (gate)
            {
                return sealedFiles().Count(file => landed?.Contains(IndexKey(file)) != true);
            }
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
        if (sealedFiles().Where(file => !known.Contains(IndexKey(file))).MinBy(file => file.Id) is not { } next)
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

    private string IndexKey(StoredLogFile file) => Key(file.IndexPath);

    // date=…/hour=…/name, as below the logs' folder.
    private string Key(string path)
    {
        var hour = Path.GetDirectoryName(path) ?? "";
        return keys.Log(Path.GetFileName(Path.GetDirectoryName(hour) ?? ""), Path.GetFileName(hour), Path.GetFileName(path));
    }

    private async Task<HashSet<string>> ListAsync(CancellationToken cancellationToken)
    {
        var local = sealedFiles().Select(IndexKey).ToHashSet(StringComparer.Ordinal);
        var found = new HashSet<string>(StringComparer.Ordinal);
        var after = "";
        for (var hasMore = true; hasMore;)
        {
            var page = await store.ListAsync(keys.LogFolder, after, ObjectPage.SizeMax, cancellationToken);
            found.UnionWith(page.Objects.Select(static each => each.Key).Where(local.Contains));
            after = page.Objects.Count > 0 ? page.Objects[^1].Key : after;
            hasMore = page.HasMore;
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
        await store.PutAsync(key, content, PutCondition.None, cancellationToken); // the same bytes under the same name, whoever puts them when
        if (await DiffersAsync(key, content, cancellationToken) is not { } fault)
        {
            return;
        }

        metrics.VerificationFailed();
        LandingLog.PutDamaged(logger, key, fault);
        await store.DeleteAsync(key, cancellationToken);
        throw new ObjectStoreException(ObjectStoreFault.Damaged, $"{key} in {store.Description} was not as it was put: {fault}", cause: null);
    }

    private async Task<string?> DiffersAsync(string key, FileContent content, CancellationToken cancellationToken)
    {
        var size = (int)Math.Clamp(content.Length, 1, CompareSize);
        var (there, here) = (ArrayPool<byte>.Shared.Rent(size), ArrayPool<byte>.Shared.Rent(size));
        try
        {
            for (var at = 0L; at < content.Length; at += size)
            {
                var wanted = (int)Math.Min(size, content.Length - at);
                if (await store.ReadAsync(key, at, there.AsMemory(0, wanted), cancellationToken) != new ObjectRange(wanted, content.Length))
                {
                    return $"it does not have {content.Length} bytes";
                }

                if (content.Read(at, here.AsSpan(0, wanted)) != wanted || !here.AsSpan(0, wanted).SequenceEqual(there.AsSpan(0, wanted)))
                {
                    return $"it differs between bytes {at} and {at + wanted}";
                }
            }

            return null;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(there);
            ArrayPool<byte>.Shared.Return(here);
        }
    }
}
