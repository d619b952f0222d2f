using System.Buffers.Binary;

namespace Lm.Platform;

/// <summary>Zstandard through the system's <c>libzstd.so.1</c>, bounded in both directions.</summary>
/// <remarks>Contexts are made for a call and freed behind it: the agent compresses a few kilobytes every few seconds and must not
/// hold a context meanwhile. Decompression is one-shot into the destination: it needs no window buffer, so a frame header that
/// asks for gigabytes allocates nothing.</remarks>
public static unsafe class Zstd
{
    private const uint FrameMagic = 0xFD2FB528;
    private const uint SkippableMagic = 0x184D2A50;
    private const uint SkippableMask = 0xFFFFFFF0;

    [ThreadStatic]
    private static ZstdDecoder? decoder; // about 160 KiB, for threads that decompress at all

    /// <summary>The most bytes that compressing <paramref name="sourceLength"/> bytes can take.</summary>
    public static int CompressedSizeMax(int sourceLength)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sourceLength);
        return checked((int)LibZstd.CompressBound((nuint)sourceLength));
    }

    /// <summary>Compresses <paramref name="source"/> as one zstd frame.</summary>
    /// <returns>Bytes written to <paramref name="destination"/>.</returns>
    /// <exception cref="ArgumentException">The destination is smaller than <see cref="CompressedSizeMax"/>.</exception>
    public static int Compress(ReadOnlySpan<byte> source, Span<byte> destination, int level = 3)
    {
        var sizeMax = CompressedSizeMax(source.Length);
        if (destination.Length < sizeMax)
        {
            throw new ArgumentException($"{destination.Length} bytes are too few: {source.Length} bytes can take {sizeMax}", nameof(destination));
        }

        var context = LibZstd.CreateCompressor();
        if (context == 0)
        {
            throw new InsufficientMemoryException("libzstd could not allocate a compression context");
        }

        try
        {
            fixed (byte* from = source, to = destination)
            {
                var size = LibZstd.Compress(context, to, (nuint)destination.Length, from, (nuint)source.Length, level);
                return LibZstd.IsError(size) == 0
                    ? (int)size
                    : throw new InsufficientMemoryException($"libzstd could not compress {source.Length} bytes at level {level}: {LibZstd.ErrorName(size)}");
            }
        }
        finally
        {
            _ = LibZstd.FreeCompressor(context);
        }
    }

    /// <summary>Decompresses <paramref name="source"/>; never writes, and never allocates, beyond <paramref name="destination"/>.</summary>
    /// <returns>False when the source is not exactly one valid zstd frame or does not fill the destination exactly.</returns>
    public static bool TryDecompress(ReadOnlySpan<byte> source, Span<byte> destination)
    {
        // libzstd would also take the formats before 1.0, skippable frames and several frames in a row: less is safer here.
        if (source.Length < sizeof(uint) || BinaryPrimitives.ReadUInt32LittleEndian(source) != FrameMagic)
        {
            return false;
        }

        decoder ??= ZstdDecoder.Create();
        byte nothing; // an empty span has no address, and libzstd wants one
        fixed (byte* from = source, into = destination)
        {
            var to = destination.IsEmpty ? &nothing : into;
            return LibZstd.FindFrameCompressedSize(from, (nuint)source.Length) == (nuint)source.Length
                && decoder.Decompress(to, (nuint)destination.Length, from, (nuint)source.Length) == (nuint)destination.Length;
        }
    }

    /// <summary>Measures the zstd frame, skippable or not, that <paramref name="source"/> begins with.</summary>
    /// <param name="source">The frame and what follows it.</param>
    /// <param name="size">Its bytes.</param>
    /// <param name="contentSize">Its bytes after decompression, as its header says; 0 when it is skippable.</param>
    /// <param name="isSkippable">Whether decompressors pass over it.</param>
    /// <returns>False when no whole frame stands there, or its header does not say how large its content is.</returns>
    public static bool TryMeasure(ReadOnlySpan<byte> source, out int size, out long contentSize, out bool isSkippable)
    {
        (size, contentSize, isSkippable) = (0, 0, false);
        if (source.Length < sizeof(uint))
        {
            return false;
        }

        isSkippable = (BinaryPrimitives.ReadUInt32LittleEndian(source) & SkippableMask) == SkippableMagic;
        fixed (byte* from = source)
        {
            var found = LibZstd.FindFrameCompressedSize(from, (nuint)source.Length);
            var content = isSkippable ? 0 : LibZstd.GetFrameContentSize(from, (nuint)source.Length);
            if (LibZstd.IsError(found) != 0 || found > (nuint)source.Length || content > int.MaxValue)
            {
                return false; // the two values that mean unknown and error are the largest that there are
            }

            (size, contentSize) = ((int)found, (long)content);
            return true;
        }
    }
}
