using Lm.ObjectStore;
using Lm.Platform;
using Lm.Platform.Files;
using Lm.Tsdb;
using Lm.Tsdb.Blocks;

namespace Lm.Collector.Landing;

/// <summary>Puts blocks into the object store in Thanos' layout, each as it is on the disk, once it is there (L29).</summary>
/// <remarks>
/// Invariants:
/// chunks, then the index, each read back and compared; then <c>meta.json</c>, read back, too: who lists the store sees a block whole or not at all, and a <c>meta.json</c> that is there
/// vouches for the rest, also after a restart;
/// a block has its name for good, so a put that is made again meets the first one, and brings the same bytes but for <c>upload_time</c>;
/// where others compact, what has landed once does not land again, be it there or merged away; and what was merged here of such blocks never lands.
/// One caller at a time.
/// </remarks>
/// <param name="parts">What it works with.</param>
/// <param name="bucket">What is there.</param>
/// <param name="landed">What is known to have landed.</param>
internal sealed class BlockLanding(BlockLandingParts parts, BucketBlocks bucket, LandedBlocks landed)
{
    private const string IndexFile = "index";

    private readonly VerifiedPut puts = new(parts.Store, parts.Metrics, parts.Logger);
    private readonly HashSet<Ulid> failed = []; // tried last: one that cannot be read here must not hold up the others

    /// <summary>Blocks that are not known to be there, and should be.</summary>
    public int Waiting => parts.Blocks.Metas.Count(block => !landed.Has(block) && !IsExpired(block));

    /// <summary>Whether every block that is here is there: those that cannot be read here, too.</summary>
    public bool AreAllLanded =>
        bucket.IsListed && parts.Blocks.Metas.All(IsSafe) && parts.Blocks.Damaged.All(damaged => Ulid.TryParse(damaged.Name, out var id) && bucket.Contains(id));

    /// <summary>Whether all samples of a block are in the store, verified, or need not be any more.</summary>
    public bool IsSafe(BlockMeta block) => landed.Has(block) || IsExpired(block);

    /// <summary>Finds out what is there.</summary>
    /// <exception cref="ObjectStoreException">The store cannot be asked.</exception>
    public async Task RefreshAsync(CancellationToken cancellationToken)
    {
        var local = parts.Blocks.Metas;
        await bucket.RefreshAsync(there => IsAsPut(there, local), cancellationToken);
        landed.Listed(bucket.All.Where(static block => block.IsWhole && block.Mark is null).Select(static block => block.Meta), parts.Blocks.Metas, parts.CompactsElsewhere);
    }

    /// <summary>Lands the oldest block that is not there.</summary>
    /// <returns>False when there is none.</returns>
    /// <exception cref="IOException">Store or disk failed.</exception>
    public async Task<bool> LandNextAsync(CancellationToken cancellationToken)
    {
        if (parts.Blocks.Metas.Count == 0)
        {
            return false;
        }

        if (!bucket.IsListed)
        {
            await RefreshAsync(cancellationToken);
        }

        var next = parts.Blocks.Metas.Where(Needs).OrderBy(block => failed.Contains(block.Id)).ThenBy(static block => block.MinTime).ThenBy(static block => block.Id).FirstOrDefault();
        if (next is null)
        {
            return false;
        }

        failed.Add(next.Id);
        if (await TryPutAsync(next.Id, cancellationToken) is { } put)
        {
            bucket.Note(put);
            landed.Add(put, parts.Time.GetTimestamp());
            parts.Metrics.BlockLanded(put.SizeBytes);
            var (name, size) = (put.Id.ToString(), put.SizeBytes);
            LandingLog.BlockLanded(parts.Logger, name, put.MinTime, put.MaxTime, size);
        }

        failed.Remove(next.Id);
        return true;
    }

    /// <summary>Whether nothing of a block need stay there: all of it is older than <c>retention_days</c>.</summary>
    public bool IsExpired(BlockMeta block) => block.MaxTime <= parts.Proven().Add(-parts.Retention()).Value;

    private bool Needs(BlockMeta block) => !IsExpired(block) && (parts.CompactsElsewhere ? !landed.Has(block) : !bucket.Contains(block.Id));

    // Null: it is not here any more, since a merged one took its place, or retention took it.
    private async Task<BlockMeta?> TryPutAsync(Ulid id, CancellationToken cancellationToken)
    {
        using var snapshot = parts.Blocks.Take(long.MinValue, long.MaxValue);
        if (snapshot.Blocks.FirstOrDefault(block => block.Meta.Id == id) is not { } block)
        {
            return null;
        }

        var name = id.ToString();
        var contents = new List<(string Path, FileContent Content)>();
        try
        {
            // All are open before the first is put: a merge may take their names away meanwhile.
            foreach (var file in block.Meta.Files)
            {
                contents.Add((file.Path, new FileContent(parts.Files, Path.Combine(block.Folder, file.Path))));
            }

            foreach (var (path, content) in contents.OrderBy(static file => file.Path == IndexFile))
            {
                await puts.RunAsync(parts.Keys.Block(name, path), content, cancellationToken);
            }
        }
        catch (FileSystemException e) when (e.IsNotFound && !parts.Blocks.Metas.Any(each => each.Id == id))
        {
            return null;
        }
        finally
        {
            contents.ForEach(static file => file.Content.Dispose());
        }

        var meta = AsPut(block.Meta, parts.Time.GetUtcNow());
        await puts.RunAsync(parts.Keys.Block(name, BlockMeta.FileName), ObjectContent.Of(meta.ToJson()), cancellationToken);
        return meta;
    }

    // Blocks that someone copied here may have no labels, without which Thanos takes none.
    private BlockMeta AsPut(BlockMeta block, DateTimeOffset? at) => block with { ExternalLabels = parts.Labels, UploadedAt = at };

    // The last put before a crash may be damaged, and nobody has compared it.
    private bool IsAsPut(BlockMeta there, IReadOnlyList<BlockMeta> local) =>
        parts.CompactsElsewhere
        || local.FirstOrDefault(block => block.Id == there.Id) is not { } here
        || AsPut(here, there.UploadedAt).ToJson().AsSpan().SequenceEqual(there.ToJson());
}

/// <summary>What landing of blocks works with.</summary>
internal sealed record BlockLandingParts
{
    /// <summary>The store.</summary>
    public required IObjectStore Store { get; init; }

    /// <summary>Makes keys.</summary>
    public required ObjectKeys Keys { get; init; }

    /// <summary>The file system that the blocks lie on.</summary>
    public required IFileSystem Files { get; init; }

    /// <summary>The blocks.</summary>
    public required BlockSet Blocks { get; init; }

    /// <summary>What tells this collector's blocks from others'.</summary>
    public required IReadOnlyList<Label> Labels { get; init; }

    /// <summary>Whether something else merges and deletes in the store: <c>compaction = "external"</c>.</summary>
    public required bool CompactsElsewhere { get; init; }

    /// <summary>retention_days as it is now.</summary>
    public required Func<TimeSpan> Retention { get; init; }

    /// <summary>The time by which what is old may be deleted.</summary>
    public required Func<UnixMillis> Proven { get; init; }

    /// <summary>The time by which what stays for a while from now on is dated.</summary>
    public required Func<UnixMillis> Dated { get; init; }

    /// <summary>The clock.</summary>
    public required TimeProvider Time { get; init; }

    /// <summary>Its counters.</summary>
    public required LandingMetrics Metrics { get; init; }

    /// <summary>Its log.</summary>
    public required ILogger Logger { get; init; }
}
