using Lm.Collector.Landing;
using Lm.ObjectStore;
using Lm.Platform;

namespace Lm.Collector.SharedLog;

/// <summary>Puts what many commits hold together into one object, writes snapshots, and deletes what both have made superfluous.</summary>
/// <remarks>
/// Any member may do it, and whoever built last does it first: the others wait until it is late. That saves work and nothing else: a build that does not begin where the log says is void.
/// Nothing is deleted but what the snapshot of two days ago covers.
/// Plans and commits are the member's caller's; what is between may run beside it, one at a time.
/// </remarks>
/// <param name="member">The member.</param>
/// <param name="parts">What it works with.</param>
internal sealed class LogBuilder(LogMember member, LogBuilderParts parts)
{
    /// <summary>The most bytes of records of one object: it is made in memory.</summary>
    public const long PartSizeMax = 64L << 20;

    // Commits and raw objects that are read at a time: they are in memory.
    private const int ReadAtOnce = 8;

    // Bytes of raw objects that are read at a time.
    private const long RawAtOnceMax = 32L << 20;

    private const int CleanedAtOnceMax = 10_000;

    // Who did not build last waits for a fifth more.
    private const int PatienceDivisor = 5;

    private readonly Patience building = new(parts.Time);
    private long publishedKnown; // to a snapshot, as far as is known; as the next
    private long lastSnapshot; // as far as is known; touched by one plan and its writing at a time

    // Nobody's is anybody's.
    private bool IsOurs => Fold.Builder.Length == 0 || Fold.Builder == parts.Writer;

    private LogFold Fold => member.Fold;

    private LogObjects Objects => parts.Objects;

    /// <summary>Builds and writes a snapshot, where they are due: all that follows, one after the other.</summary>
    /// <returns>Whether something was done.</returns>
    /// <exception cref="IOException">The store failed; what is half done is done again.</exception>
    public async Task<bool> RunAsync(CancellationToken cancellationToken)
    {
        var hasBuilt = PlanBuild() is { } plan && await CommitAsync(await GatherAsync(plan, cancellationToken), cancellationToken);
        return (PlanSnapshot() is { } snapshot && await WriteAsync(snapshot, cancellationToken)) || hasBuilt;
    }

    /// <summary>What is to be put together now.</summary>
    /// <returns>Null when nothing is due, or another member does it.</returns>
    public BuildPlan? PlanBuild()
    {
        var patience = IsOurs ? 0 : 1;
        var waiting = Fold.Last - Fold.Covered;
        var waited = building.Waited(Fold.OpenBytes > 0 ? Fold.Covered : null);
        return waiting >= parts.Options.SnapshotEvery + (patience * (parts.Options.SnapshotEvery / PatienceDivisor))
            || Fold.OpenBytes >= parts.Options.BuildBytes + (patience * (parts.Options.BuildBytes / PatienceDivisor))
            || (Fold.OpenBytes > 0 && waited >= parts.Options.FilesAfter + (patience * (parts.Options.FilesAfter / PatienceDivisor)))
            ? new BuildPlan(Fold.Covered + 1, Fold.Last, Fold.Hidden.ToHashSet(), [.. Fold.Parts], Fold.Published)
            : null;
    }

