using Lm.Collector.Landing;
using Lm.ObjectStore;
using Lm.Platform;

namespace Lm.Collector.SharedLog;

/// <summary>The shared log's objects in the store.</summary>
/// <param name="store">The store.</param>
/// <param name="keys">Makes keys.</param>
internal sealed class LogObjects(IObjectStore store, ObjectKeys keys)
{
    /// <summary>The store.</summary>
    public IObjectStore Store => store;

    /// <summary>Makes keys.</summary>
    public ObjectKeys Keys => keys;

    /// <summary>Puts a commit where there is none.</summary>
    /// <returns>True when it is stored; false when that is not known, or something was there: then the store is asked what.</returns>
    public async Task<bool> TryPutCommitAsync(long number, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        try
        {
            return await store.PutAsync(keys.Commit(number), ObjectContent.Of(bytes), PutCondition.IfAbsent, cancellationToken) == PutOutcome.Stored;
        }
        catch (ObjectStoreException)
        {
            // Whatever kind it is: an earlier try of the same put may have arrived before the one that was refused.
            return false;
        }
    }

    /// <summary>Reads a commit.</summary>
    /// <returns>Null when there is none.</returns>
    /// <exception cref="ObjectStoreException">The store cannot be asked.</exception>
    /// <exception cref="LogHaltException">It cannot be read, now or later.</exception>
    public async Task<Commit?> ReadCommitAsync(long number, CancellationToken cancellationToken)
    {
        var key = keys.Commit(number);
        if (await StoreLists.ReadWholeAsync(store, key, CommitCodec.SizeMax, cancellationToken) is not { } found)
        {
            return null;
        }

        Commit? commit = null;
        return (found.Bytes is { } bytes ? CommitCodec.TryRead(bytes, out commit) : TooLarge(found, CommitCodec.SizeMax)) is { } fault
            ? throw new LogHaltException($"{key} in {store.Description} cannot be read: {fault}. Nothing behind it can be known until it is what it was")
            : commit;
    }

    /// <summary>Whether there is a snapshot of what lies behind a commit.</summary>
    /// <exception cref="ObjectStoreException">The store cannot be asked.</exception>
    public async Task<bool> HasSnapshotBehindAsync(long number, CancellationToken cancellationToken) =>
        (await SnapshotsAsync(number, cancellationToken)).Count > 0;

    /// <summary>The snapshots of what lies behind a commit, oldest first.</summary>
    /// <exception cref="ObjectStoreException">The store cannot be asked.</exception>
    public async Task<IReadOnlyList<SnapshotPlace>> SnapshotsAsync(long behind, CancellationToken cancellationToken)
    {
        var found = new List<SnapshotPlace>();
        var after = keys.LogSnapshotsUpTo(behind);
        for (var hasMore = true; hasMore;)
        {
            var page = await store.ListAsync(keys.LogSnapshotsFolder, after, ObjectPage.SizeMax, cancellationToken);
            foreach (var each in page.Objects)
            {
                after = each.Key;
                if (keys.TryReadLogSnapshot(each.Key, out var number, out var at))
                {
                    found.Add(new SnapshotPlace(each.Key, number, new UnixMillis(at)));
                }
            }

            hasMore = page.HasMore;
        }

        return found;
    }

    /// <summary>Reads the newest snapshot of what lies behind a commit; one that is damaged is passed over.</summary>
    /// <param name="behind">The commit.</param>
    /// <param name="damaged">Hears of each that is.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Null when there is none.</returns>
    /// <exception cref="ObjectStoreException">The store cannot be asked.</exception>
    public async Task<LogFold?> NewestSnapshotAsync(long behind, Action<string, string> damaged, CancellationToken cancellationToken)
    {
        foreach (var place in (await SnapshotsAsync(behind, cancellationToken)).Reverse())
        {
            if (await ReadSnapshotAsync(place, damaged, cancellationToken) is { } fold)
            {
                return fold;
            }
        }

        return null;
    }

    /// <summary>Reads a snapshot.</summary>
    /// <returns>Null when it is gone or damaged.</returns>
    /// <exception cref="ObjectStoreException">The store cannot be asked.</exception>
    public async Task<LogFold?> ReadSnapshotAsync(SnapshotPlace place, Action<string, string> damaged, CancellationToken cancellationToken)
    {
        if (await StoreLists.ReadWholeAsync(store, place.Key, LogSnapshot.SizeMax, cancellationToken) is not { } found)
        {
            return null;
        }

        LogFold? fold = null;
        var fault = found.Bytes is { } bytes ? LogFold.TryRestore(bytes, out fold, out _) : TooLarge(found, LogSnapshot.SizeMax);
        fault ??= fold!.Last == place.Number ? null : $"it ends with commit {fold.Last}";
        if (fault is null)
        {
            return fold;
        }

        damaged(place.Key, fault);
        return null;
    }

    private static string TooLarge(SmallObject found, int sizeMax) => $"it has {found.SizeBytes} bytes; at most {sizeMax} are read";
}

/// <summary>A snapshot as a list tells of it.</summary>
/// <param name="Key">Its key.</param>
/// <param name="Number">The last commit in it.</param>
/// <param name="At">When it was written, by its writer's clock.</param>
internal sealed record SnapshotPlace(string Key, long Number, UnixMillis At);

/// <summary>The shared log holds what cannot be read: nothing behind it can be known, and nothing may be acknowledged, until a person has looked.</summary>
internal sealed class LogHaltException(string message) : IOException(message);
