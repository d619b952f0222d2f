using Lm.ObjectStore;
using Lm.Platform;
using Lm.Tsdb.Blocks;

namespace Lm.Collector.Landing;

/// <summary>What the store has under <c>blocks/</c>, as far as it is this collector's: those that carry its label.</summary>
/// <remarks>
/// A block is there when its <c>meta.json</c> is: that is put last, after all else was read back and compared, and deleted first (L29, L31). One that lacks a file all the same replaces no other.
/// One caller at a time.
/// </remarks>
/// <param name="store">The store.</param>
/// <param name="keys">Makes and reads keys.</param>
/// <param name="isOurs">Whether a block carries the label.</param>
/// <param name="logger">The log.</param>
internal sealed class BucketBlocks(IObjectStore store, ObjectKeys keys, Func<BlockMeta, bool> isOurs, ILogger logger)
{
    private const int MetaSizeMax = 16 << 20;

    private readonly Dictionary<Ulid, BucketBlock> blocks = [];
    private readonly HashSet<Ulid> others = []; // of other collectors, or unreadable
    private readonly Dictionary<Ulid, BucketRest> rests = [];

    /// <summary>Whether the store was listed since start.</summary>
    public bool IsListed { get; private set; }

    /// <summary>The blocks, marked ones among them.</summary>
    public IReadOnlyCollection<BucketBlock> All => blocks.Values;

    /// <summary>Parts of blocks without a <c>meta.json</c>.</summary>
    public IReadOnlyCollection<BucketRest> Rests => rests.Values;

    /// <summary>Whether a block is there, whole.</summary>
    public bool Contains(Ulid id) => blocks.TryGetValue(id, out var block) && block.IsWhole;

    /// <summary>Lists the store. What is known already is not read again.</summary>
    /// <param name="isIntact">Whether a <c>meta.json</c> that is there is what was put; asked once of each.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ObjectStoreException">The store cannot be asked.</exception>
    public async Task RefreshAsync(Func<BlockMeta, bool> isIntact, CancellationToken cancellationToken)
    {
        var sizes = new Dictionary<string, long>(StringComparer.Ordinal);
        var found = await ListAsync(sizes, cancellationToken);
        foreach (var gone in blocks.Keys.Where(id => !found.TryGetValue(id, out var there) || !there.HasMeta).ToArray())
        {
            blocks.Remove(gone);
        }

        others.IntersectWith(found.Keys);
        foreach (var gone in rests.Keys.Where(id => !found.TryGetValue(id, out var there) || there.HasMeta).ToArray())
        {
            rests.Remove(gone);
        }

        foreach (var (id, there) in found)
        {
            if (there.HasMeta && !others.Contains(id))
            {
                await ReadAsync(id, there.HasMark, isIntact, sizes, cancellationToken);
            }
            else if (!there.HasMeta)
            {
                var mark = there.HasMark ? await ReadMarkAsync(id, cancellationToken) : null;
                rests[id] = new BucketRest(id, mark);
            }
        }

        IsListed = true;
    }

    /// <summary>A block was put and verified.</summary>
    public void Note(BlockMeta meta)
    {
        blocks[meta.Id] = new BucketBlock(meta, Mark: null, IsWhole: true);
        rests.Remove(meta.Id);
    }

    /// <summary>A block that is there was marked, or its mark was taken away.</summary>
    public void Note(Ulid id, DeletionMark? mark) => blocks[id] = blocks[id] with { Mark = mark };

    /// <summary>Deletes what is left of a block: <c>meta.json</c> first, the mark last.</summary>
    public async Task DeleteAsync(Ulid id, CancellationToken cancellationToken)
    {
        var (name, mark) = (id.ToString(), keys.Block(id.ToString(), DeletionMark.FileName));
        await store.DeleteAsync(keys.Block(name, BlockMeta.FileName), cancellationToken);
        blocks.Remove(id);
        await foreach (var key in StoreLists.KeysAsync(store, keys.BlockFolder(name), cancellationToken))
        {
            if (key != mark)
            {
                await store.DeleteAsync(key, cancellationToken);
            }
        }

        await store.DeleteAsync(mark, cancellationToken);
        rests.Remove(id);
    }

