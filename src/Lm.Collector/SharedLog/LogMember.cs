using Lm.Collector.Ingest;
using Lm.ObjectStore;
using Lm.Platform;

namespace Lm.Collector.SharedLog;

/// <summary>One collector's part in the shared log: follows it, and adds to it.</summary>
/// <remarks>
/// Invariants:
/// a commit is put at the number behind the last folded one, and only where there is none; whatever the answer was, what is under the number decides;
/// a draft counts as committed when a commit with its nonce was found under a number, and folded; an end that is not known is told as such and never guessed;
/// a number that is free because what was there was cleaned away is told from one that was never taken: the very commit before it is still there. No clock has a say in that: that of a machine which slept may be days behind;
/// the consumer gets each visible entry behind the number that it had at the start, in the order of the log.
/// One caller at a time.
/// </remarks>
internal sealed class LogMember
{
    private readonly LogMemberParts parts;
    private readonly LogObjects objects;
    private readonly RetryPolicy retries;
    private LogFold fold = new();
    private long applied;
    private UnixMillis? looked; // when a newer snapshot was looked for last
    private Undelivered? undelivered;

    /// <summary>Makes one; nothing is asked yet.</summary>
    /// <param name="parts">What it works with.</param>
    /// <param name="applied">Its consumer has all commits up to this one, and perhaps some more.</param>
    public LogMember(LogMemberParts parts, long applied)
    {
        (this.parts, this.applied) = (parts, applied);
        objects = parts.Objects;
        retries = new RetryPolicy(parts.Options.RetryFirst, parts.Options.RetryMax, parts.Random);
    }

    /// <summary>The log as far as it is known here.</summary>
    public LogFold Fold => fold;

    /// <summary>The consumer has all commits up to this one.</summary>
    public long Applied => applied;

    /// <summary>Loads the newest snapshot, and follows the log to its end.</summary>
    /// <exception cref="IOException">The store cannot be asked, the consumer failed, or the log is shorter than what the consumer has of it: it may be called again.</exception>
    public async Task JoinAsync(CancellationToken cancellationToken)
    {
        if (looked is null)
        {
            await TryRejoinAsync(cancellationToken);
        }

        await FollowAsync(cancellationToken);
        if (fold.Last < applied)
        {
            looked = null; // when the right one is there, its snapshots are looked for at once
            throw new LogHaltException(
                $"the shared log in {objects.Store.Description} ends with commit {fold.Last}, and commit {applied} is here: it is another store, its disk is not mounted, or it was emptied. "
                + "Nothing is added to it; where that is meant, begin with an empty spool_dir");
        }
    }

    /// <summary>Folds what others committed, up to the end.</summary>
    /// <exception cref="IOException">The store cannot be asked, or the consumer failed: it may be called again.</exception>
    public async Task FollowAsync(CancellationToken cancellationToken)
    {
        await DeliverAsync(cancellationToken);
        while (true)
        {
            var found = await objects.ReadCommitAsync(fold.Last + 1, cancellationToken);
            if (found is null ? IsLookDue() : !await IsNextAsync(cancellationToken))
            {
                if (!await TryRejoinAsync(cancellationToken) && found is not null)
                {
                    throw Lost();
                }

                continue;
            }

            if (found is null)
            {
                return;
            }

            await FoldAsync(found, own: null, cancellationToken);
        }
    }

    /// <summary>Commits what of a draft is still new.</summary>
    /// <returns>For each entry what became of it: <see cref="Admission.New"/> when it is visible by this draft, else what it was found to be.</returns>
    /// <exception cref="IOException">Whether it is committed is not known: then it may still become visible, and its senders must send again.</exception>
    public async Task<IReadOnlyList<AdmissionResult>> CommitAsync(Draft draft, CancellationToken cancellationToken)
    {
        var outcomes = new AdmissionResult[draft.Entries.Count];
        await CommitAsync(draft.Nonce, () => MakeCommit(draft, outcomes), draft, cancellationToken);
        return outcomes;
    }

    /// <summary>Commits what is no data.</summary>
    /// <returns>Whether it counts; false when another one came before it.</returns>
    /// <exception cref="IOException">Whether it is committed is not known.</exception>
    public async Task<bool> CommitAsync(Commit upkeep, CancellationToken cancellationToken)
    {
        var counts = false;
        await CommitAsync(upkeep.Nonce, () => (counts = fold.Counts(upkeep)) ? upkeep with { At = UnixMillis.Now(parts.Time) } : null, own: null, cancellationToken);
        return counts;
    }

