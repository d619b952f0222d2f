using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using Lm.Collector.Landing;
using Lm.Collector.SharedLog;
using Lm.ObjectStore;
using Lm.Platform;

namespace Lm.Collector.Verify;

/// <summary>Checks the log that collectors share: commits in a row and each once, snapshots that are what the commits give, and every object that they name, with its size and SHA-256.</summary>
/// <param name="objects">The log's objects.</param>
/// <param name="files">Keys of blocks and log files.</param>
/// <param name="merged">Blocks whose samples are in merged ones: they may be gone.</param>
/// <param name="mayBeGone">Sets of files none of which is newer may have lost some to <c>retention_days</c>.</param>
/// <param name="compactsElsewhere">Whether others merge and delete blocks there.</param>
/// <param name="report">Takes what it finds.</param>
internal sealed class SharedLogVerifier(LogObjects objects, IReadOnlyList<string> files, IReadOnlySet<Ulid> merged, UnixMillis mayBeGone, bool compactsElsewhere, VerifyReport report)
{
    private const int ReadSize = 4 << 20;
    private const string NotThere = "it is not there";

    private readonly HashSet<Guid> nonces = [];
    private readonly HashSet<string> named = new(StringComparer.Ordinal); // of blocks and log files, by sets

    private IObjectStore Store => objects.Store;

    private ObjectKeys Keys => objects.Keys;

    /// <summary>Checks all. Nothing is said where there is no such log.</summary>
    /// <exception cref="ObjectStoreException">The store cannot be asked.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var numbers = new List<long>();
        await foreach (var key in StoreLists.KeysAsync(Store, Keys.CommitsFolder, cancellationToken))
        {
            if (Keys.TryReadCommit(key, out var number))
            {
                numbers.Add(number);
            }
        }

        var snapshots = await SnapshotsAsync(cancellationToken);
        if (numbers.Count == 0 && snapshots.Count == 0)
        {
            return;
        }

        var fold = await FoldAsync(numbers, snapshots, cancellationToken);
        if (fold is null)
        {
            return;
        }

