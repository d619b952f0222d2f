using System.Buffers;
using System.Security.Cryptography;
using Lm.Collector.Landing;
using Lm.ObjectStore;
using Lm.Platform;

namespace Lm.Collector.SharedLog;

/// <summary>Brings blocks and log files into the store: made of parts, staged, committed, published.</summary>
/// <remarks>
/// Invariants:
/// a file lies where readers look for it only when a commit that counts names its set: until then it is staged, under a key of this try alone;
/// sets follow each other without gap or overlap, so each record is in one of them at most, whoever made it;
/// what is staged under a first commit that is in files already can never count any more, and goes: but for what counts and is not published yet;
/// whoever publishes puts the same bytes, checked against the manifest, and never replaces what is right: two may do it at once, and one that dies is followed by another.
/// Any member may do it, and whoever built last does it first. Plans and commits are the member's caller's; what is between may run beside it, one at a time.
/// </remarks>
/// <param name="member">The member.</param>
/// <param name="parts">What it works with.</param>
/// <param name="files">Makes the files.</param>
internal sealed class FileBuilder(LogMember member, LogBuilderParts parts, IFileMaker files)
{
    /// <summary>The most bytes of records of which files are made at once, or one part that has more: they are in memory, uncompressed, as series and lines.</summary>
    public const long RecordsMax = 64L << 20;

    private const string ManifestName = "manifest.json";
    private const int CopySize = 4 << 20;

    // Who did not build last waits this long for who did to publish, or FilesAfter where that is less.
    private static readonly TimeSpan PublishPatienceMax = TimeSpan.FromMinutes(2);

    private readonly Patience filing = new(parts.Time);
    private readonly Patience publishing = new(parts.Time);

    private bool IsOurs => Fold.Builder.Length == 0 || Fold.Builder == parts.Writer;

    private LogFold Fold => member.Fold;

    private IObjectStore Store => parts.Objects.Store;

    private ObjectKeys Keys => parts.Objects.Keys;

    /// <summary>All that is due, one after the other.</summary>
    /// <returns>Whether something was done.</returns>
    /// <exception cref="IOException">The store or the disk failed; what is half done is done again.</exception>
    public async Task<bool> RunAsync(CancellationToken cancellationToken)
    {
        var hasMade = PlanFiles() is { } plan && await member.CommitAsync(await MakeAsync(plan, cancellationToken), cancellationToken);
        if (PlanPublishing() is not { } pending)
        {
            return hasMade;
        }

        var published = await PublishAsync(pending, cancellationToken);
        return await member.CommitAsync(published, cancellationToken);
    }

    /// <summary>What files are to be made of now.</summary>
    /// <returns>Null when nothing is due, or another member does it, or the set before is not where readers find it.</returns>
    public FilesPlan? PlanFiles()
    {
        var waits = Fold.Covered > Fold.Filed && Fold.Pending is null;
        var waited = filing.Waited(waits ? Fold.Filed : null);
        if (!waits)
        {
            return null;
        }

        LogPart[] open = [.. Fold.Parts.Where(part => part.Last > Fold.Filed)];
        var patience = IsOurs ? 1 : 1.2;
        if (open.Length == 0 || (waited < parts.Options.FilesAfter * patience && open.Sum(static part => part.Object.SizeBytes) < RecordsMax * patience))
        {
            return null;
        }

        var (count, size) = (0, 0L);
        while (count < open.Length && (count == 0 || size + open[count].Object.SizeBytes <= RecordsMax))
        {
            size += open[count++].Object.SizeBytes;
        }

        return new FilesPlan(Fold.Filed + 1, count == open.Length ? Fold.Covered : open[count - 1].Last, open[..count]);
    }

