using Lm.Platform;
using Lm.Platform.Files;

namespace Lm.Tsdb.Blocks;

/// <summary>Merges blocks into fewer, longer ones.</summary>
/// <remarks>
/// <list type="bullet">
/// <item>The new block appears whole by a rename; only then do the old ones go. A crash in between leaves both, whose samples agree, and the next
/// <see cref="BlockSet.Open"/> deletes those that the new one replaces.</item>
/// <item>Series by series: memory holds one series' samples of the range, the new index's symbols and postings, and nothing else.</item>
/// <item>A block that turns out to be damaged is left out of further merges until the next start; its samples stay readable where they are.</item>
/// </list>
/// Not safe for concurrent use: one compactor for a <see cref="BlockSet"/>.
/// </remarks>
/// <param name="blocks">The blocks.</param>
/// <param name="options">How to merge.</param>
/// <param name="time">The clock.</param>
public sealed class Compactor(BlockSet blocks, CompactionOptions options, TimeProvider time)
{
    private readonly HashSet<Ulid> leftOut = [];

    /// <summary>Makes the merge that is due first, if any.</summary>
    /// <param name="cancellationToken">Ends a long merge early; nothing is left of it.</param>
    /// <exception cref="FileSystemException">A write failed; the blocks are as they were, or the new one is there and old ones wait to be deleted at the next start.</exception>
    public CompactionOutcome RunOnce(CancellationToken cancellationToken)
    {
        var candidates = blocks.Metas.Where(meta => !leftOut.Contains(meta.Id) && options.MayMerge(meta)).ToList();
        var plan = Plan(candidates, options, time.GetUtcNow().ToUnixTimeMilliseconds());
        return plan.Count == 0 ? new CompactionOutcome.NothingToDo() : Merge(plan, cancellationToken);
    }

    /// <summary>The blocks to be merged into one first; empty when none are due.</summary>
    /// <param name="candidates">Those that may be merged.</param>
    /// <param name="options">How to merge.</param>
    /// <param name="nowMs">The time, milliseconds since 1970.</param>
    public static IReadOnlyList<BlockMeta> Plan(IReadOnlyList<BlockMeta> candidates, CompactionOptions options, long nowMs) => CompactionPlan.Next(candidates, options, nowMs);

    /// <summary>Merges blocks of the set into one.</summary>
    /// <param name="plan">The blocks.</param>
    /// <param name="cancellationToken">Ends it early; nothing is left of it.</param>
    /// <exception cref="FileSystemException">As of <see cref="RunOnce"/>.</exception>
    public CompactionOutcome Merge(IReadOnlyList<BlockMeta> plan, CancellationToken cancellationToken)
    {
        var parents = plan.Select(meta => meta.Id).ToHashSet();
        using var snapshot = blocks.Take(long.MinValue, long.MaxValue);
        var sources = snapshot.Blocks.Where(block => parents.Contains(block.Meta.Id)).ToList();
        if (sources.Count < plan.Count)
        {
            return new CompactionOutcome.NothingToDo(); // retention took one meanwhile
        }

        try
        {
            var merged = Write(sources, cancellationToken);
            blocks.Replace(merged.Id, parents);
            return new CompactionOutcome.Merged(merged, plan);
        }
        catch (BlockDamageException damage)
        {
            var guilty = sources.Where(block => damage.Path.StartsWith(block.Folder, StringComparison.Ordinal)).Select(block => block.Meta.Id).ToList();
            Ulid[] damaged = guilty.Count > 0 ? [.. guilty] : [.. parents];
            leftOut.UnionWith(damaged);
            return new CompactionOutcome.Damaged(plan, damaged, damage.Message);
        }
    }

    private BlockMeta Write(List<BlockReader> sources, CancellationToken cancellationToken)
    {
        var metas = sources.Select(block => block.Meta).ToList();
        using var writer = blocks.Write(metas.Min(meta => meta.MinTime), metas.Max(meta => meta.MaxTime));
        new BlockMerge(sources).WriteTo(writer, cancellationToken);
        var provenance = new BlockProvenance
        {
            Level = metas.Max(meta => meta.Level) + 1,
            Sources = [.. metas.SelectMany(meta => meta.Sources)],
            Parents = [.. metas.OrderBy(meta => meta.MinTime).Select(meta => new BlockRange(meta.Id, meta.MinTime, meta.MaxTime))],
            IsLate = metas.TrueForAll(meta => meta.IsLate),
            ExternalLabels = options.ExternalLabels,
            Coverage = [.. metas.SelectMany(meta => meta.Coverage)],
        };
        return writer.Commit(provenance)
            ?? throw new BlockDamageException(sources[0].Folder, 0, "the blocks to be merged hold no sample, though their meta.json vouches for some");
    }
}

/// <summary>What one round of compaction did.</summary>
public abstract record CompactionOutcome
{
    private CompactionOutcome()
    {
    }

    /// <summary>No blocks are to be merged now.</summary>
    public sealed record NothingToDo : CompactionOutcome;

    /// <summary>Blocks were merged; there may be more to do.</summary>
    /// <param name="Block">The new one.</param>
    /// <param name="Parents">Those it replaced.</param>
    public sealed record Merged(BlockMeta Block, IReadOnlyList<BlockMeta> Parents) : CompactionOutcome;

    /// <summary>A block is damaged and is left out from now on; there may be more to do.</summary>
    /// <param name="Parents">Those that were to be merged.</param>
    /// <param name="LeftOut">The damaged one; all, where it is not known which.</param>
    /// <param name="Reason">File, place, what was found and expected.</param>
    public sealed record Damaged(IReadOnlyList<BlockMeta> Parents, IReadOnlyList<Ulid> LeftOut, string Reason) : CompactionOutcome;
}
