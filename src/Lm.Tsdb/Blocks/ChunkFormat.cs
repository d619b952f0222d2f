namespace Lm.Tsdb.Blocks;

/// <summary>The constants of chunk segments.</summary>
/// <remarks>Source: Prometheus, tsdb/docs/format/chunks.md.</remarks>
internal static class ChunkFormat
{
    public const uint Magic = 0x85BD40DD;
    public const byte Version = 1;
    public const int HeaderSize = 8;
    public const byte XorEncoding = 1;
    public const byte HistogramEncoding = 2;
    public const byte FloatHistogramEncoding = 3;
    public const long SegmentSizeMax = 512L << 20;

    /// <summary>Samples of a chunk are counted in 16 bits, and none takes more than 20 bytes.</summary>
    public const int ChunkSizeMax = 20 * ushort.MaxValue;
}
