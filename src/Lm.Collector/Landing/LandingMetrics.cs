using Lm.Collector.Listeners;

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
    private long logFilesDeleted;
    private long blocks;
    private long blockBytes;
    private long blocksMarked;
    private long blocksDeleted;
    private long rawCovered;
    private long rawExpired;
    private long tidyFailures;
    private long changes;

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

    /// <summary>Sealed log files that could not be read here, and so not be put.</summary>
    public int LogFilesUnreadable { get; set; }

    /// <summary>Passes that failed.</summary>
    public long Failures => Interlocked.Read(ref failures);

    /// <summary>Blocks put and verified.</summary>
    public long Blocks => Interlocked.Read(ref blocks);

    /// <summary>Bytes of them.</summary>
    public long BlockBytes => Interlocked.Read(ref blockBytes);

    /// <summary>Raw objects deleted because blocks and log files in the store hold all of them.</summary>
    public long RawCovered => Interlocked.Read(ref rawCovered);

    /// <summary>The values for <c>/metrics</c>.</summary>
    public IEnumerable<CollectorMetric> Collect()
    {
        yield return Count("lm_collector_landing_objects_total", "Raw objects put and verified.", Objects);
        yield return Count("lm_collector_landing_object_bytes_total", "Bytes of raw objects put and verified.", ObjectBytes);
        yield return Count("lm_collector_landing_records_total", "Records in them.", Records);
        yield return Count("lm_collector_landing_adopted_total", "Raw objects that were there already and are of this spool.", AdoptedObjects);
        const string rawDeleted = "Raw objects deleted in the object store, by why.";
        yield return Count("lm_collector_landing_objects_deleted_total", rawDeleted, RawCovered, "reason=\"covered\"");
        yield return Count("lm_collector_landing_objects_deleted_total", rawDeleted, Interlocked.Read(ref rawExpired), "reason=\"expired\"");
        yield return Count("lm_collector_landing_log_files_total", "Sealed log files put and verified, each with its index.", LogFiles);
        yield return Count("lm_collector_landing_log_file_bytes_total", "Bytes of log files put and verified.", LogFileBytes);
        yield return new CollectorMetric(
            "lm_collector_landing_log_files_unreadable", "Sealed log files that cannot be read here and so do not land; the log names them.", false, "", LogFilesUnreadable);
        yield return Count("lm_collector_landing_log_files_deleted_total", "Log files deleted in the object store by retention_days.", Interlocked.Read(ref logFilesDeleted));
        yield return Count("lm_collector_landing_blocks_total", "Blocks put and verified.", Blocks);
        yield return Count("lm_collector_landing_block_bytes_total", "Bytes of blocks put and verified.", BlockBytes);
        yield return Count("lm_collector_landing_blocks_marked_total", "Blocks in the object store marked for deletion: replaced by a merged one, or older than retention_days.", Interlocked.Read(ref blocksMarked));
        yield return Count("lm_collector_landing_blocks_deleted_total", "Blocks deleted in the object store, 48 hours after they were marked.", Interlocked.Read(ref blocksDeleted));
        yield return Count("lm_collector_landing_changes_total", "Records of what people changed (saved dashboards) put and verified.", Interlocked.Read(ref changes));
        yield return Count("lm_collector_landing_verifications_failed_total", "Objects that were not in the store as they were put.", VerificationsFailed);
        yield return Count("lm_collector_landing_failures_total", "Passes that failed.", Failures);
        yield return Count("lm_collector_landing_tidy_failures_total", "Times that nothing more could be marked or deleted in the object store.", Interlocked.Read(ref tidyFailures));
    }

    /// <summary>Records of the journal of changes are there and verified.</summary>
    public void ChangesLanded(int count) => Interlocked.Add(ref changes, count);

    /// <summary>A block is there and verified.</summary>
    public void BlockLanded(long bytes)
    {
        Interlocked.Increment(ref blocks);
        Interlocked.Add(ref blockBytes, bytes);
    }

    /// <summary>A block was marked for deletion.</summary>
    public void BlockMarked() => Interlocked.Increment(ref blocksMarked);

    /// <summary>A block was deleted in the store.</summary>
    public void BlockDeleted() => Interlocked.Increment(ref blocksDeleted);

    /// <summary>A raw object was deleted.</summary>
    public void RawDeleted(bool isCovered) => Interlocked.Increment(ref isCovered ? ref rawCovered : ref rawExpired);

    /// <summary>Log files were deleted in the store.</summary>
    public void LogFilesDeleted(int count) => Interlocked.Add(ref logFilesDeleted, count);

    /// <summary>The store could not be tidied up.</summary>
    public void TidyFailed() => Interlocked.Increment(ref tidyFailures);

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

    private static CollectorMetric Count(string name, string help, double value, string labels = "") => new(name, help, true, labels, value);
}
