using Lm.Collector.Landing;
using Lm.Collector.LogRecords;
using Lm.Collector.Recovery;
using Lm.Collector.Series;
using Lm.Collector.Settings;
using Lm.Collector.Spool;
using Lm.Logs;
using Lm.ObjectStore;
using Lm.Platform;
using Lm.Platform.Files;
using Lm.Tsdb.Blocks;
using Lm.Tsdb.Head;
using Label = Lm.Tsdb.Label;

namespace Lm.Collector.SharedLog;

/// <summary>Makes blocks and log files of parts, with a head and a log store of its own that live as long as that takes: what it makes is of these records and of nothing else.</summary>
/// <remarks>
/// Samples that blocks in the store hold already are left out, so that no two of them say different things of one time (V20).
/// Verdicts of the day on which a record came are applied and nothing is judged again (D2). A record that cannot be read stops it: nothing is left out in silence.
/// One caller at a time.
/// </remarks>
/// <param name="parts">What it works with.</param>
internal sealed class FileMaker(FileMakerParts parts) : IFileMaker
{
    /// <summary>Stands for the shared log where blocks and log files name the spool whose records they cover; positions are numbers of commits.</summary>
    public static readonly Guid Incarnation = new("5ed10c00-0000-4000-8000-000000000001");

    /// <summary>What tells the blocks of a shared log from a collector's own.</summary>
    public static readonly IReadOnlyList<Label> Labels = [new Label("lightmetrics_stream", "shared")];

    private const int TidyEvery = 256;
    private const string BlocksFolder = "blocks/";
    private const string LogsFolder = "logs/";

    // As for the head of what is live: admission has judged.
    private static readonly TimeSpan BoundsMargin = TimeSpan.FromDays(2);

    private int held;

    /// <inheritdoc/>
    public async Task<MadeFiles> MakeAsync(FilesPlan plan, CancellationToken cancellationToken)
    {
        FolderTree.Delete(parts.Files, parts.Directory); // whatever is there is of a try that has ended
        var existing = await parts.ListBlocksAsync(cancellationToken);
        var time = new LaterTime(parts.Time, existing);
        parts.Files.CreateDirectory(parts.Directory);
        using var blocks = BlockSet.Open(parts.Files, Path.Combine(parts.Directory, "blocks"), time);
        IReadOnlyList<StoredLogFile> logs;
        using (var head = Head.Open(parts.Files, HeadOptionsOf(), out _))
        using (var store = LogStore.Open(parts.Files, new LogStoreOptions { Directory = Path.Combine(parts.Directory, "logs"), Incarnation = Incarnation, Time = time }, out _))
        {
            await FeedAsync(plan, head, store, cancellationToken);
            WriteBlocks(plan, head, blocks, cancellationToken);
            logs = SealAll(plan, store, cancellationToken);
        }

        return Open(blocks.Metas, logs, plan);
    }

    /// <inheritdoc/>
    public async Task<HeldContent> HoldAsync(long size, Func<Action<ReadOnlySpan<byte>>, CancellationToken, Task> fetch, CancellationToken cancellationToken)
    {
        parts.Files.CreateDirectory(parts.Directory);
        var path = Path.Combine(parts.Directory, $"held-{held++}");
        parts.Files.Delete(path);
        try
        {
            using (var file = parts.Files.Create(path))
            {
                var at = 0L;
                await fetch(
                    piece =>
                    {
                        file.Write(at, piece);
                        at += piece.Length;
                    },
                    cancellationToken);
            }

            var content = new FileContent(parts.Files, path);
            return new HeldContent(content, () =>
            {
                content.Dispose();
                parts.Files.Delete(path);
            });
        }
        catch
        {
            parts.Files.Delete(path);
            throw;
        }
    }

    private HeadOptions HeadOptionsOf() => new()
    {
        Directory = Path.Combine(parts.Directory, "head"),
        Incarnation = Incarnation,
        BlockHours = parts.BlockHours,
        Backfill = TimeSpan.FromDays(StorageSettingsReader.DaysMax) + BoundsMargin,
        AheadMax = BoundsMargin,
        Time = parts.Time,
    };

