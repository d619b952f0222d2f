namespace Lm.Collector.Landing;

/// <summary>Keeps the store small, now and then: what others replaced or cover goes, and what is older than <c>retention_days</c>.</summary>
/// <remarks>What it cannot do holds up no landing: it is tried again an hour later. With <c>compaction = "external"</c> it leaves blocks alone; raw objects and log files are nobody else's. One caller at a
/// time.</remarks>
internal sealed class StoreTidy
{
    private static readonly TimeSpan Interval = TimeSpan.FromHours(1);
    private static readonly TimeSpan RefreshInterval = TimeSpan.FromHours(6);

    private readonly StoreTidyParts parts;
    private readonly BlockTidy blockTidy;
    private readonly RawTidy rawTidy;
    private readonly LogTidy logTidy;
    private readonly StateLanding stateLanding;
    private long? ranAt;
    private long? refreshedAt;
    private long blocksSeen;
    private bool isFailing;

    /// <summary>Makes one.</summary>
    public StoreTidy(StoreTidyParts parts)
    {
        this.parts = parts;
        var (raw, blocks) = (parts.Raw, parts.Blocks);
        blockTidy = new BlockTidy(blocks, parts.Bucket, parts.Landing.IsExpired, DeletionMark.SignatureOf(raw.Collector));
        rawTidy = new RawTidy(raw, parts.Local, parts.State, blocks.Proven, blocks.Retention);
        logTidy = new LogTidy(raw.Store, raw.Keys, raw.Metrics, raw.Logger);
        stateLanding = new StateLanding(raw, parts.Local.State);
    }

    private TimeProvider Time => parts.Blocks.Time;

    /// <summary>Tidies up once an hour, and when blocks have landed.</summary>
    public async Task RunIfDueAsync(CancellationToken cancellationToken)
    {
        var landed = parts.Raw.Metrics.Blocks;
        if (ranAt is { } last && Time.GetElapsedTime(last) < Interval && (isFailing || landed == blocksSeen))
        {
            return;
        }

        (ranAt, blocksSeen) = (Time.GetTimestamp(), landed);
        try
        {
            await RunAsync(cancellationToken);
            isFailing = false;
        }
        catch (IOException e)
        {
            parts.Raw.Metrics.TidyFailed();
            if (!isFailing)
            {
                LandingLog.TidyFailed(parts.Raw.Logger, e.Message);
            }

            isFailing = true;
        }
        catch (Exception e) when (e is not OutOfMemoryException && !cancellationToken.IsCancellationRequested)
        {
            // What a store's client throws that nobody thought of, too: it holds up no landing either.
            parts.Raw.Metrics.TidyFailed();
            LandingLog.TidyBroke(parts.Raw.Logger, e);
            isFailing = true;
        }
    }

    private async Task RunAsync(CancellationToken cancellationToken)
    {
        await stateLanding.RunAsync(cancellationToken); // first: no raw object goes that it does not summarise (D4)
        await TidyRound.RunAsync([TidyBlocksAsync, rawTidy.RunAsync, stopping => logTidy.RunAsync(parts.Blocks.Proven().Add(-parts.Blocks.Retention()), stopping)], cancellationToken);
    }

    private async Task TidyBlocksAsync(CancellationToken cancellationToken)
    {
        if (refreshedAt is not { } last || Time.GetElapsedTime(last) >= RefreshInterval)
        {
            await parts.Landing.RefreshAsync(cancellationToken);
            refreshedAt = Time.GetTimestamp();
        }

        if (!parts.Blocks.CompactsElsewhere)
        {
            await blockTidy.RunAsync(parts.Blocks.Proven(), cancellationToken);
        }
    }
}

/// <summary>What tidying up works with.</summary>
/// <param name="Raw">What landing of raw objects works with.</param>
/// <param name="Blocks">What landing of blocks works with.</param>
/// <param name="Local">What this machine has.</param>
/// <param name="Bucket">Which blocks are there.</param>
/// <param name="Landing">Lands blocks.</param>
/// <param name="State">What counts as covered.</param>
internal sealed record StoreTidyParts(RawLandingParts Raw, BlockLandingParts Blocks, LocalStores Local, BucketBlocks Bucket, BlockLanding Landing, LandingState State);
