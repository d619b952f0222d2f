using Lm.Platform.Files;

namespace Lm.Tsdb.Blocks;

/// <summary>Writes a block's chunks into segments <c>chunks/000001</c> and so on.</summary>
/// <param name="files">The file system.</param>
/// <param name="folder">The block's folder on its way; <c>chunks</c> is there.</param>
/// <param name="segmentSizeMax">Bytes after which a new segment begins.</param>
internal sealed class ChunkFileWriter(IFileSystem files, string folder, long segmentSizeMax) : IDisposable
{
    private readonly List<BlockFile> finished = [];
    private BlockFileWriter? segment;

    /// <summary>The segments, once <see cref="Finish"/> was called.</summary>
    public IReadOnlyList<BlockFile> Files => finished;

    public int ChunkSizeMax { get; private set; }

    /// <summary>Appends a chunk.</summary>
    /// <param name="data">Its bytes as <see cref="Chunks.XorChunk.Bytes"/> has them.</param>
    /// <returns>Its reference for the index.</returns>
    public ulong Add(ReadOnlySpan<byte> data)
    {
        var size = GoVarint.LengthOf((ulong)data.Length) + 1 + data.Length + sizeof(uint);
        if (segment is null || segment.Position + size > segmentSizeMax)
        {
            FinishSegment();
            segment = new BlockFileWriter(files, Path.Combine(folder, BlockPaths.ChunkFile(finished.Count + 1)));
            segment.WriteUInt32(ChunkFormat.Magic);
            segment.WriteByte(ChunkFormat.Version);
            segment.Align(ChunkFormat.HeaderSize);
        }

        var reference = ((ulong)finished.Count << 32) | (uint)segment.Position;
        segment.WriteUvarint((ulong)data.Length);
        segment.BeginChecksum();
        segment.WriteByte(ChunkFormat.XorEncoding);
        segment.Write(data);
        segment.WriteChecksum();
        ChunkSizeMax = Math.Max(ChunkSizeMax, size);
        return reference;
    }

    public void Finish() => FinishSegment();

    public void Dispose() => segment?.Dispose();

    private void FinishSegment()
    {
        if (segment is not null)
        {
            segment.Finish();
            finished.Add(new BlockFile(BlockPaths.ChunkFile(finished.Count + 1), segment.Position));
            segment.Dispose();
            segment = null;
        }
    }
}