    private async Task CommitAsync(Guid nonce, Func<Commit?> make, Draft? own, CancellationToken cancellationToken)
    {
        await DeliverAsync(cancellationToken);
        var began = parts.Time.GetTimestamp();
        for (var tries = 0; make() is { } commit;)
        {
            if (parts.Time.GetElapsedTime(began) > parts.Options.CommitFor)
            {
                // What stands under every number that was tried is another's. Its senders can go to who is faster.
                throw new ObjectStoreException(
                    ObjectStoreFault.Busy, $"other collectors were first at every number for {parts.Options.CommitFor.TotalSeconds:F0} s, up to commit {fold.Last} of {objects.Store.Description}", cause: null);
            }

            var number = fold.Last + 1;
            var isStored = await objects.TryPutCommitAsync(number, CommitCodec.Write(commit), cancellationToken);
            var found = isStored ? commit : await objects.ReadCommitAsync(number, cancellationToken);
            if (found is null)
            {
                // The same number again: the first put may still be on its way, and of the two only one can win.
                if (++tries >= parts.Options.TriesMax)
                {
                    throw new ObjectStoreException(
                        ObjectStoreFault.Failed, $"{objects.Keys.Commit(number)} in {objects.Store.Description} could not be put in {tries} tries, and is not there", cause: null);
                }

                await Task.Delay(retries.DelayAfter(tries), parts.Time, cancellationToken);
                continue;
            }

            if (!await IsNextAsync(cancellationToken))
            {
                // What stands under the number is of nobody's log; it goes when what was below the snapshot is cleaned, and the draft's object with it.
                await TryRejoinAsync(cancellationToken);
                throw Lost();
            }

            tries = 0;
            await FoldAsync(found, found.Nonce == nonce ? own : null, cancellationToken);
            if (found.Nonce == nonce)
            {
                return;
            }
        }
    }

    private DataCommit? MakeCommit(Draft draft, AdmissionResult[] outcomes)
    {
        var left = new List<CommitEntry>(draft.Entries.Count);
        for (var i = 0; i < outcomes.Length; i++)
        {
            outcomes[i] = draft.Entries[i].Frame is { } frame ? fold.Look(frame) : default;
            if (outcomes[i].Admission is Admission.New or Admission.TooManyGaps)
            {
                // How many intervals there may be was judged when it was admitted.
                outcomes[i] = default;
                left.Add(draft.Entries[i]);
            }
        }

        return left.Count == 0 ? null : new DataCommit(parts.Writer, draft.Nonce, UnixMillis.Now(parts.Time), draft.Raw, left);
    }

    // Asked after what is under the next number was seen or put. Cleaning goes upwards: where the last commit is still there, nothing behind it was ever cleaned.
    // It must be that very commit: another one that was paused as long may have put its own under the same free number.
    private async Task<bool> IsNextAsync(CancellationToken cancellationToken)
    {
        if (fold.Last == 0)
        {
            return !await objects.HasSnapshotBehindAsync(0, cancellationToken);
        }

        return await objects.ReadCommitAsync(fold.Last, cancellationToken) is { } last && last.Nonce == fold.LastNonce;
    }

    // A quiet log looks as one that was cleaned away in front of us.
    private bool IsLookDue()
    {
        var now = UnixMillis.Now(parts.Time);
        var isQuiet = fold.LastAt is not { } at || (now - at).Duration() >= parts.Options.FreshFor;
        return isQuiet && (looked is not { } last || (now - last).Duration() >= parts.Options.FreshFor);
    }

    // Takes the fold of a newer snapshot, where there is one.
    private async Task<bool> TryRejoinAsync(CancellationToken cancellationToken)
    {
        var now = UnixMillis.Now(parts.Time);
        var newer = await objects.NewestSnapshotAsync(fold.Last, parts.SnapshotDamaged, cancellationToken);
        looked = now;
        if (newer is null)
        {
            return false;
        }

        (fold, undelivered) = (newer, null);
        await DeliverAsync(cancellationToken);
        return true;
    }

    private async Task FoldAsync(Commit commit, Draft? own, CancellationToken cancellationToken)
    {
        var visible = fold.Apply(commit);
        undelivered = new Undelivered(fold.Last, commit, visible, own);
        await DeliverAsync(cancellationToken);
    }

    // Brings the consumer to where the fold is.
    private async Task DeliverAsync(CancellationToken cancellationToken)
    {
        while (applied < fold.Last)
        {
            try
            {
                applied = await DeliverNextAsync(cancellationToken);
            }
            catch (LogObjectMissingException)
            {
                // Covered and cleaned since: a newer snapshot says what holds it now. Else it is lost, and that must be said.
                var behind = await objects.NewestSnapshotAsync(fold.Last, parts.SnapshotDamaged, cancellationToken);
                if (behind is null || behind.Covered <= applied)
                {
                    throw;
                }

                (fold, undelivered) = (behind, null);
            }
        }

        undelivered = null;
    }

