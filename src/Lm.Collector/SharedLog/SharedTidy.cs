using Lm.Collector.Landing;
using Lm.Platform;
using Lm.Tsdb.Blocks;

namespace Lm.Collector.SharedLog;

/// <summary>Merges the blocks that commits brought into the store, and takes out of it what they replaced and what is older than <c>retention_days</c>, log files and what tells of all these, too: blocks are marked first
/// (L31).</summary>
/// <remarks>All collectors mark alike, so that one ends what another began. With <c>compaction = "external"</c> blocks are left alone. One caller at a time.</remarks>
internal sealed class SharedTidy
{
    private readonly BlockLandingParts parts;
    private readonly BucketBlocks bucket;
    private readonly BlockTidy blocks;
    private readonly LogTidy logs;
    private readonly SharedMerge merge;

    /// <summary>Makes one; nothing is asked of the store yet.</summary>
    /// <param name="parts">What it works with.</param>
    /// <param name="merging">What merging has for it.</param>
    /// <exception cref="IOException">What merging left on the disk cannot be deleted.</exception>
    public SharedTidy(BlockLandingParts parts, SharedMergeParts merging)
    {
        this.parts = parts;
        bucket = new BucketBlocks(parts.Store, parts.Keys, block => block.ExternalLabels.SequenceEqual(parts.Labels), parts.Logger);
        blocks = new BlockTidy(parts, bucket, IsExpired, DeletionMark.SignatureOf("shared log"));
        merge = new SharedMerge(parts, bucket, merging);
        logs = new LogTidy(parts.Store, parts.Keys, parts.Metrics, parts.Logger);
    }

    private bool IsExpired(BlockMeta block) => block.MaxTime <= Oldest.Value;

    private UnixMillis Oldest => parts.Proven().Add(-parts.Retention());

    /// <summary>Marks, deletes and merges what is due; what fails of it holds up nothing else.</summary>
    /// <exception cref="IOException">The store cannot be asked, or the disk failed.</exception>
    public Task RunAsync(CancellationToken cancellationToken) =>
        TidyRound.RunAsync([stopping => logs.RunAsync(Oldest, stopping), TidyBlocksAsync, TidySetsAsync], cancellationToken);

    private async Task TidyBlocksAsync(CancellationToken cancellationToken)
    {
        if (parts.CompactsElsewhere)
        {
            return;
        }

        await ListAndMarkAsync(cancellationToken);

        // What was merged is there twice for foreign readers until it is marked. Whether it still is whole there, after a put that may have taken days, is looked up again.
        await TidyRound.RunAsync([stopping => merge.RunAsync(IsExpired, stopping), ListAndMarkAsync], cancellationToken);
    }

    // Nothing is marked or deleted by a list of days ago.
    private async Task ListAndMarkAsync(CancellationToken cancellationToken)
    {
        var asOf = parts.Proven();
        await bucket.RefreshAsync(static _ => true, cancellationToken);
        await blocks.RunAsync(asOf, cancellationToken);
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
