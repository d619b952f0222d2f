namespace Lm.Collector.Landing;

/// <summary>Landing's counters.</summary>
internal sealed class LandingMetrics
{
    private long objects;
    private long objectBytes;
    private long records;
    private long adopted;
    private long verificationsFailed;
    private long failures;
    private long logFiles;
    private long logFileBytes;

    /// <summary>Raw objects put and verified.</summary>
    public long Objects => Interlocked.Read(ref objects);

    /// <summary>Their bytes.</summary>
    public long ObjectBytes => Interlocked.Read(ref objectBytes);

    /// <summary>Their records.</summary>
    public long Records => Interlocked.Read(ref records);

    /// <summary>Raw objects that were there already and are ours.</summary>
    public long AdoptedObjects => Interlocked.Read(ref adopted);

    /// <summary>Objects that were not in the store as they were put.</summary>
    public long VerificationsFailed => Interlocked.Read(ref verificationsFailed);

    /// <summary>Sealed log files put and verified.</summary>
    public long LogFiles => Interlocked.Read(ref logFiles);

    /// <summary>Bytes of them, with their indexes.</summary>
    public long LogFileBytes => Interlocked.Read(ref logFileBytes);

    /// <summary>Passes that failed.</summary>
    public long Failures => Interlocked.Read(ref failures);

    /// <summary>One more is there and verified.</summary>
    public void Landed(long bytes, int recordCount)
    {
        Interlocked.Increment(ref objects);
        Interlocked.Add(ref objectBytes, bytes);
        Interlocked.Add(ref records, recordCount);
    }

    /// <summary>One was there.</summary>
    public void Adopted() => Interlocked.Increment(ref adopted);

    /// <summary>One is not as it was put.</summary>
    public void VerificationFailed() => Interlocked.Increment(ref verificationsFailed);

    /// <summary>A log file is there and verified.</summary>
    public void LogFileLanded(long bytes)
    {
        Interlocked.Increment(ref logFiles);
        Interlocked.Add(ref logFileBytes, bytes);
    }

    /// <summary>A pass failed.</summary>
    public void Failed() => Interlocked.Increment(ref failures);
}
