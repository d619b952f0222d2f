namespace Lm.Logs;

/// <content>What it has and did.</content>
public sealed partial class LogStore
{
    private long linesAdded;
    private long linesLate;
    private long bodyBytesAdded;
    private long outOfBounds;
    private long memoryBytes;
    private long waitingBytes; // of memoryBytes: what only sealing gives back
    private long spills;
    private long filesSealed;
    private long failures;
    private long searches;
    private long framesRead;
    private long framesSkipped;
    private long framesDamaged;
    private int filesDamaged;

    /// <summary>What it has and did.</summary>
    public LogStoreStatistics Statistics()
    {
        lock (gate)
        {
            return new LogStoreStatistics
            {
                LinesAdded = linesAdded,
                LinesLate = linesLate,
                BodyBytesAdded = bodyBytesAdded,
                LinesOutOfBounds = outOfBounds,
                OpenFiles = open.Count + frozen.Count,
                FilesWaiting = frozen.Count,
                OpenBytes = AllOpen().Sum(static file => file.Length),
                MemoryBytes = AllOpen().Sum(static file => file.MemoryBytes),
                IndexMemoryBytes = indexes.Bytes,
                SealedFiles = closed.Count,
                SealedBytes = closed.Sum(static file => file.SizeBytes),
                SealedBodyBytes = closed.Sum(static file => file.BodyBytes),
                SealedLines = closed.Sum(static file => file.Lines),
                FilesSealed = filesSealed,
                Spills = spills,
                Failures = Interlocked.Read(ref failures),
                IndexesRebuilt = indexes.Rebuilt,
                Searches = Interlocked.Read(ref searches),
                FramesRead = Interlocked.Read(ref framesRead),
                FramesSkipped = Interlocked.Read(ref framesSkipped),
                FramesDamaged = Interlocked.Read(ref framesDamaged),
            };
        }
    }

    private void CountSearch(LogScanStatistics statistics)
    {
        Interlocked.Increment(ref searches);
        Interlocked.Add(ref framesRead, statistics.FramesRead);
        Interlocked.Add(ref framesSkipped, statistics.FramesSkipped);
        Interlocked.Add(ref framesDamaged, statistics.FramesDamaged);
    }
}
