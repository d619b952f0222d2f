using Lm.Collector.Bucket;
using Lm.Collector.Changes;
using Lm.Collector.Ingest;
using Lm.Collector.Landing;
using Lm.Collector.Recovery;
using Lm.Collector.SharedLog;
using Lm.Logs;
using Lm.ObjectStore;
using Lm.Platform;
using Lm.Platform.Files;
using Lm.Tsdb;
using Lm.Tsdb.Blocks;
using Lm.Tsdb.Index;

namespace Lm.Collector.Verify;

/// <summary><c>lm-collector --verify</c>: reads everything in the object store through and says what is wrong. It changes nothing there.</summary>
internal sealed class BucketVerifier(BucketVerifierParts parts)
{
    private const long CacheSizeMax = 256L << 20; // beside the one block that is being read
    private const string MetaFile = "/meta.json";
    private const string LogEnding = ".ndjson.zst";

    private readonly VerifyReport report = parts.Report;

    /// <summary>Checks all.</summary>
    /// <exception cref="IOException">The store cannot be asked, or the cache's disk takes nothing.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var archive = new RawArchive(parts.Store, parts.Keys, parts.Collector);
        var lives = await archive.ListAsync(Guid.Empty, cancellationToken);
        var catalog = await BucketCatalog.ReadAsync(parts.Store, parts.Keys, BucketCatalog.Empty, parts.Logger, cancellationToken);
        report.ObjectsExpected = lives.Sum(static life => life.Objects.Count) + catalog.Sizes.Count;
        await new RawVerifier(parts.Store, archive, parts.Collector, report).RunAsync(lives, cancellationToken);
        await CheckLedgersAsync(archive, cancellationToken);
        await CheckChangesAsync(cancellationToken);
        var shared = new SharedLogVerifier(
            new LogObjects(parts.Store, parts.Keys), [.. catalog.Sizes.Keys.Order(StringComparer.Ordinal)],
            catalog.Blocks.Where(static block => block.Level > 1).SelectMany(static block => block.Sources).ToHashSet(), parts.MayBeGone, parts.CompactsElsewhere, report);
        await shared.RunAsync(cancellationToken);
        using var cache = ObjectCache.Open(parts.Store, parts.Files, parts.CacheDirectory, static () => CacheSizeMax, parts.Time, parts.Logger);
        var files = new StoreFileSystem(cache, key => catalog.Sizes.TryGetValue(key, out var size) ? size : null);
        CheckBlocks(catalog, files, cancellationToken);
        CheckLogs(catalog, files, cancellationToken);
        report.End();
    }

    private async Task CheckLedgersAsync(RawArchive archive, CancellationToken cancellationToken)
    {
        var snapshots = await archive.ListStatesAsync(StateLanding.LedgerEnding, Guid.Empty, cancellationToken);
        foreach (var (life, info) in snapshots)
        {
            if (await archive.ReadWholeAsync(info, LedgerSnapshot.SizeMax, cancellationToken) is { } bytes && new SequenceLedger().TryRestore(bytes, life) is { } fault)
            {
                report.Fault(info.Key, fault);
            }
        }

        report.Tell($"ledgers: {snapshots.Count} snapshots");
    }

    private async Task CheckChangesAsync(CancellationToken cancellationToken)
    {
        var (objects, records) = (0, 0);
        await foreach (var key in StoreLists.KeysAsync(parts.Store, parts.Keys.ChangesRoot(parts.Collector), cancellationToken))
        {
            if (!ObjectKeys.TryReadChanges(key, out _, out _) || await StoreLists.ReadWholeAsync(parts.Store, key, ChangeObject.SizeMax, cancellationToken) is not { } found)
            {
                continue;
            }

            IReadOnlyList<ReadOnlyMemory<byte>> inside = [];
            var fault = found.Bytes is { } bytes ? ChangeObject.TryRead(bytes, out inside) : $"it has {found.SizeBytes} bytes; at most {ChangeObject.SizeMax} are expected";
            if (fault is not null)
            {
                report.Fault(key, fault);
            }

            (objects, records) = (objects + 1, records + inside.Count);
            report.Read(found.SizeBytes);
        }

        report.Tell($"changes: {objects} objects, {records} records");
    }

    private void CheckBlocks(BucketCatalog catalog, StoreFileSystem files, CancellationToken cancellationToken)
    {
        var folder = parts.Keys.BlocksFolder;
        foreach (var reason in catalog.Unreadable)
        {
            report.Fault(parts.Keys.BlocksFolder, reason);
        }

        var (samples, windows) = (0L, 0);
        foreach (var block in catalog.Blocks.OrderBy(static block => block.Id))
        {
            cancellationToken.ThrowIfCancellationRequested();
            samples += CheckBlock(block, catalog, files, cancellationToken);
            windows += block.Coverage.Count;
        }

        // What is marked, or was replaced by a merge, goes by itself.
        var all = catalog.Sizes.Keys.Where(key => key.StartsWith(folder, StringComparison.Ordinal)).Select(key => key[folder.Length..].Split('/')[0]).ToHashSet(StringComparer.Ordinal);
        foreach (var partial in all.Where(name => !catalog.Sizes.ContainsKey(folder + name + MetaFile)).Order(StringComparer.Ordinal))
        {
            report.Note($"{folder}{partial} has no meta.json: a put that is under way or was cut short, or a deletion");
        }

        NoteOverlaps(catalog.Blocks);
        var (live, others) = (catalog.Blocks.Count, all.Count - catalog.Blocks.Count);
        report.Tell($"blocks: {live} that answer, {others} others (marked for deletion, replaced, partial), {samples} samples, {windows} windows of the spool covered");
    }

    private long CheckBlock(BlockMeta block, BucketCatalog catalog, StoreFileSystem files, CancellationToken cancellationToken)
    {
        var key = parts.Keys.BlockFolder(block.Id.ToString());
        try
        {
            using var reader = BlockReader.Open(files, StoreFileSystem.PathOf(key.TrimEnd('/')), new LabelCache());
            using var found = reader.Find([], long.MinValue, long.MaxValue, cancellationToken);
            var (samples, buffer) = (0L, new SampleBuffer());
            for (var i = 0; i < found.Count; i++)
            {
                buffer.Clear();
                found.Read(i, long.MinValue, long.MaxValue, buffer);
                samples += buffer.Count;
            }

            if (samples != block.Stats.Samples || found.Count != block.Stats.Series)
            {
                report.Fault(key, $"it has {samples} samples of {found.Count} series, meta.json says {block.Stats.Samples} of {block.Stats.Series}");
            }

            report.Read(reader.SizeBytes, block.Files.Count + 1);
            return samples;
        }
        catch (BlockDamageException damage)
        {
            report.Fault(key, damage.Message);
            return 0;
        }
        catch (FileSystemException missing) when (missing.IsNotFound)
        {
            report.Fault(key, missing.Message);
            return 0;
        }
    }

    private void NoteOverlaps(IReadOnlyList<BlockMeta> blocks)
    {
        BlockMeta? widest = null;
        var overlaps = 0;
        foreach (var block in blocks.Where(static block => !block.IsLate).OrderBy(static block => block.MinTime))
        {
            overlaps += widest is not null && block.MinTime < widest.MaxTime ? 1 : 0;
            widest = widest is null || block.MaxTime > widest.MaxTime ? block : widest;
        }

        if (overlaps > 0)
        {
            report.Note($"{overlaps} blocks overlap others in time: where samples of one time are in two, all readers find the same value");
        }
    }

    private void CheckLogs(BucketCatalog catalog, StoreFileSystem files, CancellationToken cancellationToken)
    {
        var total = 0L;
        foreach (var file in catalog.Logs.OrderBy(static file => file.Id))
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var handle = files.Open(file.Path, writable: false);
            using var index = files.Open(file.IndexPath, writable: false);
            var bytes = new byte[index.Length];
            index.Read(0, bytes);
            if (SealedFileCheck.Run(handle, bytes, out var lines) is { } fault)
            {
                report.Fault(StoreFileSystem.KeyOf(file.Path), fault);
            }

            total += lines;
            report.Read(file.SizeBytes, count: 2);
        }

        var whole = catalog.Logs.Select(static file => StoreFileSystem.KeyOf(file.Path)).ToHashSet(StringComparer.Ordinal);
        foreach (var key in catalog.Sizes.Keys.Where(key => key.StartsWith(parts.Keys.LogFolder, StringComparison.Ordinal) && key.EndsWith(LogEnding, StringComparison.Ordinal) && !whole.Contains(key)))
        {
            report.Note($"{key} has no index: a put that is under way or was cut short");
        }

        report.Tell($"logs: {catalog.Logs.Count} files, {total} lines");
    }
}

/// <summary>What a verifier works with.</summary>
/// <param name="Store">The store.</param>
/// <param name="Keys">Makes keys.</param>
/// <param name="Collector">The collector's name.</param>
/// <param name="Files">The file system of the cache.</param>
/// <param name="CacheDirectory">A folder of its own, which it empties.</param>
/// <param name="Report">Takes what it finds.</param>
/// <param name="Time">The clock.</param>
/// <param name="Logger">The log.</param>
internal sealed record BucketVerifierParts(
    IObjectStore Store, ObjectKeys Keys, string Collector, IFileSystem Files, string CacheDirectory, VerifyReport Report, TimeProvider Time, ILogger Logger)
{
    /// <summary>Of a shared log: sets of files none of which is newer may have lost some to <c>retention_days</c>.</summary>
    public UnixMillis MayBeGone { get; init; } = new(long.MinValue);

    /// <summary>Whether others merge and delete blocks there.</summary>
    public bool CompactsElsewhere { get; init; }
}
