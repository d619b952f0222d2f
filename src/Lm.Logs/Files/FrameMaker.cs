using Lm.Platform;

namespace Lm.Logs.Files;

/// <summary>Makes frames of sorted lines.</summary>
/// <remarks>For one thread.</remarks>
/// <param name="level">zstd's level.</param>
/// <param name="tuning">What is not as the level has it.</param>
internal sealed class FrameMaker(int level, ZstdTuning tuning) : IDisposable
{
    /// <summary>Bytes of lines after which a frame of an open file ends: about 256 KiB of bodies of 120 bytes each.</summary>
    public const int RawSizeTarget = 512 << 10;

    /// <summary>The same of a sealed file: larger ones are hardly better compressed, smaller ones worse (docs/decisions/0015-log-files.md).</summary>
    public const int SealedSizeTarget = 1 << 20;

    /// <summary>For lines at the levels of sealing: they repeat long runs, most of them near, some (a user's key, a path) anywhere in the frame; looking for
    /// short ones finds less and costs more (docs/decisions/0015-log-files.md).</summary>
    public static readonly ZstdTuning Lines = new(MatchMin: 6, HashLog: 17, ChainLog: 17, WindowLog: 20, SearchLog: 2, UsesChains: true);

    private readonly ZstdCompressor compressor = new(level, tuning);
    private byte[] compressed = [];

    /// <summary>Compresses lines as one frame.</summary>
    /// <param name="raw">The lines.</param>
    /// <returns>The frame; valid until the next call.</returns>
    public ReadOnlySpan<byte> Make(ReadOnlySpan<byte> raw)
    {
        var sizeMax = Zstd.CompressedSizeMax(raw.Length);
        if (compressed.Length < sizeMax)
        {
            compressed = new byte[sizeMax];
        }

        var size = compressor.Compress(raw, compressed);
        return compressed.AsSpan(0, size);
    }

    /// <summary>Gives back what a frame of unusual size took.</summary>
    public void Trim()
    {
        if (compressed.Length > 4 * SealedSizeTarget)
        {
            compressed = [];
        }
    }

    /// <inheritdoc/>
    public void Dispose() => compressor.Dispose();
}
