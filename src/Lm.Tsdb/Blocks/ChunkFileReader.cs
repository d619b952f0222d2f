using System.Buffers.Binary;
using Lm.Platform;
using Lm.Platform.Files;
using Lm.Tsdb.Chunks;

namespace Lm.Tsdb.Blocks;

/// <summary>Reads a block's chunks where they lie.</summary>
/// <remarks>Safe for concurrent use. A chunk's checksum is checked whenever it is read.</remarks>
internal sealed class ChunkFileReader : IDisposable
{
    private const int SegmentsMax = 100_000;
    private const int LengthBytesMax = 5;

    private readonly string folder;
    private readonly List<MappedFile> segments = [];

    private ChunkFileReader(string folder) => this.folder = folder;

    public IEnumerable<BlockFile> Files => segments.Select((segment, i) => new BlockFile(BlockPaths.ChunkFile(i + 1), segment.Length));

    /// <summary>Whether damage was met.</summary>
    public bool HasDamage { get; private set; }

    public static ChunkFileReader Open(IFileSystem files, string folder)
    {
        var reader = new ChunkFileReader(folder);
        try
        {
            for (var number = 1; number < SegmentsMax; number++)
            {
                var path = Path.Combine(folder, BlockPaths.ChunkFile(number));
                if (!files.Exists(path))
                {
                    break;
                }

                reader.segments.Add(files.Map(path));
                CheckHeader(reader.segments[^1]);
            }

            return reader;
        }
        catch
        {
            reader.Dispose();
            throw;
        }
    }

    /// <summary>A chunk's bytes, from its number of samples on.</summary>
    public ReadOnlySpan<byte> Chunk(ulong reference)
    {
        var content = Content(reference);
        return content[0] == ChunkFormat.XorEncoding
            ? content[1..]
            : throw OfAnotherKind(reference, content[0]);
    }

    /// <summary>Reads a chunk's samples.</summary>
    /// <exception cref="BlockDamageException">It is damaged, or of another kind.</exception>
    public void ReadSamples(ulong reference, long from, long until, SampleBuffer into) => ReadSamples(reference, Chunk(reference), from, until, into);

    /// <summary>The same; chunks of native histograms, which blocks of others may have, have no sample here.</summary>
    public void ReadFloats(ulong reference, long from, long until, SampleBuffer into)
    {
        var content = Content(reference);
        switch (content[0])
        {
            case ChunkFormat.XorEncoding:
                ReadSamples(reference, content[1..], from, until, into);
                break;
            case ChunkFormat.HistogramEncoding or ChunkFormat.FloatHistogramEncoding:
                break;
            default:
                throw OfAnotherKind(reference, content[0]);
        }
    }

    public void Dispose() => segments.ForEach(segment => segment.Dispose());

    private void ReadSamples(ulong reference, ReadOnlySpan<byte> chunk, long from, long until, SampleBuffer into)
    {
        if (!XorChunkReader.TryRead(chunk, from, until, into))
        {
            throw Damage(reference, "the chunk ends within a sample");
        }
    }

    private BlockDamageException OfAnotherKind(ulong reference, byte encoding) =>
        Damage(reference, $"the chunk's encoding is {encoding}; only {ChunkFormat.XorEncoding} (XOR) can be read");

    private BlockDamageException Damage(ulong reference, string reason)
    {
        HasDamage = true;
        var number = reference >> 32;
        var path = number < (uint)segments.Count ? segments[(int)number].Path : Path.Combine(folder, BlockPaths.Chunks, $"{number + 1:d6}");
        return new BlockDamageException(path, (uint)reference, reason);
    }

    // From its encoding on.
    private ReadOnlySpan<byte> Content(ulong reference)
    {
        var (number, offset) = ((int)(reference >> 32), (long)(uint)reference);
        if ((uint)number >= (uint)segments.Count || offset < ChunkFormat.HeaderSize || offset > segments[number].Length - LengthBytesMax)
        {
            throw Damage(reference, $"a chunk should begin here, but it would lie outside; the block has {segments.Count} segments");
        }

        var segment = segments[number];
        var left = segment.Length - offset;
        var head = segment.Slice(offset, (int)Math.Min(left, LengthBytesMax));
        var headSize = head.Length;
        if (!GoVarint.TryRead(ref head, out var length))
        {
            throw Damage(reference, "the chunk has no length");
        }

        headSize -= head.Length;
        if (length > ChunkFormat.ChunkSizeMax || (long)length > left - headSize - 1 - sizeof(uint))
        {
            throw Damage(reference, $"the chunk would have {length} bytes, more than the file or than any chunk");
        }

        var content = segment.Slice(offset + headSize, 1 + (int)length + sizeof(uint));
        var expected = BinaryPrimitives.ReadUInt32BigEndian(content[^sizeof(uint)..]);
        content = content[..^sizeof(uint)];
        var computed = Crc32C.Compute(content);
        if (computed != expected)
        {
            throw Damage(reference, $"the chunk's checksum is {expected:x8}, computed {computed:x8}");
        }

        return content;
    }

    private static void CheckHeader(MappedFile segment)
    {
        if (segment.Length < ChunkFormat.HeaderSize)
        {
            throw new BlockDamageException(segment.Path, 0, $"it has {segment.Length} bytes, too few for a chunk segment");
        }

        var header = segment.Slice(0, ChunkFormat.HeaderSize);
        if (BinaryPrimitives.ReadUInt32BigEndian(header) != ChunkFormat.Magic || header[4] != ChunkFormat.Version)
        {
            throw new BlockDamageException(segment.Path, 0, $"it begins with {Convert.ToHexStringLower(header[..5])}, a chunk segment with 85bd40dd01");
        }
    }
}