    /// <summary>Makes and verifies the object of a plan. Beside everything else: it asks the store alone.</summary>
    /// <exception cref="IOException">The store failed.</exception>
    public async Task<BuildCommit> GatherAsync(BuildPlan plan, CancellationToken cancellationToken)
    {
        var id = Guid.NewGuid();
        var bundle = new RawBundle(parts.Writer, id);
        var covers = plan.From - 1;
        while (covers < plan.End && bundle.SizeBytes < PartSizeMax && bundle.Count < RawGroup.RecordsMax - (ReadAtOnce * DataCommit.EntriesMax))
        {
            var next = covers + 1;
            var commits = await Task.WhenAll(Enumerable.Range(0, (int)Math.Min(ReadAtOnce, plan.End - covers)).Select(ahead => ReadCommitAsync(next + ahead, cancellationToken)));
            var (count, size) = AtOnce(commits);
            if (bundle.Count > 0 && bundle.SizeBytes + size > PartSizeMax)
            {
                break; // the next build has them
            }

            foreach (var (data, bytes) in await Task.WhenAll(commits.Take(count).Select(commit => ReadRawAsync(commit, cancellationToken))))
            {
                covers++;
                Gather(bundle, covers, data, bytes, plan.Hidden);
            }
        }

        var proven = parts.Proven();
        LogPart[] adds = bundle.Count > 0 ? [await PutAsync(bundle, plan.From, covers, id, cancellationToken)] : [];
        string[] removes = [.. plan.Parts.Where(part => IsNeedless(part, plan.Published, proven)).Select(static part => part.Object.Key)];
        return new BuildCommit(parts.Writer, Guid.NewGuid(), UnixMillis.Now(parts.Time), plan.From, covers, adds, removes, proven.Add(-parts.QueueMemory()));
    }

    /// <summary>Commits what was gathered.</summary>
    /// <returns>Whether it counts; where it does not, another one was first, and its object goes.</returns>
    /// <exception cref="IOException">Whether it is committed is not known.</exception>
    public async Task<bool> CommitAsync(BuildCommit build, CancellationToken cancellationToken)
    {
        var counts = await member.CommitAsync(build, cancellationToken);
        foreach (var part in counts ? [] : build.Adds)
        {
            await Objects.Store.DeleteAsync(part.Object.Key, cancellationToken);
        }

        return counts;
    }

    /// <summary>What is to be written now, so that whoever is behind need not read it all.</summary>
    /// <returns>Null when nothing is due, or another member does it.</returns>
    public SnapshotPlan? PlanSnapshot()
    {
        var due = Math.Max(lastSnapshot, 0) + parts.Options.SnapshotEvery + (IsOurs ? 0 : parts.Options.SnapshotEvery / PatienceDivisor);
        var at = parts.Dated();
        var isNews = IsOurs && Fold.Published > publishedKnown; // who begins on an empty disk need not read what is published, once a snapshot says so
        return Fold.Last >= due || isNews ? new SnapshotPlan(Fold.Last, at, Fold.ToSnapshot(at), isNews ? Fold.Published : 0) : null;
    }

    /// <summary>Writes a snapshot, unless another member has. Beside everything else: it asks the store alone.</summary>
    /// <returns>Whether it was written.</returns>
    /// <exception cref="IOException">The store failed.</exception>
    public async Task<bool> WriteAsync(SnapshotPlan plan, CancellationToken cancellationToken)
    {
        var known = await Objects.SnapshotsAsync(Math.Max(lastSnapshot, 0), cancellationToken);
        lastSnapshot = known.Count > 0 ? known[^1].Number : lastSnapshot;
        if (plan.Number < lastSnapshot + parts.Options.SnapshotEvery && plan.Published == 0)
        {
            return false;
        }

        if (plan.Bytes.Length > LogSnapshot.SizeMax)
        {
            throw new IOException($"a snapshot of commit {plan.Number} has {plan.Bytes.Length} bytes, more than the {LogSnapshot.SizeMax} that are read: there are too many queues, and commits are not deleted any more");
        }

        await Objects.Store.PutAsync(Objects.Keys.LogSnapshot(plan.Number, plan.At.Value), ObjectContent.Of(plan.Bytes), PutCondition.IfAbsent, cancellationToken);
        (lastSnapshot, publishedKnown) = (plan.Number, Math.Max(publishedKnown, plan.Published));
        return true;
    }

    /// <summary>What may be deleted now, as far as the log says.</summary>
    public CleaningPlan PlanCleaning() => new(Fold.Covered, [.. Fold.Parts]);

