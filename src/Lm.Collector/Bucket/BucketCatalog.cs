using System.Collections.Frozen;
using Lm.Collector.Landing;
using Lm.Logs;
using Lm.ObjectStore;
using Lm.Platform;
using Lm.Tsdb.Blocks;

namespace Lm.Collector.Bucket;

/// <summary>What the store has of blocks and log files, as of the last list.</summary>
/// <param name="Sizes">Bytes of each of their objects, by key.</param>
/// <param name="Blocks">The blocks that are there whole and not marked for deletion, none that another one replaces.</param>
/// <param name="Logs">The log files that are there with their indexes.</param>
/// <param name="Unreadable">What is wrong with each block whose <c>meta.json</c> cannot be read, or that has not all of its files.</param>
/// <param name="Downsampled">Blocks of another resolution, which Thanos' compactor makes of others: their chunks are of another kind, and the blocks that they were made of have it all.</param>
internal sealed record BucketCatalog(
    FrozenDictionary<string, long> Sizes, IReadOnlyList<BlockMeta> Blocks, IReadOnlyList<StoredLogFile> Logs, IReadOnlyList<string> Unreadable, IReadOnlyList<BlockMeta> Downsampled)
{
    /// <summary>Before the first list.</summary>
    public static BucketCatalog Empty { get; } = new(FrozenDictionary<string, long>.Empty, [], [], [], []);

    private const string MetaFile = "meta.json";
    private const string MarkFile = "deletion-mark.json";
    private const string LogEnding = ".ndjson.zst";
    private const string IndexEnding = ".idx";
    private const int MetaSizeMax = 16 << 20;
    private const int ReadsAtOnce = 16;

    /// <summary>Lists the store. Of blocks that an earlier list has, nothing is read again.</summary>
    /// <param name="store">The store.</param>
    /// <param name="keys">Makes keys.</param>
    /// <param name="before">The earlier list.</param>
    /// <param name="logger">The log.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ObjectStoreException">The store cannot be asked.</exception>
    public static async Task<BucketCatalog> ReadAsync(IObjectStore store, ObjectKeys keys, BucketCatalog before, ILogger logger, CancellationToken cancellationToken)
    {
        var sizes = new Dictionary<string, long>(StringComparer.Ordinal);
        await ListAsync(store, keys.BlocksFolder, sizes, cancellationToken);
        await ListAsync(store, keys.LogFolder, sizes, cancellationToken);
        var unreadable = new List<string>();
        var blocks = await BlocksAsync(store, keys, sizes, before, unreadable, cancellationToken);
        List<BlockMeta> downsampled = [.. blocks.Where(static block => block.Resolution != 0)];
        blocks.RemoveAll(static block => block.Resolution != 0);
        Tell(logger, before, unreadable, downsampled);
        return new BucketCatalog(
            sizes.ToFrozenDictionary(StringComparer.Ordinal), [.. blocks.Where(block => !blocks.Exists(other => IsReplacedBy(block, other)))], LogsIn(keys, sizes), unreadable, downsampled);
    }

    // Once of each.
    private static void Tell(ILogger logger, BucketCatalog before, List<string> unreadable, List<BlockMeta> downsampled)
    {
        foreach (var reason in unreadable.Except(before.Unreadable))
        {
            BucketLog.MetaUnreadable(logger, reason);
        }

        foreach (var block in downsampled.Where(block => !before.Downsampled.Any(known => known.Id == block.Id)))
        {
            var name = block.Id.ToString();
            BucketLog.Downsampled(logger, name, block.Resolution);
        }
    }

    // Or it has all that the other has since later.
    private static bool IsReplacedBy(BlockMeta block, BlockMeta other) => other.Replaces(block) || (other.Level > block.Level && block.Sources.All(other.Sources.Contains));

    private static async Task ListAsync(IObjectStore store, string folder, Dictionary<string, long> into, CancellationToken cancellationToken)
    {
        await foreach (var each in StoreLists.ObjectsAsync(store, folder, cancellationToken))
        {
            into[each.Key] = each.SizeBytes;
        }
    }

    private static async Task<List<BlockMeta>> BlocksAsync(IObjectStore store, ObjectKeys keys, Dictionary<string, long> sizes, BucketCatalog before, List<string> unreadable, CancellationToken cancellationToken)
    {
        var known = before.Blocks.Concat(before.Downsampled).ToDictionary(static block => block.Id);
        var (found, unread) = (new List<BlockMeta>(), new List<(string Key, Ulid Id)>());
        foreach (var key in sizes.Keys)
        {
            if (!key.StartsWith(keys.BlocksFolder, StringComparison.Ordinal) || !key.EndsWith("/" + MetaFile, StringComparison.Ordinal) || sizes.ContainsKey(key[..^MetaFile.Length] + MarkFile))
            {
                continue;
            }

            // A copy beside it, or anyone's folder of another name, is no block: its own name would lead elsewhere.
            if (!Ulid.TryParse(key.AsSpan(keys.BlocksFolder.Length, key.Length - keys.BlocksFolder.Length - MetaFile.Length - 1), out var id))
            {
                continue;
            }

            if (known.TryGetValue(id, out var block))
            {
                found.Add(block);
            }
            else
            {
                unread.Add((key, id));
            }
        }

        var gate = new Lock(); // guards found, unreadable
        var options = new ParallelOptions { MaxDegreeOfParallelism = ReadsAtOnce, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(unread, options, async (block, token) =>
        {
            var (meta, fault) = await ReadMetaAsync(store, block.Key, sizes[block.Key], token);
            if (meta?.Id is { } named && named != block.Id)
            {
                (meta, fault) = (null, $"{block.Key} says that it is block {named}");
            }

            lock (gate)
            {
                found.AddRange(meta is null ? [] : [meta]);
                unreadable.AddRange(fault is null ? [] : [fault]);
            }
        });
        foreach (var block in found.ToArray())
        {
            if (await WholeBlock.FaultAsync(store, keys, block, sizes, cancellationToken) is { } fault)
            {
                unreadable.Add(fault);
                found.Remove(block);
            }
        }

        return found;
    }

    private static async Task<(BlockMeta? Meta, string? Fault)> ReadMetaAsync(IObjectStore store, string key, long size, CancellationToken cancellationToken)
    {
        var bytes = new byte[Math.Min(size, MetaSizeMax)];
        if (await store.ReadAsync(key, 0, bytes, cancellationToken) != new ObjectRange(bytes.Length, size))
        {
            return (null, null); // it went between the list and now
        }

        try
        {
            return (BlockMeta.Parse(key, bytes), null);
        }
        catch (BlockDamageException damage)
        {
            return (null, damage.Message);
        }
    }

    // A file whose index is there was verified (docs/formats/log.md).
    private static List<StoredLogFile> LogsIn(ObjectKeys keys, Dictionary<string, long> sizes)
    {
        var found = new List<StoredLogFile>();
        foreach (var (key, size) in sizes)
        {
            var parts = key.StartsWith(keys.LogFolder, StringComparison.Ordinal) ? key[keys.LogFolder.Length..].Split('/') : [];
            var indexKey = key.EndsWith(LogEnding, StringComparison.Ordinal) ? key[..^LogEnding.Length] + IndexEnding : "";
            if (parts.Length != 3 || !sizes.TryGetValue(indexKey, out var indexSize)
                || !LogWindow.TryParse(parts[0], parts[1], out var window) || !Ulid.TryParse(parts[2].AsSpan(0, parts[2].Length - LogEnding.Length), out var id))
            {
                continue;
            }

            found.Add(new StoredLogFile
            {
                Id = id,
                Window = window,
                Path = StoreFileSystem.PathOf(key),
                IndexPath = StoreFileSystem.PathOf(indexKey),
                FileBytes = size,
                IndexBytes = indexSize,
                Lines = 0,
                BodyBytes = 0,
                MinTime = window.Start,
                MaxTime = window.End - 1,
            });
        }

        return found;
    }
}
