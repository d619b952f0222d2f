using Lm.Logs.Files;
using Lm.Platform.Files;

namespace Lm.Logs.Sealing;

/// <summary>Frames whose lines are in order, one frame behind the other: one of an open file, or what several of those were merged to.</summary>
internal sealed class SortedRun
{
    /// <summary>Takes frames.</summary>
    /// <param name="file">The file that they are in.</param>
    /// <param name="frames">The frames in order; one at least.</param>
    /// <param name="isScratch">Whether all of it stands elsewhere as well.</param>
    public SortedRun(IFileHandle file, IReadOnlyList<FrameInfo> frames, bool isScratch)
    {
        (File, Frames, IsScratch) = (file, frames, isScratch);
        (MinTime, MaxTime) = (long.MaxValue, long.MinValue);
        foreach (var frame in frames)
        {
            (MinTime, MaxTime) = (Math.Min(MinTime, frame.MinTime), Math.Max(MaxTime, frame.MaxTime));
            MemoryBytes = Math.Max(MemoryBytes, (long)frame.RawSize + frame.Size);
        }
    }

    /// <summary>The file.</summary>
    public IFileHandle File { get; }

    /// <summary>The frames.</summary>
    public IReadOnlyList<FrameInfo> Frames { get; }

    /// <summary>Whether all of it stands elsewhere as well: what cannot be read is not lost.</summary>
    public bool IsScratch { get; }

    /// <summary>The time of the oldest line.</summary>
    public long MinTime { get; }

    /// <summary>The time of the newest line.</summary>
    public long MaxTime { get; }

    /// <summary>Bytes in memory while it is read: those of its largest frame.</summary>
    public long MemoryBytes { get; }

    /// <summary>Bytes in memory at the most while runs are merged: each is read from its oldest line to its newest.</summary>
    /// <param name="runs">By their oldest line.</param>
    public static long PeakBytes(IReadOnlyList<SortedRun> runs)
    {
        var (bytes, peak) = (0L, 0L);
        var active = new PriorityQueue<SortedRun, long>(); // by the newest line
        foreach (var run in runs)
        {
            while (active.TryPeek(out var over, out var end) && end < run.MinTime)
            {
                active.Dequeue();
                bytes -= over.MemoryBytes;
            }

            active.Enqueue(run, run.MaxTime);
            bytes += run.MemoryBytes;
            peak = Math.Max(peak, bytes);
        }

        return peak;
    }
}