    /// <summary>Deletes what is not needed any more. Beside everything else: it asks the store alone.</summary>
    /// <returns>How many commits were deleted.</returns>
    /// <exception cref="IOException">The store failed; the rest goes the next time.</exception>
    public async Task<int> CleanAsync(CleaningPlan plan, CancellationToken cancellationToken)
    {
        var snapshots = await Objects.SnapshotsAsync(0, cancellationToken);
        var old = parts.Proven().Add(-parts.Options.CleanAfter);
        var at = snapshots.Count - 1;
        while (at >= 0 && snapshots[at].At > old)
        {
            at--;
        }

        if (at < 0 || await Objects.ReadSnapshotAsync(snapshots[at], parts.SnapshotDamaged, cancellationToken) is not { } kept)
        {
            return 0;
        }

        var cleaned = await CleanCommitsAsync(Math.Min(kept.Covered, plan.Covered), plan, cancellationToken);
        foreach (var older in snapshots.Take(at))
        {
            await Objects.Store.DeleteAsync(older.Key, cancellationToken);
        }

        return cleaned;
    }

    // Blocks and log files that hold the same are where readers find them, read back there: the log says so. A day later (L29): who is behind reads parts meanwhile.
    private bool IsNeedless(LogPart part, long published, UnixMillis proven) => part.Last <= published && part.Newest < proven.Add(-parts.Options.PartsFor);

    // How many of them have raw objects that may be in memory together: one in any case.
    private static (int Count, long SizeBytes) AtOnce(Commit[] commits)
    {
        var (count, size) = (0, 0L);
        foreach (var commit in commits)
        {
            var more = commit is DataCommit data ? data.Raw.SizeBytes : 0;
            if (count > 0 && size + more > RawAtOnceMax)
            {
                break;
            }

            (count, size) = (count + 1, size + more);
        }

        return (count, size);
    }

    private async Task<Commit> ReadCommitAsync(long number, CancellationToken cancellationToken) =>
        await Objects.ReadCommitAsync(number, cancellationToken) ?? throw Missing(Objects.Keys.Commit(number));

    private async Task<(DataCommit? Data, byte[] Bytes)> ReadRawAsync(Commit commit, CancellationToken cancellationToken)
    {
        if (commit is not DataCommit data)
        {
            return (null, []);
        }

        var bytes = new byte[data.Raw.SizeBytes];
        return await Objects.Store.ReadAsync(data.Raw.Key, 0, bytes, cancellationToken) is { } range && range.Count == bytes.Length ? (data, bytes) : throw Missing(data.Raw.Key);
    }

    private void Gather(RawBundle bundle, long number, DataCommit? data, byte[] bytes, IReadOnlySet<(long Number, int Index)> hidden)
    {
        for (var i = 0; data is not null && i < data.Entries.Count; i++)
        {
            var entry = data.Entries[i];
            var record = bytes.AsSpan((int)entry.Offset, entry.Size);
            if (hidden.Contains((number, i)))
            {
                continue;
            }

            if (Crc32C.Compute(record) != entry.Checksum)
            {
                throw new ObjectStoreException(ObjectStoreFault.Damaged, $"{data.Raw.Key} in {Objects.Store.Description} is not what commit {number} says at byte {entry.Offset}", cause: null);
            }

            bundle.Add(RawBundle.PlaceOf(number, i), entry.Kind, record, default, entry.ReceivedAt, entry.Frame?.Key);
        }
    }

    private async Task<LogPart> PutAsync(RawBundle bundle, long from, long covers, Guid id, CancellationToken cancellationToken)
    {
        var (bytes, hash) = bundle.Finish();
        var key = Objects.Keys.SharedPart(from, covers, id);
        await Objects.Store.PutAsync(key, ObjectContent.Of(bytes), PutCondition.None, cancellationToken);
        if (await RawObjectReader.VerifyAsync(Objects.Store, key, bytes.Length, Convert.FromHexString(hash), cancellationToken) is { } fault)
        {
            await Objects.Store.DeleteAsync(key, cancellationToken);
            throw new ObjectStoreException(ObjectStoreFault.Damaged, $"{key} in {Objects.Store.Description} was not as it was put: {fault}", cause: null);
        }

        return new LogPart(new StoredObject(key, bytes.Length, hash), from, covers, bundle.Newest);
    }

