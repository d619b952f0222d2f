using System.Threading.Channels;
using Lm.Collector.Listeners;
using Lm.Collector.Spool;
using Lm.ObjectStore;
using Lm.Platform;

namespace Lm.Collector.SharedLog;

/// <summary><c>acceptance = "s3_manifest"</c>: what comes in is committed to the log that all collectors of a prefix share, and answered after that; what any of them commits is taken over here.</summary>
/// <remarks>
/// Invariants:
/// nothing is acknowledged but what was found in the log;
/// the spool gets what the log made visible, in its order, and nothing else: it is a copy, and may be lost;
/// one loop folds and commits; puts of builds and snapshots, and deletions, run beside it (<see cref="SharedUpkeep"/>).
/// </remarks>
internal sealed class SharedAcceptance : IAcceptance, IAsyncDisposable
{
    // Requests hold memory of a budget that is smaller than this many of them need; it is the bound of the line itself.
    private const int WaitingMax = 16_384;

    private const long MarkEvery = 64;

    private static readonly TimeSpan PollInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan JoinMax = TimeSpan.FromSeconds(10);

    // Two of an agent's default intervals, less than its four missed ones: then another collector writes up.
    private static readonly TimeSpan UpPatience = TimeSpan.FromSeconds(20);

    // Older ones were judged before a pause, by who did not know what others took since.
    private static readonly TimeSpan UpAgeMax = TimeSpan.FromSeconds(10);

    private readonly SharedAcceptanceParts parts;
    private readonly LogObjects objects;
    private readonly FoldedSpool copy;
    private readonly LogMember member;
    private readonly SharedUpkeep upkeep;
    private readonly Channel<Waiting> waiting = Channel.CreateBounded<Waiting>(new BoundedChannelOptions(WaitingMax) { SingleReader = true });
    private readonly CancellationTokenSource stopping = new();
    private readonly TaskCompletionSource joining = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private LogGroup group;
    private Task running = Task.CompletedTask;
    private long groupSince;
    private long polledAt;
    private long marked;
    private bool isProbed;
    private volatile bool isJoined;
    private volatile string? trouble = "the shared log was not read yet";
    private volatile bool isHalted;
    private volatile SharedLogStatus status;
    private int failures;
    private long commits;
    private long entries;
    private long failuresTotal;

    /// <summary>Makes one; nothing is asked of the store yet.</summary>
    /// <exception cref="IOException">The spool is no copy of this log.</exception>
    public SharedAcceptance(SharedAcceptanceParts parts)
    {
        this.parts = parts;
        group = NewGroup();
        objects = new LogObjects(parts.Store, parts.Keys);
        var mark = new SharedLogMark(parts.Files, Path.Combine(parts.Directory, SharedLogMark.FileName), parts.Store.Description + " " + parts.Keys.CommitsFolder);
        Local = new LocalCopy(mark, parts.Copy.Spool.Incarnation, parts.Copy.Spool.Segments.Count > 0, parts.Time) { IsDamaged = parts.IsDamaged };
        marked = Local.Applied;
        copy = new FoldedSpool(parts.Copy) { Skipped = Local.Skip, Cut = Local.Cut };
        status = new SharedLogStatus { Store = parts.Store.Description, Trouble = trouble };
        var options = new LogOptions { FilesAfter = parts.FilesAfter };
        member = new LogMember(new LogMemberParts(objects, parts.Collector, copy, parts.Time, new Random(), options) { SnapshotDamaged = NoteDamaged }, marked);
        var builderParts = new LogBuilderParts(objects, parts.Collector, parts.Time, options, parts.Proven, parts.Dated, parts.QueueMemory) { SnapshotDamaged = NoteDamaged };
        upkeep = new SharedUpkeep(member, new LogBuilder(member, builderParts), parts.FileMaker is { } maker ? new FileBuilder(member, builderParts, maker) : null, parts);
    }

    /// <summary>What of the log is on this disk.</summary>
    public LocalCopy Local { get; }

    /// <summary>How far all is, as of the last look.</summary>
    public SharedLogStatus Status => status with { Trouble = trouble, IsHalted = isHalted, UpkeepTrouble = upkeep.Trouble };