    private async Task<Dictionary<Ulid, (bool HasMeta, bool HasMark)>> ListAsync(Dictionary<string, long> sizes, CancellationToken cancellationToken)
    {
        var found = new Dictionary<Ulid, (bool HasMeta, bool HasMark)>();
        await foreach (var (key, size) in StoreLists.ObjectsAsync(store, keys.BlocksFolder, cancellationToken))
        {
            if (keys.TryReadBlock(key, out var name, out var path) && Ulid.TryParse(name, out var id))
            {
                sizes[key] = size;
                var (hasMeta, hasMark) = found.GetValueOrDefault(id);
                found[id] = (hasMeta || path == BlockMeta.FileName, hasMark || path == DeletionMark.FileName);
            }
        }

        return found;
    }

    private async Task ReadAsync(Ulid id, bool hasMark, Func<BlockMeta, bool> isIntact, Dictionary<string, long> sizes, CancellationToken cancellationToken)
    {
        blocks.TryGetValue(id, out var known);
        if (known is null && await ReadMetaAsync(id, cancellationToken) is { } meta && isIntact(meta))
        {
            known = new BucketBlock(meta, Mark: null, IsWhole: true);
        }

        if (known is null)
        {
            return;
        }

        var fault = await WholeBlock.FaultAsync(store, keys, known.Meta, sizes, cancellationToken);
        if (fault is not null && known.IsWhole)
        {
            LandingLog.BucketMetaUnreadable(logger, fault);
        }

        // Each time: another one may have taken it away and set it anew.
        var mark = hasMark ? await ReadMarkAsync(id, cancellationToken) ?? new DeletionMark(id, default, "unreadable") : null;
        blocks[id] = new BucketBlock(known.Meta, mark, IsWhole: fault is null);
    }

    private async Task<BlockMeta?> ReadMetaAsync(Ulid id, CancellationToken cancellationToken)
    {
        var key = keys.Block(id.ToString(), BlockMeta.FileName);
        if (await StoreLists.ReadWholeAsync(store, key, MetaSizeMax, cancellationToken) is not { } read)
        {
            return null; // it went between the list and now
        }

        if (read.Bytes is not { } text)
        {
            LandingLog.BucketMetaUnreadable(logger, $"{key} has {read.SizeBytes} bytes; at most {MetaSizeMax} are read");
            others.Add(id);
            return null;
        }

        try
        {
            var meta = BlockMeta.Parse(key, text);
            if (meta.Id == id && isOurs(meta) && meta.Resolution == 0) // another resolution is of who compacts elsewhere, and replaces nothing
            {
                return meta;
            }
        }
        catch (BlockDamageException damage)
        {
            LandingLog.BucketMetaUnreadable(logger, damage.Message);
        }

        others.Add(id);
        return null;
    }

    private async Task<DeletionMark?> ReadMarkAsync(Ulid id, CancellationToken cancellationToken) =>
        await StoreLists.ReadWholeAsync(store, keys.Block(id.ToString(), DeletionMark.FileName), DeletionMark.SizeMax, cancellationToken) is { Bytes: { } text }
            ? DeletionMark.Parse(text)
            : null;
}

/// <summary>A block that is there.</summary>
/// <param name="Meta">What its <c>meta.json</c> says.</param>
/// <param name="Mark">Its deletion mark, when it has one.</param>
/// <param name="IsWhole">Whether all of its files are there.</param>
internal sealed record BucketBlock(BlockMeta Meta, DeletionMark? Mark, bool IsWhole);

/// <summary>Files of a block that is not there yet, or not any more.</summary>
/// <param name="Id">The block.</param>
/// <param name="Mark">Its deletion mark, when it has one.</param>
internal sealed record BucketRest(Ulid Id, DeletionMark? Mark);