    // Upwards: as long as a commit is there, so are all behind it.
    private async Task<int> CleanCommitsAsync(long upTo, CleaningPlan plan, CancellationToken cancellationToken)
    {
        var cleaned = 0;
        var after = "";
        for (var hasMore = true; hasMore;)
        {
            var page = await Objects.Store.ListAsync(Objects.Keys.CommitsFolder, after, ObjectPage.SizeMax, cancellationToken);
            foreach (var each in page.Objects)
            {
                after = each.Key;
                if (!Objects.Keys.TryReadCommit(each.Key, out var number))
                {
                    continue;
                }

                if (number > upTo || cleaned == CleanedAtOnceMax)
                {
                    return cleaned;
                }

                await CleanCommitAsync(number, each.Key, plan, cancellationToken);
                cleaned++;
            }

            hasMore = page.HasMore;
        }

        return cleaned;
    }

    private async Task CleanCommitAsync(long number, string key, CleaningPlan plan, CancellationToken cancellationToken)
    {
        var doomed = await Objects.ReadCommitAsync(number, cancellationToken) switch
        {
            DataCommit data => [data.Raw.Key],
            BuildCommit build => build.Removes.Where(removed => plan.Parts.All(part => part.Object.Key != removed)), // one that was void removed nothing
            _ => (IEnumerable<string>)[],
        };
        foreach (var each in doomed)
        {
            await Objects.Store.DeleteAsync(each, cancellationToken);
        }

        await Objects.Store.DeleteAsync(key, cancellationToken);
    }

    private LogObjectMissingException Missing(string key) => new($"{key} in {Objects.Store.Description} is not there any more");
}

/// <summary>What a builder works with.</summary>
/// <param name="Objects">The log's objects.</param>
/// <param name="Writer">The collector's name.</param>
/// <param name="Time">The clock.</param>
/// <param name="Options">Times and numbers.</param>
/// <param name="Proven">The time by which what is old may be deleted and forgotten.</param>
/// <param name="Dated">The time by which what stays for a while from now on is dated.</param>
/// <param name="QueueMemory">How long sequences of a silent queue are remembered (D4).</param>
internal sealed record LogBuilderParts(
    LogObjects Objects, string Writer, TimeProvider Time, LogOptions Options, Func<UnixMillis> Proven, Func<UnixMillis> Dated, Func<TimeSpan> QueueMemory)
{
    /// <summary>Hears of a snapshot that is damaged: its key, and why.</summary>
    public Action<string, string> SnapshotDamaged { get; init; } = static (_, _) => { };
}

/// <summary>Commits that are to be put together.</summary>
/// <param name="From">The first.</param>
/// <param name="End">The last, at most.</param>
/// <param name="Hidden">Entries that are not visible.</param>
/// <param name="Parts">The objects of earlier builds.</param>
/// <param name="Published">The records of commits up to this one are in blocks and log files.</param>
internal sealed record BuildPlan(long From, long End, IReadOnlySet<(long Number, int Index)> Hidden, IReadOnlyList<LogPart> Parts, long Published);

/// <summary>A snapshot that is to be written.</summary>
/// <param name="Number">The last commit in it.</param>
/// <param name="At">The clock.</param>
/// <param name="Bytes">Its bytes.</param>
/// <param name="Published">What is published, where no snapshot is known to say so; else 0.</param>
internal sealed record SnapshotPlan(long Number, UnixMillis At, ReadOnlyMemory<byte> Bytes, long Published);

/// <summary>What the log says of what may go.</summary>
/// <param name="Covered">Commits up to this one are in parts.</param>
/// <param name="Parts">The parts.</param>
internal sealed record CleaningPlan(long Covered, IReadOnlyList<LogPart> Parts);
