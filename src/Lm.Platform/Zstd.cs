namespace Lm.Platform;

/// <summary>Zstandard through the system's <c>libzstd.so.1</c>, bounded in both directions.</summary>
public static class Zstd
{
    /// <summary>The most bytes that compressing <paramref name="sourceLength"/> bytes can take.</summary>
    public static int CompressedSizeMax(int sourceLength) => throw new NotImplementedException();

    /// <summary>Compresses <paramref name="source"/> as one zstd frame.</summary>
    /// <returns>Bytes written to <paramref name="destination"/>.</returns>
    /// <exception cref="ArgumentException">The destination is smaller than <see cref="CompressedSizeMax"/>.</exception>
    public static int Compress(ReadOnlySpan<byte> source, Span<byte> destination, int level = 3) => throw new NotImplementedException();

    /// <summary>Decompresses <paramref name="source"/>; never writes, and never allocates, beyond <paramref name="destination"/>.</summary>
    /// <returns>False when the source is not valid zstd or does not fill the destination exactly.</returns>
    public static bool TryDecompress(ReadOnlySpan<byte> source, Span<byte> destination) => throw new NotImplementedException();
}