    private async Task FeedAsync(FilesPlan plan, Head head, LogStore store, CancellationToken cancellationToken)
    {
        var feed = new RecordFeed(head, store);
        var archive = new RawArchive(parts.Store, parts.Keys, "");
        foreach (var part in plan.Parts)
        {
            var found = await RawObjectReader.ReadAsync(parts.Store, part.Object.Key, cancellationToken)
                ?? throw new LogObjectMissingException($"{part.Object.Key} in {parts.Store.Description} is not there any more");
            var manifest = found.Manifest ?? throw Damaged(part.Object.Key, found.Fault ?? "it is damaged");
            var count = 0;
            await foreach (var record in archive.ReadRecordsAsync(part.Object.Key, manifest, cancellationToken))
            {
                if (feed.Take(record) is { } fault)
                {
                    throw Damaged(part.Object.Key, $"at byte {record.Entry.Offset}: {fault}. Commits {part.First} to {part.Last} become no blocks and log files until it is what it was");
                }

                if (++count % TidyEvery == 0)
                {
                    head.Maintain();
                    SealWaiting(CommitPosition.Start, store, cancellationToken);
                }
            }
        }
    }

    // Ranges of one time come one after the other: what was committed first is written first.
    private void WriteBlocks(FilesPlan plan, Head head, BlockSet blocks, CancellationToken cancellationToken)
    {
        head.Checkpoint(PositionOf(plan.Covers));
        while (head.AllRanges() is { Count: > 0 } ranges)
        {
            foreach (var range in ranges)
            {
                var frozen = head.Freeze(range);
                using (var existing = new ExistingSamples(new BlockSnapshot([.. parts.TakeBlocks(range.From, range.Until), .. blocks.Take(range.From, range.Until).Blocks])))
                using (var writer = blocks.Write(range.From, range.Until + 1))
                {
                    var content = frozen.WriteTo(writer, existing, cancellationToken);
                    if (content.ChunksUnreadable > 0)
                    {
                        throw new IOException($"{content.ChunksUnreadable} chunks in {parts.Directory} cannot be read: {content.Damage}");
                    }

                    if (writer.Commit(new BlockProvenance { IsLate = range.IsLate, ExternalLabels = Labels, Coverage = frozen.Coverage }) is { } meta)
                    {
                        blocks.Add(meta.Id);
                    }
                }

                head.Drop(frozen);
            }
        }
    }

    private static IReadOnlyList<StoredLogFile> SealAll(FilesPlan plan, LogStore store, CancellationToken cancellationToken)
    {
        store.Maintain(new UnixMillis(long.MaxValue));
        SealWaiting(PositionOf(plan.Covers), store, cancellationToken);
        return store.FilesDamaged == 0 && store.Statistics().OpenFiles == 0 ? store.Files : throw new IOException("log files that were just written could not be sealed whole");
    }

    private static void SealWaiting(CommitPosition covered, LogStore store, CancellationToken cancellationToken)
    {
        if (store.Statistics().FilesWaiting == 0)
        {
            return;
        }

        store.Checkpoint(covered);
        var failed = new HashSet<uint>();
        while (store.SealNext(failed, cancellationToken, out _))
        {
            // One after the other.
        }
    }

    private static CommitPosition PositionOf(long number) => new((uint)(number >> 32), number & uint.MaxValue);

    private MadeFiles Open(IReadOnlyList<BlockMeta> blocks, IReadOnlyList<StoredLogFile> logs, FilesPlan plan)
    {
        var opened = new List<(string Path, ObjectContent Content)>();
        var at = parts.Time.GetUtcNow();
        foreach (var block in blocks)
        {
            var folder = BlocksFolder + block.Id + "/";
            foreach (var file in block.Files.OrderBy(static file => file.Path == "index"))
            {
                opened.Add((folder + file.Path, new FileContent(parts.Files, Path.Combine(parts.Directory, "blocks", block.Id.ToString(), file.Path))));
            }

            opened.Add((folder + BlockMeta.FileName, ObjectContent.Of((block with { UploadedAt = at }).ToJson())));
        }

        foreach (var file in logs)
        {
            foreach (var path in (string[])[file.Path, file.IndexPath])
            {
                opened.Add((LogsFolder + Path.GetRelativePath(Path.Combine(parts.Directory, "logs"), path), new FileContent(parts.Files, path)));
            }
        }

        long[] newest = [.. blocks.Select(static block => block.MaxTime - 1), .. logs.Select(static file => file.MaxTime)];
        return new MadeFiles(opened, newest.Length > 0 ? new UnixMillis(newest.Max()) : plan.Parts.Max(static part => part.Newest), () =>
        {
            opened.ForEach(static file => (file.Content as FileContent)?.Dispose());
            FolderTree.Delete(parts.Files, parts.Directory);
        });
    }