    // Returns up to which commit the consumer has everything then.
    private async Task<long> DeliverNextAsync(CancellationToken cancellationToken)
    {
        var next = applied + 1;
        if (undelivered is { } kept && kept.Number == next)
        {
            await DeliverAsync(next, kept.Commit, kept.Visible, kept.Own, cancellationToken);
            return next;
        }

        if (applied == 0 && fold.Published > 0)
        {
            parts.Consumer.Skip(1, fold.Published); // an empty disk: queries find it in blocks and log files
            return fold.Published;
        }

        if (next <= fold.Covered)
        {
            // A part goes when blocks and log files hold what is in it. A part begins where the one before ends, unless commits between have no records.
            var part = fold.Parts.FirstOrDefault(part => part.Last >= next);
            var skipped = Math.Min(part is null ? fold.Covered : part.First - 1, Math.Max(fold.Published, applied));
            if (skipped >= next)
            {
                parts.Consumer.Skip(next, skipped);
                return skipped;
            }

            if (part is null)
            {
                return fold.Covered;
            }

            await parts.Consumer.ApplyPartAsync(part, applied, cancellationToken);
            return part.Last;
        }

        var commit = await objects.ReadCommitAsync(next, cancellationToken)
            ?? throw new LogObjectMissingException($"{objects.Keys.Commit(next)} in {objects.Store.Description} is not there any more");
        if (commit.Nonce != fold.NonceOf(next))
        {
            throw new LogObjectMissingException($"{objects.Keys.Commit(next)} in {objects.Store.Description} is not what it was: the commit was cleaned away, and another put there by a collector that had been away");
        }

        var visible = commit is DataCommit data ? [.. Enumerable.Range(0, data.Entries.Count).Select(index => !fold.Hidden.Contains((next, index)))] : Array.Empty<bool>();
        await DeliverAsync(next, commit, visible, own: null, cancellationToken);
        return next;
    }

    private async ValueTask DeliverAsync(long number, Commit commit, bool[] visible, Draft? own, CancellationToken cancellationToken)
    {
        if (commit is DataCommit data)
        {
            await parts.Consumer.ApplyAsync(number, data, visible, own, cancellationToken);
        }
    }

    private ObjectStoreException Lost() => new(
        ObjectStoreFault.Failed, $"commit {fold.Last} of {objects.Store.Description} is not what was followed here any more: this collector was away for long, and goes on from the newest snapshot; or the store was emptied", cause: null);

    private sealed record Undelivered(long Number, Commit Commit, bool[] Visible, Draft? Own);
}

/// <summary>What a member works with.</summary>
/// <param name="Objects">The log's objects.</param>
/// <param name="Writer">The collector's name.</param>
/// <param name="Consumer">Takes what is visible.</param>
/// <param name="Time">The clock.</param>
/// <param name="Random">For jitter.</param>
/// <param name="Options">Times and numbers.</param>
internal sealed record LogMemberParts(LogObjects Objects, string Writer, ILogConsumer Consumer, TimeProvider Time, Random Random, LogOptions Options)
{
    /// <summary>Hears of a snapshot that is damaged: its key, and why.</summary>
    public Action<string, string> SnapshotDamaged { get; init; } = static (_, _) => { };
}

/// <summary>Times and numbers of the shared log: tests have smaller ones.</summary>
internal sealed record LogOptions
{
    /// <summary>Commits between two snapshots, and after which a build is due.</summary>
    public int SnapshotEvery { get; init; } = 1000;

    /// <summary>Bytes of raw objects after which a build is due.</summary>
    public long BuildBytes { get; init; } = 64L << 20;

    /// <summary>How long records wait at most to become a part, and parts to become blocks and log files: <c>blocks_every_seconds</c>.</summary>
    public TimeSpan FilesAfter { get; init; } = TimeSpan.FromHours(2);

    /// <summary>How long a part stays, after its newest record came, beside the blocks and log files that hold the same.</summary>
    public TimeSpan PartsFor { get; init; } = TimeSpan.FromDays(1);

    /// <summary>How old a snapshot is before what lies below it goes.</summary>
    public TimeSpan CleanAfter { get; init; } = TimeSpan.FromDays(2);

    /// <summary>How long a log is quiet before it is looked whether it was cleaned away behind our back: whether an answer is right does not depend on it.</summary>
    public TimeSpan FreshFor { get; init; } = TimeSpan.FromHours(1);

    /// <summary>How long a commit is tried at number after number: agents wait for it.</summary>
    public TimeSpan CommitFor { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Rounds of put and look at one number before a commit is given up.</summary>
    public int TriesMax { get; init; } = 4;

    /// <summary>The wait after the first failure.</summary>
    public TimeSpan RetryFirst { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>The longest wait.</summary>
    public TimeSpan RetryMax { get; init; } = TimeSpan.FromSeconds(2);
}