        await CheckPartsAsync(fold, cancellationToken);
        await CheckSetsAsync(fold, cancellationToken);
        await CheckPendingAsync(fold, cancellationToken);
        report.Tell(string.Create(
            CultureInfo.InvariantCulture,
            $"shared log: {numbers.Count} commits up to {fold.Last}, {snapshots.Count} snapshots; up to {fold.Covered} in {fold.Parts.Count} parts, up to {fold.Filed} in blocks and log files, up to {fold.Published} published"));
    }

    private async Task<SortedDictionary<long, (LogFold Fold, byte[] Bytes, string Key, UnixMillis At)>> SnapshotsAsync(CancellationToken cancellationToken)
    {
        var found = new SortedDictionary<long, (LogFold, byte[], string, UnixMillis)>();
        foreach (var place in await objects.SnapshotsAsync(0, cancellationToken))
        {
            if (await StoreLists.ReadWholeAsync(Store, place.Key, LogSnapshot.SizeMax, cancellationToken) is not { } read)
            {
                continue; // cleaned meanwhile
            }

            LogFold? fold = null;
            var at = default(UnixMillis);
            var fault = read.Bytes is { } bytes ? LogFold.TryRestore(bytes, out fold, out at) : $"it has {read.SizeBytes} bytes; at most {LogSnapshot.SizeMax} are read";
            fault ??= fold!.Last == place.Number ? null : $"it ends with commit {fold.Last}";
            if (fault is null)
            {
                found[place.Number] = (fold!, read.Bytes!, place.Key, at);
            }
            else
            {
                report.Fault(place.Key, fault);
            }

            report.Read(read.SizeBytes);
        }

        return found;
    }

    // From the first of the last run of numbers, or the snapshot that reaches it.
    private async Task<LogFold?> FoldAsync(
        List<long> numbers, SortedDictionary<long, (LogFold Fold, byte[] Bytes, string Key, UnixMillis At)> snapshots, CancellationToken cancellationToken)
    {
        var first = numbers.Count;
        while (first > 0 && (first == numbers.Count || numbers[first - 1] == numbers[first] - 1))
        {
            first--;
        }

        var start = numbers.Count == 0 ? long.MaxValue : numbers[first];
        var covered = snapshots.Count > 0 ? snapshots.Last().Value.Fold.Covered : 0;
        foreach (var stray in numbers.Take(first))
        {
            if (stray <= covered)
            {
                report.Note($"{Keys.Commit(stray)} stands alone below what was cleaned: it counts for nothing, and goes");
            }
            else
            {
                report.Fault(Keys.Commit(stray), "a number behind it is missing, and no snapshot says what it was");
            }
        }

        var fold = start == 1 ? new LogFold() : snapshots.Values.Select(static each => each.Fold).FirstOrDefault(each => each.Last >= start - 1 || numbers.Count == 0);
        if (fold is null)
        {
            report.Fault(Keys.Commit(start), $"it is the first of the log, and no snapshot tells of the {start - 1} before it");
            return null;
        }

        // Of commits that are in parts the raw objects may be gone.
        var inParts = Math.Max(covered, fold.Covered);
        foreach (var number in numbers.Skip(first).Where(number => number > fold.Last).ToArray())
        {
            if (await ReadAsync(number, cancellationToken) is not { } commit)
            {
                return null;
            }

            if (commit is DataCommit data && number > inParts)
            {
                await CheckRawAsync(data.Raw, $"commit {number}", cancellationToken);
            }

            if (!nonces.Add(commit.Nonce))
            {
                report.Fault(Keys.Commit(number), $"its nonce {commit.Nonce:N} is that of another commit, too");
            }

            fold.Apply(commit);
            if (snapshots.TryGetValue(fold.Last, out var snapshot) && !fold.ToSnapshot(snapshot.At).AsSpan().SequenceEqual(snapshot.Bytes))
            {
                report.Fault(snapshot.Key, "it is not what the commits before it give");
            }
        }

        if (snapshots.Count > 0 && snapshots.Keys.Last() > fold.Last)
        {
            report.Fault(snapshots.Values.Last().Key, $"it is of commit {snapshots.Keys.Last()}, and the log ends with {fold.Last}");
        }

        return fold;
    }

    private async Task<Commit?> ReadAsync(long number, CancellationToken cancellationToken)
    {
        try
        {
            var commit = await objects.ReadCommitAsync(number, cancellationToken);
            if (commit is null)
            {
                report.Fault(Keys.Commit(number), "it was there and is not any more; nothing behind it is checked");
            }

            report.Read(0);
            return commit;
        }
        catch (LogHaltException e)
        {
            report.Fault(Keys.Commit(number), e.Message + "; nothing behind it is checked");
            return null;
        }
    }

    private async Task CheckRawAsync(StoredObject stored, string namedBy, CancellationToken cancellationToken)
    {
        if (await RawObjectReader.VerifyAsync(Store, stored.Key, stored.SizeBytes, Convert.FromHexString(stored.Hash), cancellationToken) is { } fault)
        {
            report.Fault(stored.Key, $"{fault}; {namedBy} names it");
        }

        report.Read(stored.SizeBytes);
    }

    private async Task CheckPartsAsync(LogFold fold, CancellationToken cancellationToken)
    {
        var before = 0L;
        foreach (var part in fold.Parts)
        {
            if (part.First <= before || part.Last < part.First)
            {
                report.Fault(part.Object.Key, $"it holds commits {part.First} to {part.Last}, and the part before it ends with {before}");
            }

            before = part.Last;
            await CheckRawAsync(part.Object, $"a build of commits {part.First} to {part.Last}", cancellationToken);
        }
    }

    private async Task CheckSetsAsync(LogFold fold, CancellationToken cancellationToken)
    {
        var (last, count) = (0L, 0);
        await foreach (var key in StoreLists.KeysAsync(Store, Keys.SharedFilesFolder, cancellationToken))
        {
            var (set, fault) = await FileSets.ReadAsync(Store, key, cancellationToken);
            if (!Keys.TryReadSharedFiles(key, out var from, out var covers, out _) || set is null || (set.From, set.Covers) != (from, covers))
            {
                report.Fault(key, fault ?? "it is not what its name says");
                continue;
            }

            if (from > fold.Published)
            {
                continue; // that is the one that waits, or came while this was read
            }

            if (count > 0 && from != last + 1)
            {
                report.Fault(key, $"it begins with commit {from}, and the set before it ends with {last}");
            }

            (last, count) = (covers, count + 1);
            foreach (var file in set.Files)
            {
                await CheckFileAsync(key, set, file, cancellationToken);
            }
        }

        if (last < fold.Published)
        {
            report.Fault(Keys.SharedFilesFolder, $"its last set ends with commit {last}, and the log says that all up to {fold.Published} are published");
        }

        var strays = files.Where(key => !named.Contains(key)).ToArray();
        if (strays.Length > 0)
        {
            report.Note($"{strays.Length} objects of blocks and log files are named by no set, as {strays[0]}: marks, of who compacts, of a set that is being published, or of one that is too old");
        }

        report.Tell($"sets of blocks and log files: {count}, with {named.Count} files");
    }

    private async Task CheckFileAsync(string setKey, FileSet set, SetFile file, CancellationToken cancellationToken)
    {
        var key = Keys.Below(file.Path);
        if (!named.Add(key))
        {
            report.Fault(key, $"two sets name it, the second is {setKey}");
        }

        var isAllowedToGo = set.Newest < mayBeGone
            || (Keys.TryReadBlock(key, out var name, out _) && (compactsElsewhere || (Ulid.TryParse(name, out var block) && merged.Contains(block))));
        if (await FaultOfAsync(key, file, cancellationToken) is { } fault && !(isAllowedToGo && fault == NotThere))
        {
            report.Fault(key, $"{fault}; {setKey} names it");
        }
    }

    private async Task CheckPendingAsync(LogFold fold, CancellationToken cancellationToken)
    {
        if (fold.Pending is not { } pending)
        {
            return;
        }

        var found = await StoreLists.ReadWholeAsync(Store, pending.Manifest.Key, FileSet.SizeMax, cancellationToken);
        if (found?.Bytes is not { } bytes || Convert.ToHexStringLower(SHA256.HashData(bytes)) != pending.Manifest.Hash || FileSet.TryRead(bytes, out var set) is not null)
        {
            if (await Store.FindAsync(pending.Manifest.Key, cancellationToken) is null && await IsPublishedAsync(pending, cancellationToken))
            {
                return; // while this was read
            }

            report.Fault(pending.Manifest.Key, $"it is not there, or not what the log says of the blocks and log files of commits {pending.From} to {pending.Covers}, which wait to be published");
            return;
        }

        var folder = pending.Manifest.Key[..(pending.Manifest.Key.LastIndexOf('/') + 1)];
        foreach (var file in set!.Files)
        {
            if (await FaultOfAsync(folder + file.Path, file, cancellationToken) is { } fault && !await IsPublishedAsync(pending, cancellationToken))
            {
                report.Fault(folder + file.Path, fault);
            }
        }

        report.Note($"blocks and log files of commits {pending.From} to {pending.Covers} wait to be published");
    }

    private async Task<bool> IsPublishedAsync(PendingFiles pending, CancellationToken cancellationToken)
    {
        await foreach (var key in StoreLists.KeysAsync(Store, Keys.SharedFilesFolder, cancellationToken))
        {
            if (Keys.TryReadSharedFiles(key, out var from, out _, out _) && from == pending.From)
            {
                return true;
            }
        }

        return false;
    }

    private async Task<string?> FaultOfAsync(string key, SetFile file, CancellationToken cancellationToken)
    {
        using var computing = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = ArrayPool<byte>.Shared.Rent((int)Math.Clamp(file.SizeBytes, 1, ReadSize));
        try
        {
            for (var at = 0L; at < file.SizeBytes;)
            {
                var wanted = (int)Math.Min(buffer.Length, file.SizeBytes - at);
                if (await Store.ReadAsync(key, at, buffer.AsMemory(0, wanted), cancellationToken) is not { } range)
                {
                    return NotThere;
                }

                if (range != new ObjectRange(wanted, file.SizeBytes))
                {
                    return $"it has {range.ObjectSize} bytes, {file.SizeBytes} were put";
                }

                computing.AppendData(buffer.AsSpan(0, wanted));
                at += wanted;
            }

            report.Read(file.SizeBytes);
            return Convert.ToHexStringLower(computing.GetHashAndReset()) == file.Hash ? null : "its SHA-256 is another one";
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
