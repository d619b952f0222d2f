using Lm.Platform.Files;

namespace Lm.ObjectStore;

/// <summary>Objects as files of a folder; a key is a path in it.</summary>
/// <remarks>
/// A put writes a temporary file, syncs it, renames it and syncs the folder (L30): what is under a key is whole. Temporary files begin with a dot, as no object does; a put that is
/// made again after a crash deletes what the first one left. Folders that become empty go.
/// Several programs may use one folder when their <c>writer</c> differs.
/// With a <see cref="DirectoryMarker"/> the folder carries a file that tells it from an empty mount point: where that file was seen once and is not there any more, every request fails, and nothing is made.
/// </remarks>
public sealed class DirectoryObjectStore : IObjectStore
{
    private const int CopyBufferSize = 256 << 10;
    private const int FolderTriesMax = 5;
    private const int AccessDenied = 13;
    private const int NotPermitted = 1;
    private const int ReadOnlyFileSystem = 30;

    private readonly IFileSystem files;
    private readonly string root;
    private readonly string temporarySuffix;
    private readonly StoreCounters counters;
    private readonly DirectoryMarker? marker;
    private readonly Lock[] stripes = [.. Enumerable.Range(0, 16).Select(_ => new Lock())]; // each guards the temporary files of its keys

    /// <summary>Uses a folder, which is made when something is put.</summary>
    /// <param name="files">The file system.</param>
    /// <param name="root">The folder.</param>
    /// <param name="writer">Who writes: the same after a restart, another one for each program that shares the folder.</param>
    /// <param name="counters">Counts.</param>
    /// <param name="marker">What tells the folder from another one; null: any will do.</param>
    public DirectoryObjectStore(IFileSystem files, string root, string writer, StoreCounters counters, DirectoryMarker? marker = null)
    {
        (this.files, this.root, this.counters, this.marker) = (files, Path.TrimEndingDirectorySeparator(root), counters, marker);
        temporarySuffix = $".{Lm.Platform.Crc32C.Compute(System.Text.Encoding.UTF8.GetBytes(writer)):x8}.tmp";
    }

    /// <inheritdoc/>
    public string Description => $"directory {root}";

    /// <inheritdoc/>
    public Task<PutOutcome> PutAsync(string key, ObjectContent content, PutCondition condition, CancellationToken cancellationToken)
    {
        ObjectKey.Check(key);
        return RunAsync(StoreRequest.Put, key, () => Put(key, content, condition, cancellationToken), cancellationToken);
    }

    /// <inheritdoc/>
    public Task<ObjectRange?> ReadAsync(string key, long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        ObjectKey.Check(key);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        return RunAsync(StoreRequest.Get, key, () => Read(key, offset, buffer.Span), cancellationToken);
    }

    /// <inheritdoc/>
    public Task<ObjectInfo?> FindAsync(string key, CancellationToken cancellationToken)
    {
        ObjectKey.Check(key);
        return RunAsync(StoreRequest.Head, key, () => Find(key), cancellationToken);
    }