    /// <summary>Makes the files of a plan and stages them. Beside everything else: it asks the store alone.</summary>
    /// <exception cref="IOException">Store or disk failed, or a part cannot be read: then no files are made until it can, and it stays.</exception>
    public async Task<FilesCommit> MakeAsync(FilesPlan plan, CancellationToken cancellationToken)
    {
        var folder = Keys.SharedStaged(plan.From, plan.Covers, Guid.NewGuid());
        using var made = await files.MakeAsync(plan, cancellationToken);
        var staged = new List<SetFile>();
        foreach (var (path, content) in made.Files)
        {
            var hash = HashOf(content);
            await PutAsync(folder + path, content, hash, cancellationToken);
            staged.Add(new SetFile(path, content.Length, hash));
        }

        var manifest = ObjectContent.Of(new FileSet(plan.From, plan.Covers, made.Newest, staged).ToBytes());
        var stored = new StoredObject(folder + ManifestName, manifest.Length, HashOf(manifest));
        await PutAsync(stored.Key, manifest, stored.Hash, cancellationToken);
        return new FilesCommit(parts.Writer, Guid.NewGuid(), UnixMillis.Now(parts.Time), plan.From, plan.Covers, stored);
    }

    /// <summary>What is to be brought to where readers find it.</summary>
    /// <returns>Null when nothing is, or another member does it.</returns>
    public PendingFiles? PlanPublishing()
    {
        var waited = publishing.Waited(Fold.Pending?.Covers);
        return Fold.Pending is { } pending && (IsOurs || waited >= PublishPatienceMax || waited >= parts.Options.FilesAfter) ? pending : null;
    }

    /// <summary>Brings staged files to where readers find them. Beside everything else: it asks the store alone.</summary>
    /// <returns>What is to be committed now.</returns>
    /// <exception cref="IOException">The store failed, or another member was faster and cleaned up: then the log says so.</exception>
    public async Task<PublishedCommit> PublishAsync(PendingFiles pending, CancellationToken cancellationToken)
    {
        var (set, bytes) = await ReadManifestAsync(pending, cancellationToken);
        var folder = FolderOf(pending);
        foreach (var file in set.Files)
        {
            // Still there? Else it was published while this machine slept, and may have been replaced or deleted since.
            _ = await Store.FindAsync(pending.Manifest.Key, cancellationToken) ?? throw Missing(pending.Manifest.Key);
            using var copy = await files.HoldAsync(file.SizeBytes, (into, token) => FetchAsync(folder + file.Path, file, into, token), cancellationToken);
            await PutAsync(Keys.Below(file.Path), copy.Content, file.Hash, cancellationToken);
        }

        await PutAsync(Keys.SharedFiles(set.From, set.Covers, set.Newest.Value), ObjectContent.Of(bytes), pending.Manifest.Hash, cancellationToken);
        return new PublishedCommit(parts.Writer, Guid.NewGuid(), UnixMillis.Now(parts.Time), pending.Covers);
    }

    /// <summary>What of staged files may go.</summary>
    public StagedPlan PlanCleaning() => new(Fold.Filed, Fold.Pending is { } pending ? FolderOf(pending) : null);

    /// <summary>Deletes staged files that were published, and those that can never count. Beside everything else: it asks the store alone.</summary>
    /// <exception cref="IOException">The store failed; the rest goes the next time.</exception>
    public async Task CleanAsync(StagedPlan plan, CancellationToken cancellationToken)
    {
        var doomed = new List<string>();
        await foreach (var key in StoreLists.KeysAsync(Store, Keys.SharedStagedFolder, cancellationToken))
        {
            if (Keys.TryReadSharedStaged(key, out var from, out var folder) && from <= plan.Filed && folder != plan.Kept)
            {
                doomed.Add(key);
            }
        }

        // Manifests first: who publishes what was published looks for them.
        foreach (var key in doomed.OrderBy(static key => !key.EndsWith("/" + ManifestName, StringComparison.Ordinal)))
        {
            await Store.DeleteAsync(key, cancellationToken);
        }
    }

    /// <summary>Reads the manifest of files that wait.</summary>
    /// <exception cref="IOException">It is not there, or not what the log says.</exception>
    public async Task<(FileSet Set, byte[] Bytes)> ReadManifestAsync(PendingFiles pending, CancellationToken cancellationToken)
    {
        if (await StoreLists.ReadWholeAsync(Store, pending.Manifest.Key, FileSet.SizeMax, cancellationToken) is not { } found)
        {
            throw Missing(pending.Manifest.Key);
        }

        FileSet? set = null;
        var fault = found.Bytes is null || found.SizeBytes != pending.Manifest.SizeBytes ? $"it has {found.SizeBytes} bytes, the log says {pending.Manifest.SizeBytes}"
            : Convert.ToHexStringLower(SHA256.HashData(found.Bytes)) != pending.Manifest.Hash ? "its SHA-256 is not what the log says"
            : FileSet.TryRead(found.Bytes, out set);
        return fault is null ? (set!, found.Bytes!) : throw Damaged(pending.Manifest.Key, fault);
    }