    private ObjectStoreException Damaged(string key, string fault) => new(ObjectStoreFault.Damaged, $"{key} in {parts.Store.Description}: {fault}", cause: null);

    // Names are later than those of all blocks that are there: their order is the order of commits, whosever clock is right.
    private sealed class LaterTime(TimeProvider time, IReadOnlyList<BlockMeta> existing) : TimeProvider
    {
        private readonly long floor = existing.Count == 0 ? 0 : existing.Max(static block => block.Sources.Max(static source => source.CreatedMs)) + 1;

        public override long TimestampFrequency => time.TimestampFrequency;

        public override DateTimeOffset GetUtcNow() => DateTimeOffset.FromUnixTimeMilliseconds(Math.Max(floor, time.GetUtcNow().ToUnixTimeMilliseconds()));

        public override long GetTimestamp() => time.GetTimestamp();
    }

    /// <summary>Records into head and log store, as a replay does it.</summary>
    private sealed class RecordFeed(Head head, LogStore store)
    {
        private readonly BatchReader batches = new();
        private readonly WriteReader writes = new();
        private readonly LogFeed logs = new(store);
        private readonly SeriesFeed series = new(head, new MetricCatalog());
        private readonly WriteFeed written = new(head, new MetricCatalog());
        private readonly UpFeed ups = new(head);

        // What is wrong with it; null when nothing.
        public string? Take(in RawRecord record)
        {
            if (!record.IsWhole)
            {
                return "the checksum of a record is wrong";
            }

            return record.Entry.Kind switch
            {
                WriteRecord.Kind => TakeWrite(record),
                UpRecord.Kind => TakeUps(record),
                _ => TakeBatch(record),
            };
        }

        private string? TakeBatch(in RawRecord record)
        {
            if (batches.TryRead(record.Bytes, out var head, out var frame) is { } fault)
            {
                return fault;
            }

            var batch = batches.Accepted(record.Entry.Position, head, frame);
            series.Apply(batch);
            logs.Apply(batch);
            return null;
        }

        private string? TakeWrite(in RawRecord record)
        {
            if (writes.TryRead(record.Bytes, out var head) is { } fault)
            {
                return fault;
            }

            written.Apply(writes.Accepted(record.Entry.Position, head));
            return null;
        }

        private string? TakeUps(in RawRecord record)
        {
            if (UpRecord.TryRead(record.Bytes.Span, out var at, out var agents) is { } fault)
            {
                return fault;
            }

            ups.Apply(new AcceptedUps(record.Entry.Position, at, agents, IsReplay: true));
            return null;
        }
    }
}

/// <summary>What it works with.</summary>
/// <param name="Store">The store.</param>
/// <param name="Keys">Makes keys.</param>
/// <param name="Files">The file system.</param>
/// <param name="Directory">A folder of its own, which it empties.</param>
/// <param name="BlockHours">block_hours.</param>
/// <param name="Time">The clock.</param>
internal sealed record FileMakerParts(IObjectStore Store, ObjectKeys Keys, IFileSystem Files, string Directory, int BlockHours, TimeProvider Time)
{
    /// <summary>Lists the blocks in the store as they are now.</summary>
    public required Func<CancellationToken, Task<IReadOnlyList<BlockMeta>>> ListBlocksAsync { get; init; }

    /// <summary>Those of a range of time, both ends included, each held once for the caller.</summary>
    public required Func<long, long, IReadOnlyList<BlockReader>> TakeBlocks { get; init; }
}
