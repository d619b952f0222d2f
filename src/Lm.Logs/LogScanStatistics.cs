namespace Lm.Logs;

/// <summary>What a search read; counted by several threads.</summary>
public sealed class LogScanStatistics
{
    private long framesRead;
    private long framesSkipped;
    private long framesDamaged;
    private long bytesRead;
    private long linesRead;

    /// <summary>Frames that were decompressed.</summary>
    public long FramesRead => Interlocked.Read(ref framesRead);

    /// <summary>Frames in the time range that the index ruled out.</summary>
    public long FramesSkipped => Interlocked.Read(ref framesSkipped);

    /// <summary>Frames that could not be read because they are damaged: their lines are missing from the answer.</summary>
    public long FramesDamaged => Interlocked.Read(ref framesDamaged);

    /// <summary>Bytes of decompressed frames.</summary>
    public long BytesRead => Interlocked.Read(ref bytesRead);

    /// <summary>Lines that a stage looked at.</summary>
    public long LinesRead => Interlocked.Read(ref linesRead);

    /// <summary>A frame was read.</summary>
    /// <param name="bytes">Its size, decompressed.</param>
    /// <param name="lines">How many of its lines a stage looked at.</param>
    public void CountRead(long bytes, long lines)
    {
        Interlocked.Increment(ref framesRead);
        Interlocked.Add(ref bytesRead, bytes);
        Interlocked.Add(ref linesRead, lines);
    }

    /// <summary>Frames were ruled out.</summary>
    public void CountSkipped(long frames) => Interlocked.Add(ref framesSkipped, frames);

    /// <summary>A frame is damaged.</summary>
    public void CountDamaged() => Interlocked.Increment(ref framesDamaged);
}
