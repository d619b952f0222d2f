using Lm.Platform;
using Lm.Platform.Files;
using Lm.Tsdb.Chunks;
using Lm.Tsdb.Index;

namespace Lm.Tsdb.Blocks;

/// <summary>Writes one block: series in the order of their labels, their chunks ascending and apart; then <see cref="Commit"/>.</summary>
/// <remarks>
/// <list type="bullet">
/// <item>The block appears under its name by one rename, after all its files and folders are on stable storage: a crash leaves nothing, or the whole block.</item>
/// <item>Until then it lies in a folder ending in <c>.tmp-for-creation</c>, which the block set deletes when it opens the directory.</item>
/// <item>After an exception, or without a commit, <see cref="Dispose"/> takes away what was written.</item>
/// </list>
/// Not safe for concurrent use.
/// </remarks>
public sealed class BlockWriter : IDisposable
{
    private readonly IFileSystem files;
    private readonly string directory;
    private readonly string folder;
    private readonly long minTime;
    private readonly long maxTime;
    private readonly ChunkFileWriter chunkFile;
    private readonly IndexWriter index;
    private readonly XorChunk encoder = new(expectedBytes: 512);
    private readonly List<ChunkReference> chunks = [];
    private LabelSet? current;
    private LabelSet? before;
    private long oldest = long.MaxValue;
    private long newest = long.MinValue;
    private BlockStats stats;
    private State state;

    /// <summary>Begins a block.</summary>
    /// <param name="files">The file system.</param>
    /// <param name="directory">The folder that holds the blocks; it is there.</param>
    /// <param name="id">The block's name.</param>
    /// <param name="minTime">No sample is older, milliseconds since 1970.</param>
    /// <param name="maxTime">All samples are older.</param>
    public BlockWriter(IFileSystem files, string directory, Ulid id, long minTime, long maxTime)
        : this(files, directory, id, minTime, maxTime, ChunkFormat.SegmentSizeMax)
    {
    }

