using Lm.Collector.Settings;
using Lm.Collector.Spool;
using Lm.Tsdb.Blocks;

namespace Lm.Collector.Series;

/// <summary>Keeps the blocks few and within their bounds: merges them, and deletes the oldest by <c>local_retention_days</c> and <c>max_local_bytes</c>.</summary>
/// <param name="blocks">The blocks.</param>
/// <param name="compactor">Merges them.</param>
/// <param name="clock">Says what is old.</param>
/// <param name="space">Who else uses <c>max_local_bytes</c>.</param>
/// <param name="mayGo">Whether a block may be deleted: with an object store, only what was verified there (K19, C27).</param>
/// <param name="going">Hears, before blocks are deleted, how new their newest sample is; what it throws keeps them.</param>
/// <param name="logger">The log.</param>
internal sealed class BlockKeeper(BlockSet blocks, Compactor compactor, ClockGuard clock, LocalSpace space, Func<BlockMeta, bool> mayGo, Action<long> going, ILogger logger)
{
    private bool isFailing;

    /// <summary>Merges since start.</summary>
    public long Merged { get; private set; }

    /// <summary>Merges that failed since start.</summary>
    public long MergesFailed { get; private set; }

    /// <summary>Blocks deleted by retention since start.</summary>
    public long Expired { get; private set; }

    /// <summary>Blocks that are too old and stay, because they are not known to be in the object store.</summary>
    public int Held { get; private set; }

    /// <summary>Merges everything that is due, then deletes what is too old or too much.</summary>
    public void Run(StorageSettings settings, CancellationToken stopping)
    {
        Merge(stopping);
        Expire(settings);
    }

    private void Merge(CancellationToken stopping)
    {
        try
        {
            while (true)
            {
                switch (compactor.RunOnce(stopping))
                {
                    case CompactionOutcome.Merged(var block, var parents):
                        Merged++;
                        isFailing = false;
                        var name = block.Id.ToString();
                        SeriesLog.BlocksMerged(logger, name, parents.Count, block.Stats.Samples, block.SizeBytes);
                        break;
                    case CompactionOutcome.Damaged(_, _, var reason):
                        MergesFailed++;
                        SeriesLog.MergeFailed(logger, reason);
                        break;
                    default:
                        return;
                }
            }
        }
        catch (IOException e)
        {
            MergesFailed++;
            if (!isFailing)
            {
                SeriesLog.MergeFailed(logger, e.Message); // once: a full disk stays full for a while
            }

            isFailing = true;
        }
    }

    private void Expire(StorageSettings settings)
    {
        TellSpace();
        var excessUntil = space.ExcessUntil(settings.LocalSizeMax);
        var limits = new RetentionLimits(settings.LocalRetention, long.MaxValue);
        var old = Retention.Choose(blocks.Metas, limits, clock.Proven.Value, static _ => true).Blocks;
        BlockMeta[] gone = [.. old.Union(blocks.Metas.Where(block => block.MaxTime <= excessUntil)).Where(mayGo)];
        Held = old.Count(block => !mayGo(block));
        if (gone.Length == 0)
        {
            return;
        }

        try
        {
            going(gone.Max(static block => block.MaxTime) - 1);
            blocks.Delete([.. gone.Select(static block => block.Id)]);
            Expired += gone.Length;
            var (newest, bytes) = (gone.Max(static block => block.MaxTime), gone.Sum(static block => block.SizeBytes));
            SeriesLog.BlocksExpired(logger, gone.Length, newest, bytes);
        }
        catch (IOException e)
        {
            SeriesLog.RetentionFailed(logger, e.Message);
        }

        TellSpace();
    }

    private void TellSpace() => space.SetBlocks([.. blocks.Metas.Select(block => new LocalFile(block.MaxTime, block.SizeBytes, mayGo(block)))]);
}
