using Lm.Collector.Landing;
using Lm.ObjectStore;
using Lm.Platform;

namespace Lm.Collector.SharedLog;

/// <summary>Takes out of the store what is older than <c>retention_days</c> of the blocks and log files that commits brought there, and what tells of them: blocks are marked first (L31).</summary>
/// <remarks>All collectors mark alike, so that one ends what another began. With <c>compaction = "external"</c> blocks are left alone. One caller at a time.</remarks>
internal sealed class SharedTidy
{
    private readonly BlockLandingParts parts;
    private readonly BucketBlocks bucket;
    private readonly BlockTidy blocks;
    private readonly LogTidy logs;

    /// <summary>Makes one; nothing is asked of the store yet.</summary>
    public SharedTidy(BlockLandingParts parts)
    {
        this.parts = parts;
        bucket = new BucketBlocks(parts.Store, parts.Keys, block => block.ExternalLabels.SequenceEqual(parts.Labels), parts.Logger);
        blocks = new BlockTidy(parts, bucket, block => block.MaxTime <= Oldest.Value, DeletionMark.SignatureOf("shared log"));
        logs = new LogTidy(parts.Store, parts.Keys, parts.Metrics, parts.Logger);
    }

    private UnixMillis Oldest => parts.Proven().Add(-parts.Retention());

    /// <summary>Marks and deletes what is due; what fails of it holds up nothing else.</summary>
    /// <exception cref="ObjectStoreException">The store cannot be asked.</exception>
    public Task RunAsync(CancellationToken cancellationToken) =>
        TidyRound.RunAsync([TidyBlocksAsync, stopping => logs.RunAsync(Oldest, stopping), TidySetsAsync], cancellationToken);

    private async Task TidyBlocksAsync(CancellationToken cancellationToken)
    {
        if (!parts.CompactsElsewhere)
        {
            await bucket.RefreshAsync(static _ => true, parts.Time.GetUtcNow(), cancellationToken);
            await blocks.RunAsync(cancellationToken);
        }
    }

    // From the first upwards: a gap between sets looks as if one were lost. Blocks stay for longer than they count, and what tells of them stays as long.
    private async Task TidySetsAsync(CancellationToken cancellationToken)
    {
        if (!parts.CompactsElsewhere && !bucket.IsListed)
        {
            return; // which blocks are there is not known
        }

        var old = Oldest.Add(-DeletionMark.Delay).Value;
        var end = parts.CompactsElsewhere || bucket.All.Count == 0 ? old : Math.Min(old, bucket.All.Min(static block => block.Meta.MaxTime) - 1);
        var doomed = new List<string>();
        await foreach (var key in StoreLists.KeysAsync(parts.Store, parts.Keys.SharedFilesFolder, cancellationToken))
        {
            if (!parts.Keys.TryReadSharedFiles(key, out _, out _, out var newest) || newest >= end)
            {
                break;
            }

            doomed.Add(key);
        }

        foreach (var key in doomed)
        {
            await parts.Store.DeleteAsync(key, cancellationToken);
        }
    }
}