    /// <summary>Why no batch may be taken now; null when they may.</summary>
    public string? HoldReason => trouble is { } reason ? $"nothing can be committed to the shared log: {reason}; keep the batch and send it again, here or at another collector" : null;

    /// <summary>The same for <c>/readyz</c>: no names.</summary>
    public string? NotReady => isHalted ? "shared_log: halted, the log says why; no batch is taken"
        : trouble is null ? null
        : isJoined ? "shared_log: the object store, or the spool here, does not answer as it should; no batch is taken"
        : "shared_log: what was committed before is being read; no batch is taken";

    private bool MayWriteUps => copy.UpWriter.Length == 0 || copy.UpWriter == parts.Collector || parts.Time.GetElapsedTime(copy.UpSeenAt) > UpPatience;

    /// <summary>Begins to follow and to commit, and waits a while for the end of the log.</summary>
    /// <exception cref="IOException">The store cannot do what the log needs.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        running = Task.Run(RunAsync, CancellationToken.None);
        await Task.WhenAny(joining.Task, Task.Delay(JoinMax, parts.Time, cancellationToken));
        cancellationToken.ThrowIfCancellationRequested();
        if (isHalted)
        {
            throw new IOException(trouble);
        }
    }

    /// <inheritdoc/>
    public ValueTask WaitForAcknowledgedAsync(CancellationToken cancellationToken) => parts.Copy.Spool.WaitForAcknowledgedAsync(cancellationToken);

    /// <inheritdoc/>
    public async ValueTask<SpoolResult> AppendAsync(SpoolEntry entry)
    {
        var result = await EnqueueAsync(entry);
        if (result.Status != SpoolStatus.Ok)
        {
            parts.Copy.Ledger.RollBack(entry.Pending);
        }

        return result;
    }

    /// <inheritdoc/>
    public ValueTask<SpoolResult> AppendAsync(WriteEntry entry) => EnqueueAsync(entry);

    /// <inheritdoc/>
    /// <remarks>One collector writes it for all: whoever did last.</remarks>
    public ValueTask<SpoolResult> AppendAsync(AcceptedUps ups) =>
        trouble is not null ? ValueTask.FromResult(new SpoolResult(SpoolStatus.Failed, "the shared log is not followed now"))
        : MayWriteUps ? EnqueueAsync(ups)
        : ValueTask.FromResult(new SpoolResult(SpoolStatus.Failed, "another collector writes up"));

    /// <summary>The values for <c>/metrics</c>.</summary>
    public IEnumerable<CollectorMetric> Collect()
    {
        yield return new CollectorMetric("lm_collector_shared_log_applied", "The last commit of the shared log that is here.", false, "", member.Applied);
        yield return new CollectorMetric("lm_collector_shared_log_covered", "The last commit whose records are in objects of many commits.", false, "", member.Fold.Covered);
        yield return new CollectorMetric("lm_collector_shared_log_filed", "The last commit whose records are in blocks and log files that count.", false, "", member.Fold.Filed);
        yield return new CollectorMetric("lm_collector_shared_log_published", "The last commit whose records are in blocks and log files in the object store, read back there.", false, "", member.Fold.Published);
        yield return new CollectorMetric("lm_collector_shared_log_failing", "1 while nothing can be committed.", false, "", trouble is null ? 0 : 1);
        yield return new CollectorMetric("lm_collector_shared_log_upkeep_failing", "1 while the last build, snapshot, set of blocks and log files, or cleaning that was tried here failed.", false, "", upkeep.Trouble is null ? 0 : 1);
        yield return new CollectorMetric("lm_collector_shared_log_commits_total", "Groups that were committed here.", true, "", Interlocked.Read(ref commits));
        yield return new CollectorMetric("lm_collector_shared_log_entries_total", "Requests in them.", true, "", Interlocked.Read(ref entries));
        yield return new CollectorMetric("lm_collector_shared_log_failures_total", "Rounds of committing or following that failed.", true, "", Interlocked.Read(ref failuresTotal));
        yield return new CollectorMetric("lm_collector_shared_log_damaged_total", "Records of the shared log that could not be read and are left out here.", true, "", copy.Damaged);
    }

    /// <summary>Refuses what waits, and stops.</summary>
    public async ValueTask DisposeAsync()
    {
        waiting.Writer.TryComplete();
        await stopping.CancelAsync();
        await running;
        await upkeep.EndAsync();
        RefuseAll("the collector is stopping");
        if (isJoined)
        {
            TryMark();
        }

        stopping.Dispose();
        parts.Store.Dispose();
    }

    private async ValueTask<SpoolResult> EnqueueAsync(object entry)
    {
        var member = new Waiting(entry);
        return waiting.Writer.TryWrite(member)
            ? await member.Task
            : new SpoolResult(SpoolStatus.Failed, $"{WaitingMax} requests wait for the shared log, or the collector is stopping");
    }

    private async Task RunAsync()
    {
        try
        {
            while (true)
            {
                await RoundAsync(stopping.Token);
                await WaitAsync(stopping.Token);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // That is how it ends: what waits is refused, and what is visible comes again.
        }
        finally
        {
            trouble ??= "it was ended here";
            waiting.Writer.TryComplete();
            RefuseAll("the shared log was ended here");
            joining.TrySetResult();
        }
    }

    private async Task RoundAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (!isJoined)
            {
                await JoinAsync(cancellationToken);
            }

            Gather();
            if (group.Count > 0 && (group.IsFull || parts.Time.GetElapsedTime(groupSince) >= parts.Linger()))
            {
                await CommitAsync(cancellationToken);
            }

            if (parts.Time.GetElapsedTime(polledAt) >= PollInterval || trouble is not null)
            {
                polledAt = parts.Time.GetTimestamp();
                await member.FollowAsync(cancellationToken);
                await upkeep.StepAsync(cancellationToken);
                EndTrouble();
                Look();
            }

            if (member.Applied >= marked + MarkEvery)
            {
                TryMark();
            }
        }
        catch (LogHaltException e)
        {
            Halt(e.Message);
        }
        catch (IOException e)
        {
            BeginTrouble(e.Message);
        }
        catch (Exception e) when (e is not OutOfMemoryException && !cancellationToken.IsCancellationRequested)
        {
            // A fault of ours must not end it in silence; nothing that it did counts as committed.
            SharedLogLog.RoundFailed(parts.Logger, e);
            BeginTrouble("a fault of the program; the log has it");
        }
    }

    private async Task JoinAsync(CancellationToken cancellationToken)
    {
        if (!isProbed)
        {
            var support = await ConditionalPutProbe.RunAsync(parts.Store, parts.Keys.Probe(Guid.NewGuid()), cancellationToken);
            if (support != ConditionalPuts.Hold)
            {
                throw new LogHaltException(
                    $"{parts.Store.Description} {(support == ConditionalPuts.NotSupported ? "does not know conditional puts" : "overwrites where a conditional put should be refused")}: "
                    + "acceptance = \"s3_manifest\" needs a store that refuses a put with If-None-Match: * of a key that is there; use \"local_spool\" with this one");
            }

            isProbed = true;
        }

        await member.JoinAsync(cancellationToken);
        isJoined = true;
        TryMark();
        SharedLogLog.Joined(parts.Logger, parts.Store.Description, member.Applied);
        EndTrouble();
        joining.TrySetResult();
    }

    private LogGroup NewGroup() => new() { SizeMax = parts.GroupSizeMax };

    private void Gather()
    {
        while (!group.IsFull && waiting.Reader.TryRead(out var next))
        {
            groupSince = group.Count == 0 ? parts.Time.GetTimestamp() : groupSince;
            group.Add(next);
        }
    }

    private async Task CommitAsync(CancellationToken cancellationToken)
    {
        var committing = group;
        (group, copy.Group) = (NewGroup(), committing);
        var fresh = UnixMillis.Now(parts.Time).Add(-(UpAgeMax + parts.Linger()));
        committing.RefuseUps(ups => ups.At < fresh || !MayWriteUps);
        if (committing.Count == 0)
        {
            copy.Group = null;
            return;
        }

        var bytes = committing.Bundle(parts.Collector, parts.Keys);
        var draft = committing.Draft!;
        await PutAsync(draft.Raw.Key, bytes, cancellationToken);
        var outcomes = await member.CommitAsync(draft, cancellationToken);
        copy.Group = null;
        committing.Answer(outcomes);
        Interlocked.Increment(ref commits);
        Interlocked.Add(ref entries, committing.Count);
        EndTrouble();
    }

    // A large object, or a slow store, takes longer than what others commit may stay unseen here.
    private async Task PutAsync(string key, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        var put = parts.Store.PutAsync(key, ObjectContent.Of(bytes), PutCondition.IfAbsent, cancellationToken);
        try
        {
            while (await Task.WhenAny(put, Task.Delay(PollInterval, parts.Time, cancellationToken)) != put)
            {
                polledAt = parts.Time.GetTimestamp();
                await member.FollowAsync(cancellationToken);
                Look();
            }
        }
        catch (IOException e) when (e is not LogHaltException)
        {
            // What is on its way is not given up for that: the commit fails, too, should it last.
        }
        finally
        {
            await put;
        }
    }

    private void Look()
    {
        var fold = member.Fold;
        Local.Note(member.Applied);
        status = new SharedLogStatus
        {
            Store = parts.Store.Description,
            Last = fold.Last,
            LastAt = fold.LastAt,
            Applied = member.Applied,
            Covered = fold.Covered,
            Filed = fold.Filed,
            Published = fold.Published,
            PublishedUntil = fold.Parts.LastOrDefault(part => part.Last <= fold.Published)?.Newest,
            IsPublishing = fold.Pending is not null,
            OpenBytes = fold.OpenBytes,
            Parts = fold.Parts.Count,
            Builder = fold.Builder,
            Missing = Local.Missing,
        };
    }

    // Until there is something to gather, the group has waited long enough, or it is time to look what others did.
    private async Task WaitAsync(CancellationToken cancellationToken)
    {
        var rest = PollInterval - parts.Time.GetElapsedTime(polledAt);
        if (group.Count > 0)
        {
            var linger = parts.Linger() - parts.Time.GetElapsedTime(groupSince);
            rest = linger < rest ? linger : rest;
        }

        rest = trouble is null ? rest : PollInterval;
        if (rest <= TimeSpan.Zero || (group.IsFull && trouble is null))
        {
            return;
        }

        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var delay = Task.Delay(rest, parts.Time, either.Token);
        if (trouble is null && !group.IsFull)
        {
            var more = waiting.Reader.WaitToReadAsync(either.Token).AsTask();
            await Task.WhenAny(delay, more);
            await either.CancelAsync();
            await Task.WhenAll(delay, more).ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
        else
        {
            await delay;
        }

        cancellationToken.ThrowIfCancellationRequested();
    }

    private void TryMark()
    {
        try
        {
            var applied = member.Applied;
            Local.Write(applied);
            Interlocked.Exchange(ref marked, applied);
        }
        catch (IOException e)
        {
            SharedLogLog.MarkFailed(parts.Logger, e.Message);
        }
    }

    private void Halt(string reason)
    {
        if (!isHalted)
        {
            SharedLogLog.Halted(parts.Logger, reason);
        }

        (isHalted, trouble, copy.IsLive) = (true, reason, false);
        Interlocked.Increment(ref failuresTotal);
        RefuseAll("the shared log cannot be used");
        joining.TrySetResult();
    }

    private void BeginTrouble(string reason)
    {
        if (failures++ == 0)
        {
            SharedLogLog.TroubleBegan(parts.Logger, reason);
        }

        Interlocked.Increment(ref failuresTotal);
        trouble = reason;
        copy.IsLive = false; // what comes when it is over was sent before
        RefuseAll("the object store, or the spool here, does not answer as it should");
    }

    private void EndTrouble()
    {
        if (!isJoined)
        {
            return;
        }

        if (failures > 0)
        {
            SharedLogLog.TroubleEnded(parts.Logger, failures);
        }

        if (trouble is not null)
        {
            copy.IsLive = true;
            parts.Resumed();
        }

        (failures, trouble, isHalted) = (0, null, false);
    }

    private void RefuseAll(string reason)
    {
        copy.Group?.Refuse("whether it was committed to the shared log is not known"); // those that have an answer keep it
        group.Refuse(reason);
        (group, copy.Group) = (NewGroup(), null);
        while (waiting.Reader.TryRead(out var next))
        {
            next.Answer(new SpoolResult(SpoolStatus.Failed, reason));
        }
    }

    private void NoteDamaged(string key, string fault) => SharedLogLog.SnapshotDamaged(parts.Logger, key, fault);
}