    /// <inheritdoc/>
    public Task<ObjectPage> ListAsync(string prefix, string after, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, ObjectPage.SizeMax);
        return RunAsync(StoreRequest.List, prefix, () => List(prefix, after, limit, cancellationToken), cancellationToken);
    }

    /// <inheritdoc/>
    public Task DeleteAsync(string key, CancellationToken cancellationToken)
    {
        ObjectKey.Check(key);
        return RunAsync(StoreRequest.Delete, key, () => Delete(key), cancellationToken);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // Every file is closed by the call that opened it.
    }

    // Syncs take milliseconds: not on the caller's thread.
    private async Task<T> RunAsync<T>(StoreRequest request, string key, Func<T> work, CancellationToken cancellationToken)
    {
        counters.Count(request);
        try
        {
            return await Task.Run(
                () =>
                {
                    marker?.Check(files, root);
                    return work();
                },
                cancellationToken);
        }
        catch (FileSystemException e)
        {
            var fault = FaultOf(e);
            counters.CountFailure(request, fault);
            throw new ObjectStoreException(fault, $"{StoreCounters.Name(request)} {key} in {Description}: {e.Message}", e);
        }
    }

    private static ObjectStoreFault FaultOf(FileSystemException failure) => failure switch
    {
        { IsNoSpace: true } => ObjectStoreFault.Full,
        { Error: AccessDenied or NotPermitted or ReadOnlyFileSystem } => ObjectStoreFault.Denied,
        _ => ObjectStoreFault.Failed,
    };

    private PutOutcome Put(string key, ObjectContent content, PutCondition condition, CancellationToken cancellationToken)
    {
        var path = PathOf(key);
        var folder = FolderOf(path);
        var temporary = Path.Combine(folder, "." + Path.GetFileName(path) + temporarySuffix);
        lock (stripes[(uint)string.GetHashCode(key, StringComparison.Ordinal) % stripes.Length])
        {
            if (condition == PutCondition.IfAbsent && files.Exists(path))
            {
                // Whoever put it may have died before this: what is told to be there must not go with the next power cut.
                files.SyncDirectory(folder);
                return PutOutcome.AlreadyThere;
            }

            Write(temporary, folder, content, cancellationToken);
            if (condition == PutCondition.None)
            {
                files.Rename(temporary, path);
            }
            else if (!files.TryRenameToFree(temporary, path))
            {
                files.Delete(temporary);
                files.SyncDirectory(folder);
                return PutOutcome.AlreadyThere;
            }
        }

        files.SyncDirectory(folder);
        counters.CountSent(content.Length);
        return PutOutcome.Stored;
    }

    private void Write(string temporary, string folder, ObjectContent content, CancellationToken cancellationToken)
    {
        using var file = CreateIn(folder, temporary);
        try
        {
            Copy(content, file, cancellationToken);
            file.Sync();
        }
        catch
        {
            TryDelete(temporary);
            throw;
        }
    }

    // A folder that a deletion has just emptied may go between its making and its use.
    private IFileHandle CreateIn(string folder, string temporary)
    {
        for (var tries = 1; ; tries++)
        {
            files.CreateDirectory(folder);
            try
            {
                files.Delete(temporary); // what a crash left
                return files.Create(temporary);
            }
            catch (FileSystemException e) when (e.IsNotFound && tries < FolderTriesMax)
            {
            }
        }
    }

    private static void Copy(ObjectContent content, IFileHandle file, CancellationToken cancellationToken)
    {
        var buffer = new byte[(int)Math.Clamp(content.Length, 1, CopyBufferSize)];
        for (var offset = 0L; offset < content.Length;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var count = content.Read(offset, buffer.AsSpan(0, (int)Math.Min(buffer.Length, content.Length - offset)));
            if (count == 0)
            {
                throw new IOException($"the content ends at byte {offset}; it said that it has {content.Length}");
            }

            file.Write(offset, buffer.AsSpan(0, count));
            offset += count;
        }
    }

    private void TryDelete(string temporary)
    {
        try
        {
            files.Delete(temporary);
        }
        catch (FileSystemException)
        {
            // The first failure is the one to report; the next put deletes the leftover.
        }
    }

    private ObjectRange? Read(string key, long offset, Span<byte> buffer)
    {
        using var file = TryOpen(PathOf(key));
        if (file is null)
        {
            return null;
        }

        var size = file.Length;
        var count = offset < size ? file.Read(offset, buffer[..(int)Math.Min(buffer.Length, size - offset)]) : 0;
        counters.CountReceived(count);
        return new ObjectRange(count, size);
    }

    private ObjectInfo? Find(string key)
    {
        using var file = TryOpen(PathOf(key));
        return file is null ? null : new ObjectInfo(key, file.Length);
    }

    private IFileHandle? TryOpen(string path)
    {
        try
        {
            return files.Open(path, writable: false);
        }
        catch (FileSystemException e) when (e.IsNotFound || IsNoFile(e))
        {
            return null;
        }
    }

    // ENOTDIR and EISDIR: a key that goes through an object, or that is a folder of others.
    private static bool IsNoFile(FileSystemException failure) => failure.Error is 20 or 21;

    private bool Delete(string key)
    {
        var path = PathOf(key);
        var folder = FolderOf(path);
        try
        {
            files.Delete(path);
            files.SyncDirectory(folder);
        }
        catch (FileSystemException e) when (e.IsNotFound || IsNoFile(e))
        {
            return false;
        }

        DeleteEmptyFolders(folder);
        return true;
    }

    private void DeleteEmptyFolders(string folder)
    {
        try
        {
            for (; folder.Length > root.Length && files.List(folder).Count == 0 && files.ListDirectories(folder).Count == 0; folder = FolderOf(folder))
            {
                files.DeleteDirectory(folder);
            }
        }
        catch (FileSystemException)
        {
            // It is not empty any more, or stays for now: the object is gone all the same.
        }
    }

    private ObjectPage List(string prefix, string after, int limit, CancellationToken cancellationToken)
    {
        var found = new List<ObjectInfo>(Math.Min(limit, 64));
        foreach (var key in Walk("", prefix, after))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (found.Count == limit)
            {
                return new ObjectPage(found, HasMore: true);
            }

            if (Find(key) is { } info)
            {
                found.Add(info);
            }
        }

        return new ObjectPage(found, HasMore: false);
    }

    // In the order of whole keys, in which "a.b" comes before "a/b": a folder stands where its name and a slash stand.
    private IEnumerable<string> Walk(string folder, string prefix, string after)
    {
        var path = Path.TrimEndingDirectorySeparator(Path.Combine(root, folder));
        foreach (var name in Names(path).Order(StringComparer.Ordinal))
        {
            var key = folder + name;
            var isFolder = name[^1] == '/';
            if (name[0] == '.' || !(key.StartsWith(prefix, StringComparison.Ordinal) || (isFolder && prefix.StartsWith(key, StringComparison.Ordinal))))
            {
                continue;
            }

            var isBehind = string.CompareOrdinal(key, after) > 0;
            if (!isFolder && isBehind)
            {
                yield return key;
            }
            else if (isFolder && (isBehind || after.StartsWith(key, StringComparison.Ordinal)))
            {
                foreach (var below in Walk(key, prefix, after))
                {
                    yield return below;
                }
            }
        }
    }

    private IEnumerable<string> Names(string path)
    {
        try
        {
            return [.. files.List(path), .. files.ListDirectories(path).Select(static name => name + "/")];
        }
        catch (FileSystemException e) when (e.IsNotFound)
        {
            return []; // nothing was put yet, or the folder has just become empty
        }
    }

    private string PathOf(string key) => Path.Combine(root, key);

    private static string FolderOf(string path) => Path.GetDirectoryName(path) ?? "/";
}
