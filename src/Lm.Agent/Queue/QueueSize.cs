namespace Lm.Agent.Queue;

/// <summary>How the queue's bytes are cut into segments: the queue frees disk one whole segment at a time.</summary>
internal static class QueueSize
{
    /// <summary>The smallest segment, bytes: some dozens of heartbeats.</summary>
    public const long SegmentMin = 64 << 10;

    /// <summary>The largest segment, bytes: one is what a full queue loses at once, and what opening a damaged one may cost.</summary>
    public const long SegmentMax = 8 << 20;

    /// <summary>Segments that a full queue has at least, so that dropping one costs an eighth of it.</summary>
    private const int SegmentsOfFullQueue = 8;

    /// <summary>The segment size for a queue of <paramref name="queueBytesMax"/> bytes.</summary>
    public static long SegmentFor(long queueBytesMax) => Math.Clamp(queueBytesMax / SegmentsOfFullQueue, SegmentMin, SegmentMax);

    /// <summary>The largest frame that a queue of this size takes: with more, one batch would push out most others.</summary>
    public static int FrameFor(long queueBytesMax) => (int)Math.Min(queueBytesMax / 4, 32 << 20);
}
