using System.Buffers;
using System.Runtime.ExceptionServices;
using Lm.Collector.Landing;
using Lm.ObjectStore;
using Lm.Platform;
using Lm.Platform.Files;
using Lm.Tsdb.Blocks;

namespace Lm.Collector.SharedLog;

/// <summary>Merges blocks that commits brought into the store: those of two days into one, once these are over, and late ones by the rules of the disk (K18).</summary>
/// <remarks>
/// Invariants:
/// a merged block holds the samples of those that it replaces and no others, so it changes no answer, and no commit has to say that it counts: two collectors may merge the same, and one that wakes up after days may
/// put what nobody needs any more. One of what is there twice goes;
/// it lies where readers look only when all of it was read back there, <c>meta.json</c> last;
/// what tells of it is put before it and deleted after it, so that what a crash leaves is known. Only its own collector, which has no other merge under way, takes that away: nobody else can know that it is not asleep;
/// nothing is marked here: whoever does looks first whether the merged block is there, whole.
/// One caller at a time, who has just listed what is there.
/// </remarks>
internal sealed class SharedMerge
{
    private const int PieceSize = 4 << 20;

    // Builds and publishing wait meanwhile.
    private static readonly TimeSpan RoundMax = TimeSpan.FromMinutes(5);

    // Records that came in time are in blocks some three hours later: what comes behind is late, and waits until it is worth another merge.
    private static readonly TimeSpan Lag = TimeSpan.FromHours(6);

    private readonly BlockLandingParts parts;
    private readonly BucketBlocks bucket;
    private readonly SharedMergeParts merging;
    private readonly CompactionOptions options;
    private readonly HashSet<Ulid> damaged = [];
    private readonly HashSet<Ulid> passedOver = []; // in this round
    private readonly HashSet<Ulid> failed = []; // in an earlier one: they come after the others, which they would hold up
    private readonly HashSet<Ulid> told = [];

    /// <summary>Makes one, and takes away what a crash has left on the disk; nothing is asked of the store yet.</summary>
    /// <param name="parts">What it works with.</param>
    /// <param name="bucket">What is there.</param>
    /// <param name="merging">What it has for it.</param>
    /// <exception cref="FileSystemException">The folder cannot be emptied.</exception>
    public SharedMerge(BlockLandingParts parts, BucketBlocks bucket, SharedMergeParts merging)
    {
        (this.parts, this.bucket, this.merging) = (parts, bucket, merging);
        options = new CompactionOptions { BlockHours = merging.BlockHours, ExternalLabels = parts.Labels, IsInOneStep = true, Lag = Lag };
        FolderTree.Delete(parts.Files, merging.Directory);
    }

    /// <summary>Merges what is due, or as much of it as can be in some minutes; the rest comes the next time.</summary>
    /// <param name="isExpired">What is not worth it.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="IOException">Store or disk failed, for one group of blocks at least: it comes again the next time.</exception>
    public async Task RunAsync(Func<BlockMeta, bool> isExpired, CancellationToken cancellationToken)
    {
        passedOver.Clear();
        var began = parts.Time.GetTimestamp();
        var failure = await DeleteOwnRestsAsync(cancellationToken);
        while (parts.Time.GetElapsedTime(began) < RoundMax && Plan(isExpired) is { Count: > 0 } plan)
        {
            try
            {
                await MergeAsync(plan, cancellationToken);
                failed.ExceptWith(plan.Select(static block => block.Id));
            }
            catch (IOException e)
            {
                failure ??= ExceptionDispatchInfo.Capture(e);
                passedOver.UnionWith(plan.Select(static block => block.Id));
                failed.UnionWith(passedOver);
            }
        }

        failure?.Throw();
    }

    // Those that this collector was putting when it ended. What has a meta.json is not among them, whatever is wrong with it: it was put, and may be all there is of what it holds. What tells of one goes when a list has
    // nothing of it any more: a put that was given up may yet be carried out.
    private async Task<ExceptionDispatchInfo?> DeleteOwnRestsAsync(CancellationToken cancellationToken)
    {
        ExceptionDispatchInfo? failure = null;
        var folder = parts.Keys.SharedMergesFolder(merging.Collector);
        var begun = new List<string>();
        await foreach (var key in StoreLists.KeysAsync(parts.Store, folder, cancellationToken))
        {
            begun.Add(key);
        }

        foreach (var key in begun)
        {
            try
            {
                if (Ulid.TryParse(key.AsSpan(folder.Length), out var id) && bucket.Rests.Any(rest => rest.Id == id))
                {
                    await bucket.DeleteAsync(id, cancellationToken);
                    var name = id.ToString();
                    LandingLog.BlockRestDeleted(parts.Logger, name);
                }
                else
                {
                    await parts.Store.DeleteAsync(key, cancellationToken);
                }
            }
            catch (IOException e)
            {
                failure ??= ExceptionDispatchInfo.Capture(e);
            }
        }

        return failure;
    }

