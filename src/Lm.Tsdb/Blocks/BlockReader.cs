using Lm.Platform.Files;
using Lm.Tsdb.Index;

namespace Lm.Tsdb.Blocks;

/// <summary>Reads one block, whose files are mapped into memory from here until nobody uses them any more.</summary>
/// <remarks>
/// <list type="bullet">
/// <item>Safe for concurrent use. Whoever reads holds it by <see cref="TryHold"/>; the mappings go with the last <see cref="Release"/>, so the
/// block's files may be deleted at any time.</item>
/// <item>Damage is a <see cref="BlockDamageException"/> that names file and place: when opening for the parts that everything hangs on, when
/// reading for chunks and series.</item>
/// </list>
/// </remarks>
public sealed class BlockReader : ISeriesReader, IDisposable
{
    private readonly MappedFile indexFile;
    private readonly ChunkFileReader chunkFiles;
    private int holders = 1;

    private BlockReader(string folder, BlockMeta meta, MappedFile indexFile, ChunkFileReader chunkFiles, LabelCache cache)
    {
        (Folder, this.indexFile, this.chunkFiles) = (folder, indexFile, chunkFiles);
        Index = new IndexReader(indexFile, cache);
        // Whatever meta.json says of sizes, these are what takes disk; blocks of others do not say it.
        Meta = meta with { Files = [.. chunkFiles.Files, new BlockFile(BlockPaths.Index, indexFile.Length)] };
    }

    /// <summary>The block's folder.</summary>
    public string Folder { get; }

    /// <summary>What its <c>meta.json</c> says.</summary>
    public BlockMeta Meta { get; }

    /// <summary>Bytes of index and chunks.</summary>
    public long SizeBytes => Meta.SizeBytes;

    /// <summary>Whether anything that was read of it since it was opened was damaged.</summary>
    public bool HasDamage => Index.HasDamage || chunkFiles.HasDamage;

    internal IndexReader Index { get; }

    /// <summary>Opens a block; to be disposed of once.</summary>
    /// <param name="files">The file system.</param>
    /// <param name="folder">The block's folder, named by its ULID.</param>
    /// <param name="cache">Decoded labels, shared with other blocks.</param>
    /// <exception cref="BlockDamageException">A file does not hold what its format says.</exception>
    /// <exception cref="FileSystemException">A file cannot be read.</exception>
    public static BlockReader Open(IFileSystem files, string folder, LabelCache cache)
    {
        var metaPath = Path.Combine(folder, BlockPaths.Meta);
        var text = AtomicFile.Read(files, metaPath, BlockMetaJson.SizeMax) ?? throw new BlockDamageException(metaPath, 0, "the file is missing");
        var meta = BlockMetaJson.Read(metaPath, text);
        if (meta.Id.ToString() != Path.GetFileName(folder))
        {
            throw new BlockDamageException(metaPath, 0, $"it is that of block {meta.Id}; the folder's name is {Path.GetFileName(folder)}");
        }

        ChunkFileReader? chunks = null;
        MappedFile? index = null;
        try
        {
            chunks = ChunkFileReader.Open(files, folder);
            index = files.Map(Path.Combine(folder, BlockPaths.Index));
            return new BlockReader(folder, meta, index, chunks, cache);
        }
        catch
        {
            chunks?.Dispose();
            index?.Dispose();
            throw;
        }
    }

    /// <summary>Whether the block may hold samples of a range, both ends included.</summary>
    public bool Overlaps(long from, long until) => Meta.MinTime <= until && Meta.MaxTime > from;

    /// <summary>Keeps the mappings until <see cref="Release"/>.</summary>
    /// <returns>False when they are gone already.</returns>
    public bool TryHold()
    {
        var seen = Volatile.Read(ref holders);
        while (seen > 0)
        {
            var found = Interlocked.CompareExchange(ref holders, seen + 1, seen);
            if (found == seen)
            {
                return true;
            }

            seen = found;
        }

        return false;
    }

