namespace Lm.Collector.SharedLog;

/// <summary>What one member does for all: builds, snapshots, blocks and log files, publishing, cleaning; one at a time, beside the loop that commits.</summary>
/// <remarks>They take seconds where the store is far: only their commits are made by the loop, which is the one caller.</remarks>
/// <param name="member">The member.</param>
/// <param name="builder">Builds, snapshots, and cleaning behind them.</param>
/// <param name="files">Blocks and log files; null where none are made.</param>
/// <param name="parts">What it works with.</param>
internal sealed class SharedUpkeep(LogMember member, LogBuilder builder, FileBuilder? files, SharedAcceptanceParts parts)
{
    private static readonly TimeSpan RestMin = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan RestMax = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan CleanInterval = TimeSpan.FromHours(1);

    private Task running = Task.CompletedTask;
    private Commit? made; // of what was built and is in the store, not committed
    private long? cleanedAt; // null: not since the start
    private long? tidiedAt;
    private bool hasStaged = true; // perhaps: those that ended before left some
    private long? filesFailedAt; // this and the next two are written by what runs, and read when it has ended
    private long failedAt;
    private TimeSpan rest;
    private volatile string? trouble;

    /// <summary>Why the last of it failed; null when it did not. From any thread.</summary>
    public string? Trouble => trouble;

    /// <summary>Commits what is made, or begins what is due, unless something is under way.</summary>
    /// <param name="cancellationToken">Ends this, and what it began.</param>
    /// <exception cref="IOException">Whether what is made is committed is not known.</exception>
    public async Task StepAsync(CancellationToken cancellationToken)
    {
        if (!running.IsCompleted || parts.Time.GetElapsedTime(failedAt) < rest)
        {
            return;
        }

        var filer = filesFailedAt is { } since && parts.Time.GetElapsedTime(since) < RestMax ? null : files; // what cannot be made must not keep all else from being done
        if (made is { } commit)
        {
            made = null;
            await CommitMadeAsync(commit, cancellationToken);
        }
        else if (IsDue(cleanedAt)) // before what is due more often, which may be always
        {
            (cleanedAt, hasStaged) = (parts.Time.GetTimestamp(), true);
            var cleaning = builder.PlanCleaning();
            running = BesideAsync(() => CleanAsync(cleaning, cancellationToken), cancellationToken);
        }
        else if (IsDue(tidiedAt) && parts.TidyAsync is { } tidyAsync && member.Fold.Builder == parts.Collector)
        {
            tidiedAt = parts.Time.GetTimestamp();
            running = BesideAsync(() => tidyAsync(cancellationToken), cancellationToken);
        }
        else if (builder.PlanBuild() is { } plan)
        {
            running = BesideAsync(async () => made = await builder.GatherAsync(plan, cancellationToken), cancellationToken);
        }
        else if (builder.PlanSnapshot() is { } snapshot)
        {
            running = BesideAsync(() => builder.WriteAsync(snapshot, cancellationToken), cancellationToken);
        }
        else if (filer?.PlanFiles() is { } filing)
        {
            running = BesideAsync(() => FileAsync(async () => made = await filer.MakeAsync(filing, cancellationToken)), cancellationToken);
        }
        else if (filer?.PlanPublishing() is { } pending)
        {
            running = BesideAsync(() => FileAsync(async () => made = await filer.PublishAsync(pending, cancellationToken)), cancellationToken);
        }
        else if (hasStaged && files is not null)
        {
            hasStaged = false;
            var staged = files.PlanCleaning();
            running = BesideAsync(() => files.CleanAsync(staged, cancellationToken), cancellationToken);
        }
    }

    /// <summary>Waits for what is under way.</summary>
    public Task EndAsync() => running;

    private bool IsDue(long? doneAt) => doneAt is not { } at || parts.Time.GetElapsedTime(at) >= CleanInterval;

    private async Task FileAsync(Func<Task> work)
    {
        filesFailedAt = parts.Time.GetTimestamp();
        await work();
        filesFailedAt = null;
    }

    private async Task CommitMadeAsync(Commit commit, CancellationToken cancellationToken)
    {
        switch (commit)
        {
            case BuildCommit build:
                if (await builder.CommitAsync(build, cancellationToken))
                {
                    var bytes = build.Adds.Sum(static part => part.Object.SizeBytes);
                    SharedLogLog.Built(parts.Logger, build.From, build.Covers, bytes);
                }

                break;
            case FilesCommit filed:
                if (await member.CommitAsync(filed, cancellationToken))
                {
                    SharedLogLog.Filed(parts.Logger, filed.From, filed.Covers);
                }

                break;
            default:
                if (await member.CommitAsync(commit, cancellationToken))
                {
                    SharedLogLog.Published(parts.Logger, member.Fold.Published);
                }

                hasStaged = true;
                break;
        }
    }

    private async Task CleanAsync(CleaningPlan plan, CancellationToken cancellationToken)
    {
        if (await builder.CleanAsync(plan, cancellationToken) is > 0 and var cleaned)
        {
            SharedLogLog.Cleaned(parts.Logger, cleaned);
        }
    }

    private async Task BesideAsync(Func<Task> work, CancellationToken cancellationToken)
    {
        try
        {
            await Task.Run(work, CancellationToken.None);
            (rest, trouble) = (TimeSpan.Zero, null);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // It is made again.
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            (failedAt, rest) = (parts.Time.GetTimestamp(), TimeSpan.FromTicks(Math.Clamp(2 * rest.Ticks, RestMin.Ticks, RestMax.Ticks)));
            trouble = e.Message;
            SharedLogLog.UpkeepFailed(parts.Logger, e.Message);
        }
    }
}