    private IReadOnlyList<BlockMeta> Plan(Func<BlockMeta, bool> isExpired)
    {
        BlockMeta[] live = [.. bucket.All.Where(static block => block.IsWhole && block.Mark is null).Select(static block => block.Meta)];
        BlockMeta[] candidates = [.. live.Where(block => !damaged.Contains(block.Id) && !passedOver.Contains(block.Id) && !isExpired(block) && !live.Any(other => other.Replaces(block)))];
        var now = parts.Proven().Value;
        return Compactor.Plan([.. candidates.Where(block => !failed.Contains(block.Id))], options, now) is { Count: > 0 } plan ? plan : Compactor.Plan(candidates, options, now);
    }

    // Afterwards not all of these are planned again: they are replaced, or some of them are left out.
    private async Task MergeAsync(IReadOnlyList<BlockMeta> plan, CancellationToken cancellationToken)
    {
        var (size, sizeMax) = (plan.Sum(static block => block.SizeBytes), merging.SizeMax());
        if (size > sizeMax)
        {
            LeaveOut(passedOver, plan.Select(static block => block.Id), $"with those of its two days it has {size} bytes, and no more than {sizeMax} are merged at once now: a twentieth of max_local_bytes, and a quarter of what is free on the disk");
            return;
        }

        try
        {
            foreach (var block in plan)
            {
                if (await FetchAsync(block, cancellationToken) is { } fault)
                {
                    LeaveOut(passedOver, [block.Id], fault);
                    return;
                }
            }

            using var blocks = BlockSet.Open(parts.Files, merging.Directory, parts.Time);
            if (blocks.Damaged.Count > 0)
            {
                LeaveOut(damaged, plan.Select(static block => block.Id).Where(id => blocks.Damaged.Any(each => each.Name == id.ToString())), blocks.Damaged[0].Reason);
                return;
            }

            switch (new Compactor(blocks, options, parts.Time).Merge(plan, cancellationToken))
            {
                case CompactionOutcome.Damaged found:
                    LeaveOut(damaged, found.LeftOut, found.Reason);
                    break;
                case CompactionOutcome.Merged merged:
                    var name = merged.Block.Id.ToString();
                    var tells = parts.Keys.SharedMergesFolder(merging.Collector) + name;
                    await parts.Store.PutAsync(tells, ObjectContent.Of("{}"u8.ToArray()), PutCondition.None, cancellationToken);
                    if (await new BlockLanding(parts with { Blocks = blocks }, bucket, new LandedBlocks()).LandNextAsync(cancellationToken))
                    {
                        SharedLogLog.Merged(parts.Logger, plan.Count, name, merged.Block.MinTime, merged.Block.MaxTime, merged.Block.SizeBytes);
                    }

                    await parts.Store.DeleteAsync(tells, cancellationToken);
                    break;
                default:
                    LeaveOut(damaged, plan.Select(static block => block.Id), "some of those that it is to be merged with are not what their meta.json says");
                    break;
            }
        }
        finally
        {
            FolderTree.Delete(parts.Files, merging.Directory);
        }
    }

    // Returns what is wrong with it.
    private async Task<string?> FetchAsync(BlockMeta block, CancellationToken cancellationToken)
    {
        var (name, folder) = (block.Id.ToString(), Path.Combine(merging.Directory, block.Id.ToString()));
        foreach (var file in block.Files)
        {
            var (key, path) = (parts.Keys.Block(name, file.Path), Path.Combine(folder, file.Path));
            parts.Files.CreateDirectory(Path.GetDirectoryName(path)!);
            if (!await TryFetchAsync(key, path, file.SizeBytes, cancellationToken))
            {
                return $"{key} in {parts.Store.Description} is not there, or does not have the {file.SizeBytes} bytes that its meta.json says";
            }
        }

        using var meta = parts.Files.Create(Path.Combine(folder, BlockMeta.FileName));
        meta.Write(0, block.ToJson());
        return null;
    }

    private async Task<bool> TryFetchAsync(string key, string path, long size, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent((int)Math.Clamp(size, 1, PieceSize));
        try
        {
            using var file = parts.Files.Create(path);
            for (var at = 0L; at < size;)
            {
                var wanted = (int)Math.Min(buffer.Length, size - at);
                if (await parts.Store.ReadAsync(key, at, buffer.AsMemory(0, wanted), cancellationToken) != new ObjectRange(wanted, size))
                {
                    return false;
                }

                file.Write(at, buffer.AsSpan(0, wanted));
                at += wanted;
            }

            return true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private void LeaveOut(HashSet<Ulid> those, IEnumerable<Ulid> blocks, string reason)
    {
        foreach (var id in blocks)
        {
            those.Add(id);
            if (told.Add(id))
            {
                var name = id.ToString();
                SharedLogLog.NotMerged(parts.Logger, name, reason);
            }
        }
    }
}

/// <summary>What merging in the store has for it.</summary>
/// <param name="Collector">The collector's name: no other one has it.</param>
/// <param name="Directory">A folder of its own, which it empties.</param>
/// <param name="BlockHours">block_hours.</param>
/// <param name="SizeMax">Bytes of blocks that are merged at once at most, as it is now: they are on this disk meanwhile, and the merged one beside them.</param>
internal sealed record SharedMergeParts(string Collector, string Directory, int BlockHours, Func<long> SizeMax);
