namespace Lm.Tsdb.Index;

/// <summary>The constants of a block's index.</summary>
/// <remarks>Source: Prometheus, tsdb/docs/format/index.md.</remarks>
internal static class IndexFormat
{
    public const uint Magic = 0xBAAAD700;
    public const byte Version = 2;
    public const int HeaderSize = 5;
    public const int SeriesAlignment = 16;
    public const int TocSize = (6 * sizeof(ulong)) + sizeof(uint);
}

/// <summary>One chunk of a series as the index knows it.</summary>
/// <param name="MinTime">Its oldest sample's time.</param>
/// <param name="MaxTime">Its newest sample's time, inclusive.</param>
/// <param name="Reference">Its segment, from 0, in the upper 32 bits, its offset there in the lower.</param>
internal readonly record struct ChunkReference(long MinTime, long MaxTime, ulong Reference);
