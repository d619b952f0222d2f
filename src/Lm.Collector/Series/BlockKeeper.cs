using Lm.Collector.Settings;
using Lm.Collector.Spool;
using Lm.Tsdb.Blocks;

namespace Lm.Collector.Series;

/// <summary>Keeps the blocks few and within their bounds: merges them, and deletes the oldest by <c>local_retention_days</c> and <c>max_local_bytes</c>.</summary>
/// <param name="blocks">The blocks.</param>
/// <param name="compactor">Merges them.</param>
/// <param name="clock">Says what is old.</param>
/// <param name="logger">The log.</param>
internal sealed class BlockKeeper(BlockSet blocks, Compactor compactor, ClockGuard clock, ILogger logger)
{
    private bool isFailing;

    /// <summary>Merges since start.</summary>
    public long Merged { get; private set; }

    /// <summary>Merges that failed since start.</summary>
    public long MergesFailed { get; private set; }

    /// <summary>Blocks deleted by retention since start.</summary>
    public long Expired { get; private set; }

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
                    case CompactionOutcome.Damaged(_, var reason):
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
        var limits = new RetentionLimits(settings.LocalRetention, settings.LocalSizeMax);
        var decision = Retention.Choose(blocks.Metas, limits, clock.Proven.Value, static _ => true);
        if (decision.Blocks.Count == 0)
        {
            return;
        }

        try
        {
            blocks.Delete([.. decision.Blocks.Select(static block => block.Id)]);
            Expired += decision.Blocks.Count;
            var (newest, bytes) = (decision.Blocks.Max(static block => block.MaxTime), decision.Blocks.Sum(static block => block.SizeBytes));
            SeriesLog.BlocksExpired(logger, decision.Blocks.Count, newest, bytes);
        }
        catch (IOException e)
        {
            SeriesLog.RetentionFailed(logger, e.Message);
        }
    }
}