    private static string FolderOf(PendingFiles pending) => pending.Manifest.Key[..^ManifestName.Length];

    private static string HashOf(ObjectContent content)
    {
        using var computing = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = ArrayPool<byte>.Shared.Rent((int)Math.Clamp(content.Length, 1, CopySize));
        try
        {
            for (var at = 0L; at < content.Length;)
            {
                var count = content.Read(at, buffer);
                computing.AppendData(buffer.AsSpan(0, count));
                at += count;
            }

            return Convert.ToHexStringLower(computing.GetHashAndReset());
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    // Where something else stands there, as from a put that was cut, it is replaced by what is right; and never deleted: another one may have put it right meanwhile.
    private async Task PutAsync(string key, ObjectContent content, string hash, CancellationToken cancellationToken)
    {
        await Store.PutAsync(key, content, PutCondition.IfAbsent, cancellationToken);
        if (await FaultOfAsync(key, content.Length, hash, cancellationToken) is null)
        {
            return;
        }

        await Store.PutAsync(key, content, PutCondition.None, cancellationToken);
        if (await FaultOfAsync(key, content.Length, hash, cancellationToken) is { } fault)
        {
            throw Damaged(key, fault);
        }
    }

    private async Task<string?> FaultOfAsync(string key, long size, string hash, CancellationToken cancellationToken)
    {
        using var computing = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        return await EachPieceAsync(key, size, computing.AppendData, cancellationToken)
            ?? (Convert.ToHexStringLower(computing.GetHashAndReset()) == hash ? null : "its SHA-256 is another one");
    }

    private async Task FetchAsync(string key, SetFile file, Action<ReadOnlySpan<byte>> into, CancellationToken cancellationToken)
    {
        using var computing = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var fault = await EachPieceAsync(
            key, file.SizeBytes,
            piece =>
            {
                computing.AppendData(piece);
                into(piece);
            },
            cancellationToken);
        fault ??= Convert.ToHexStringLower(computing.GetHashAndReset()) == file.Hash ? null : "its SHA-256 is not what its manifest says";
        if (fault is not null)
        {
            throw Damaged(key, fault);
        }
    }

    private async Task<string?> EachPieceAsync(string key, long size, Action<ReadOnlySpan<byte>> take, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent((int)Math.Clamp(size, 1, CopySize));
        try
        {
            var at = 0L;
            do
            {
                var wanted = (int)Math.Min(buffer.Length, size - at);
                if (await Store.ReadAsync(key, at, buffer.AsMemory(0, wanted), cancellationToken) is not { } range)
                {
                    return "it is not there";
                }

                if (range != new ObjectRange(wanted, size))
                {
                    return $"it has {range.ObjectSize} bytes, {size} are expected";
                }

                take(buffer.AsSpan(0, wanted));
                at += wanted;
            }
            while (at < size);
            return null;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private LogObjectMissingException Missing(string key) => new($"{key} in {Store.Description} is not there any more");

    private ObjectStoreException Damaged(string key, string fault) => new(ObjectStoreFault.Damaged, $"{key} in {Store.Description} is not what it should be: {fault}", cause: null);
}

/// <summary>Commits whose records become blocks and log files together.</summary>
/// <param name="From">The first.</param>
/// <param name="Covers">The last.</param>
/// <param name="Parts">The objects that hold their records, in order.</param>
internal sealed record FilesPlan(long From, long Covers, IReadOnlyList<LogPart> Parts);

/// <summary>What the log says of what may go of staged files.</summary>
/// <param name="Filed">Sets that begin with this commit or before can count no more.</param>
/// <param name="Kept">What the keys begin with of the one that counts and is not published; null when there is none.</param>
internal sealed record StagedPlan(long Filed, string? Kept);
