using System.Runtime.InteropServices;

namespace Lm.Platform;

/// <summary>A compression context that is used again, for who compresses much. Each frame carries a checksum of its content.</summary>
/// <remarks>Not safe for concurrent use. Holds a few megabytes outside of managed memory, the more the higher the level.</remarks>
public sealed unsafe class ZstdCompressor : SafeHandle
{
    private const int LevelParameter = 100;
    private const int WindowLogParameter = 101;
    private const int HashLogParameter = 102;
    private const int ChainLogParameter = 103;
    private const int SearchLogParameter = 104;
    private const int MatchMinParameter = 105;
    private const int ChecksumParameter = 201;
    private const int RowMatchFinderParameter = 1011; // experimental in zstd.h since 1.5.0: ZSTD_c_useRowMatchFinder
    private const int Disabled = 2;

    /// <summary>Makes one.</summary>
    /// <param name="level">The level, 1 to 19.</param>
    /// <param name="tuning">What is not as the level has it.</param>
    public ZstdCompressor(int level, ZstdTuning tuning = default)
        : base(0, ownsHandle: true)
    {
        SetHandle(LibZstd.CreateCompressor());
        if (IsInvalid)
        {
            throw new InsufficientMemoryException("libzstd could not allocate a compression context");
        }

        Set(LevelParameter, level);
        Set(MatchMinParameter, tuning.MatchMin);
        Set(HashLogParameter, tuning.HashLog);
        Set(ChainLogParameter, tuning.ChainLog);
        Set(WindowLogParameter, tuning.WindowLog);
        Set(SearchLogParameter, tuning.SearchLog);
        Set(ChecksumParameter, 1);
        if (tuning.UsesChains)
        {
            _ = LibZstd.SetParameter(handle, RowMatchFinderParameter, Disabled); // a libzstd that knows it not is no worse than without
        }
    }

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    /// <summary>Compresses <paramref name="source"/> as one zstd frame.</summary>
    /// <returns>Bytes written to <paramref name="destination"/>.</returns>
    /// <exception cref="ArgumentException">The destination is smaller than <see cref="Zstd.CompressedSizeMax"/>.</exception>
    public int Compress(ReadOnlySpan<byte> source, Span<byte> destination)
    {
        var sizeMax = Zstd.CompressedSizeMax(source.Length);
        if (destination.Length < sizeMax)
        {
            throw new ArgumentException($"{destination.Length} bytes are too few: {source.Length} bytes can take {sizeMax}", nameof(destination));
        }

        fixed (byte* from = source, to = destination)
        {
            var size = LibZstd.CompressWithParameters(handle, to, (nuint)destination.Length, from, (nuint)source.Length);
            GC.KeepAlive(this);
            return LibZstd.IsError(size) == 0
                ? (int)size
                : throw new InsufficientMemoryException($"libzstd could not compress {source.Length} bytes: {LibZstd.ErrorName(size)}");
        }
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        _ = LibZstd.FreeCompressor(handle);
        return true;
    }

    private void Set(int parameter, int value)
    {
        var result = LibZstd.SetParameter(handle, parameter, value);
        if (LibZstd.IsError(result) != 0)
        {
            throw new ArgumentOutOfRangeException(nameof(value), value, $"libzstd takes no such value for parameter {parameter}: {LibZstd.ErrorName(result)}");
        }
    }
}

/// <summary>What a compressor does otherwise than its level says; 0: as the level has it.</summary>
/// <param name="MatchMin">The shortest repetition that is looked for, 3 to 7 bytes.</param>
/// <param name="HashLog">Places that are remembered, as a power of two: 6 to 30.</param>
/// <param name="ChainLog">Places of those that begin alike, as a power of two: 6 to 30; only with <paramref name="UsesChains"/>.</param>
/// <param name="WindowLog">How far back repetitions are looked for, as a power of two: 10 to 27.</param>
/// <param name="SearchLog">How many of the places are tried, as a power of two: 1 to 30.</param>
/// <param name="UsesChains">Whether places are found by chains and not by rows, where libzstd knows both.</param>
public readonly record struct ZstdTuning(int MatchMin, int HashLog, int ChainLog, int WindowLog, int SearchLog, bool UsesChains);