    /// <summary>Gives up one hold.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref holders) == 0)
        {
            chunkFiles.Dispose();
            indexFile.Dispose();
        }
    }

    /// <summary>Gives up the hold of whoever opened it.</summary>
    public void Dispose() => Release();

    /// <inheritdoc/>
    public ISeriesSelection Find(IReadOnlyList<LabelMatcher> matchers, long from, long until, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(!TryHold(), this);
        try
        {
            uint[] series = Overlaps(from, until) ? SeriesFinder.Find(Index, matchers, cancellationToken) : [];
            return new BlockSelection(this, HaveChunks(series, from, until, cancellationToken));
        }
        catch
        {
            Release();
            throw;
        }
    }

    /// <inheritdoc/>
    /// <remarks>Without matchers all names of a block that overlaps the range are given, as Prometheus does.</remarks>
    public IReadOnlyList<string> LabelNames(IReadOnlyList<LabelMatcher> matchers, long from, long until, CancellationToken cancellationToken)
    {
        using var hold = Hold();
        if (!Overlaps(from, until))
        {
            return [];
        }

        if (matchers.Count == 0)
        {
            return [.. Index.LabelNames.Order(StringComparer.Ordinal)];
        }

        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var series in SeriesFinder.Find(Index, matchers, cancellationToken))
        {
            cancellationToken.ThrowIfCancellationRequested();
            foreach (ref readonly var label in Index.LabelsOf(series).Labels)
            {
                names.Add(label.Name);
            }
        }

        return [.. names.Order(StringComparer.Ordinal)];
    }

    /// <inheritdoc/>
    /// <remarks>Without matchers all values in a block that overlaps the range are given, as Prometheus does.</remarks>
    public IReadOnlyList<string> LabelValues(string name, IReadOnlyList<LabelMatcher> matchers, long from, long until, CancellationToken cancellationToken)
    {
        using var hold = Hold();
        var values = new HashSet<string>(StringComparer.Ordinal);
        if (!Overlaps(from, until))
        {
            return [];
        }

        if (matchers.Count == 0)
        {
            for (var all = Index.ValuesOf(name, ""); all.MoveNext();)
            {
                values.Add(Index.Text(all.Value));
            }
        }
        else
        {
            foreach (var series in SeriesFinder.Find(Index, matchers, cancellationToken))
            {
                cancellationToken.ThrowIfCancellationRequested();
                values.Add(Index.LabelsOf(series).ValueOf(name));
            }
        }

        values.Remove("");
        return [.. values.Order(StringComparer.Ordinal)];
    }

    internal void ReadSamples(uint series, long from, long until, SampleBuffer into)
    {
        for (var chunks = Index.ChunksOf(series); chunks.MoveNext() && chunks.Current.MinTime <= until;)
        {
            if (chunks.Current.MaxTime >= from)
            {
                chunkFiles.ReadFloats(chunks.Current.Reference, from, until, into);
            }
        }
    }

    /// <summary>A chunk's bytes, checked; valid while the block is held.</summary>
    internal ReadOnlySpan<byte> ChunkBytes(ulong reference) => chunkFiles.Chunk(reference);

    internal void ReadChunk(ulong reference, SampleBuffer into) => chunkFiles.ReadSamples(reference, long.MinValue, long.MaxValue, into);

    private uint[] HaveChunks(uint[] series, long from, long until, CancellationToken cancellationToken)
    {
        if (from <= Meta.MinTime && until >= Meta.MaxTime - 1)
        {
            return series;
        }

        return Array.FindAll(series, each =>
        {
            cancellationToken.ThrowIfCancellationRequested();
            for (var chunks = Index.ChunksOf(each); chunks.MoveNext() && chunks.Current.MinTime <= until;)
            {
                if (chunks.Current.MaxTime >= from)
                {
                    return true;
                }
            }

            return false;
        });
    }

    private Holding Hold()
    {
        ObjectDisposedException.ThrowIf(!TryHold(), this);
        return new Holding(this);
    }

    private readonly struct Holding(BlockReader block) : IDisposable
    {
        public void Dispose() => block.Release();
    }

    private sealed class BlockSelection(BlockReader block, uint[] series) : ISeriesSelection
    {
        private bool disposed;

        public int Count => series.Length;

        public LabelSet Labels(int index)
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            return block.Index.LabelsOf(series[index]);
        }

        public void Read(int index, long from, long until, SampleBuffer into)
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            block.ReadSamples(series[index], from, until, into);
        }

        public ISeriesSelection? Another() => block.TryHold() ? new BlockSelection(block, series) : null;

        public void Dispose()
        {
            if (!disposed)
            {
                disposed = true;
                block.Release();
            }
        }
    }
}