    internal BlockWriter(IFileSystem files, string directory, Ulid id, long minTime, long maxTime, long segmentSizeMax)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(minTime, maxTime);
        (this.files, this.directory, this.minTime, this.maxTime, Id) = (files, directory, minTime, maxTime, id);
        folder = Path.Combine(directory, id + BlockPaths.CreationSuffix);
        files.CreateDirectory(Path.Combine(folder, BlockPaths.Chunks));
        chunkFile = new ChunkFileWriter(files, folder, segmentSizeMax);
        index = new IndexWriter(files, Path.Combine(folder, BlockPaths.Index), Path.Combine(folder, BlockPaths.SeriesSpill));
    }

    private enum State
    {
        Open,
        Named,
        Done,
    }

    /// <summary>The block's name.</summary>
    public Ulid Id { get; }

    /// <summary>Begins a series, which comes behind those before by <see cref="LabelSet.CompareTo"/>. One that gets no chunk leaves no trace.</summary>
    /// <exception cref="ArgumentException">It does not come behind.</exception>
    public void BeginSeries(LabelSet labels)
    {
        EndSeries();
        if (before is not null && labels.CompareTo(before) <= 0)
        {
            throw new ArgumentException($"series {labels} does not come behind {before}", nameof(labels));
        }

        current = labels;
    }

    /// <summary>Adds a chunk to the series.</summary>
    /// <param name="firstTime">Its oldest sample's time, later than all of the series before.</param>
    /// <param name="lastTime">Its newest sample's time.</param>
    /// <param name="bytes">The chunk as <see cref="XorChunk.Bytes"/> has it, sealed.</param>
    /// <exception cref="ArgumentException">It has no sample, overlaps the one before, or lies outside the block's range.</exception>
    public void AddChunk(long firstTime, long lastTime, ReadOnlySpan<byte> bytes)
    {
        if (current is null)
        {
            throw new InvalidOperationException("a chunk needs a series: BeginSeries comes first");
        }

        var count = XorChunkReader.CountOf(bytes);
        if (count == 0 || bytes.Length > ChunkFormat.ChunkSizeMax || firstTime > lastTime || firstTime < minTime || lastTime >= maxTime
            || (chunks.Count > 0 && firstTime <= chunks[^1].MaxTime))
        {
            throw new ArgumentException(
                $"chunk of {current} from {firstTime} to {lastTime} with {count} samples in {bytes.Length} bytes does not fit: chunks are ascending, apart, not empty, and within [{minTime}, {maxTime})",
                nameof(bytes));
        }

        chunks.Add(new ChunkReference(firstTime, lastTime, chunkFile.Add(bytes)));
        (oldest, newest) = (Math.Min(oldest, firstTime), Math.Max(newest, lastTime));
        stats = stats with { Samples = stats.Samples + count, Chunks = stats.Chunks + 1 };
    }

    /// <summary>Adds samples to the series, as chunks of 120.</summary>
    /// <param name="times">Their times, strictly ascending.</param>
    /// <param name="values">Their values.</param>
    public void AddSamples(ReadOnlySpan<long> times, ReadOnlySpan<double> values)
    {
        for (var from = 0; from < times.Length; from += XorChunk.SamplesMax)
        {
            var count = Math.Min(XorChunk.SamplesMax, times.Length - from);
            encoder.Reset();
            for (var i = from; i < from + count; i++)
            {
                encoder.Append(times[i], values[i]);
            }

            encoder.Seal();
            AddChunk(encoder.FirstTime, encoder.LastTime, encoder.Bytes);
        }
    }

    /// <summary>Makes the block durable and gives it its name.</summary>
    /// <param name="provenance">Where its samples come from.</param>
    /// <returns>What its <c>meta.json</c> says; null when no series got a sample: then nothing is left.</returns>
    /// <exception cref="FileSystemException">A step failed; there is no block.</exception>
    public BlockMeta? Commit(BlockProvenance provenance)
    {
        EndSeries();
        if (stats.Series == 0)
        {
            return null;
        }

        chunkFile.Finish();
        index.Finish();
        var meta = Describe(provenance);
        using (var file = files.Create(Path.Combine(folder, BlockPaths.Meta)))
        {
            file.Write(0, BlockMetaJson.Write(meta));
            file.Sync();
        }

        files.SyncDirectory(Path.Combine(folder, BlockPaths.Chunks));
        files.SyncDirectory(folder);
        state = State.Named;
        files.Rename(folder, NamedFolder);
        files.SyncDirectory(directory);
        state = State.Done;
        return meta;
    }

    /// <summary>Takes away what is not a block yet.</summary>
    public void Dispose()
    {
        chunkFile.Dispose();
        index.Dispose();
        try
        {
            if (state == State.Named && files.Exists(NamedFolder))
            {
                // The rename may not be durable, so nobody was told of the block: it goes, or a retry would leave its samples twice.
                BlockPaths.DeleteBlock(files, NamedFolder);
            }

            if (state != State.Done)
            {
                FolderTree.Delete(files, folder);
            }
        }
        catch (FileSystemException)
        {
            // The failure that led here is the one to report; the next start deletes the leftover.
        }

        state = State.Done;
    }

    private string NamedFolder => Path.Combine(directory, Id.ToString());

    private void EndSeries()
    {
        if (current is not null && chunks.Count > 0)
        {
            index.AddSeries(current, System.Runtime.InteropServices.CollectionsMarshal.AsSpan(chunks));
            before = current;
            stats = stats with { Series = stats.Series + 1 };
        }

        current = null;
        chunks.Clear();
    }

    private BlockMeta Describe(BlockProvenance provenance) => new()
    {
        Id = Id,
        MinTime = oldest,
        MaxTime = newest + 1,
        Stats = stats,
        Level = provenance.Level,
        Sources = provenance.Sources.Count > 0 ? [.. provenance.Sources.Distinct().Order()] : [Id],
        Parents = provenance.Parents,
        Hints = provenance.IsLate ? [BlockMeta.OutOfOrderHint] : [],
        ExternalLabels = [.. provenance.ExternalLabels.OrderBy(label => label.Name, StringComparer.Ordinal)],
        Files = [.. chunkFile.Files, new BlockFile(BlockPaths.Index, index.SizeBytes)],
        SeriesSizeMax = index.SeriesSizeMax,
        ChunkSizeMax = chunkFile.ChunkSizeMax,
        Coverage = BlockCoverage.Merge(provenance.Coverage),
    };
}

/// <summary>Where a block's samples come from.</summary>
public sealed record BlockProvenance
{
    /// <summary>1 from the head; merged blocks have more.</summary>
    public int Level { get; init; } = 1;

    /// <summary>The level-1 blocks merged here; empty: this block itself.</summary>
    public IReadOnlyList<Ulid> Sources { get; init; } = [];

    /// <summary>The blocks that this one replaces.</summary>
    public IReadOnlyList<BlockRange> Parents { get; init; } = [];

    /// <summary>Made wholly of late samples.</summary>
    public bool IsLate { get; init; }

    /// <summary>What tells this collector's blocks from others'; Thanos needs at least one label.</summary>
    public IReadOnlyList<Label> ExternalLabels { get; init; } = [];

    /// <summary>Up to where the spool is in blocks with this one.</summary>
    public IReadOnlyList<BlockCoverage> Coverage { get; init; } = [];
}
