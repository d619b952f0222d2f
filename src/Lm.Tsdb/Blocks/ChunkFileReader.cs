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

    private readonly List<MappedFile> segments = [];

    private ChunkFileReader()
    {
    }

    public long SizeBytes => segments.Sum(segment => segment.Length);

    public static ChunkFileReader Open(IFileSystem files, string folder)
    {
        var reader = new ChunkFileReader();
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
        var (number, offset) = ((int)(reference >> 32), (long)(uint)reference);
        if ((uint)number >= (uint)segments.Count || offset < ChunkFormat.HeaderSize || offset > segments[number].Length - LengthBytesMax)
        {
            var path = segments.Count == 0 ? BlockPaths.Chunks : segments[Math.Clamp(number, 0, segments.Count - 1)].Path;
            throw new BlockDamageException(path, offset, $"a chunk should begin here, in segment {number + 1L} of {segments.Count}, but it would lie outside");
        }

        var segment = segments[number];
        var left = segment.Length - offset;
        var head = segment.Slice(offset, (int)Math.Min(left, LengthBytesMax));
        var headSize = head.Length;
        if (!GoVarint.TryRead(ref head, out var length))
        {
            throw new BlockDamageException(segment.Path, offset, "the chunk has no length");
        }

        headSize -= head.Length;
        if (length > ChunkFormat.ChunkSizeMax || (long)length > left - headSize - 1 - sizeof(uint))
        {
            throw new BlockDamageException(segment.Path, offset, $"the chunk would have {length} bytes, more than the file or than any chunk");
        }

        var content = segment.Slice(offset + headSize, 1 + (int)length + sizeof(uint));
        var expected = BinaryPrimitives.ReadUInt32BigEndian(content[^sizeof(uint)..]);
        content = content[..^sizeof(uint)];
        var computed = Crc32C.Compute(content);
        if (computed != expected)
        {
            throw new BlockDamageException(segment.Path, offset, $"the chunk's checksum is {expected:x8}, computed {computed:x8}");
        }

        return content[0] == ChunkFormat.XorEncoding
            ? content[1..]
            : throw new BlockDamageException(segment.Path, offset, $"the chunk's encoding is {content[0]}; only {ChunkFormat.XorEncoding} (XOR) can be read");
    }

    public void ReadSamples(ulong reference, long from, long until, SampleBuffer into)
    {
        if (!XorChunkReader.TryRead(Chunk(reference), from, until, into))
        {
            throw new BlockDamageException(segments[(int)(reference >> 32)].Path, (uint)reference, "the chunk ends within a sample");
        }
    }

    public void Dispose() => segments.ForEach(segment => segment.Dispose());

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
