using Lm.Collector.Ingest;
using Lm.Collector.Settings;
using Lm.Platform.Files;

namespace Lm.Collector.Spool;

/// <summary>Deletes what no longer need be kept: spool segments whose samples and log records are in files of their own, and sequences of queues that have
/// been silent so long that every repeat would be too old. Alert records have no other place yet: their segments stay for
/// <c>local_retention_days</c>.</summary>
/// <remarks>Order: the head's and the log store's checkpoint, the state file and the ledger's snapshot are durable before a segment goes (D4, K13). What is old is
/// told by <see cref="ClockGuard.Proven"/>.</remarks>
/// <param name="files">The file system.</param>
/// <param name="snapshotPath">The ledger's snapshot.</param>
/// <param name="spool">The spool.</param>
/// <param name="parts">What vouches for its records.</param>
/// <param name="metrics">Its counters.</param>
/// <param name="logger">Its log.</param>
internal sealed class SpoolTrim(
    IFileSystem files, string snapshotPath, BatchSpool spool, SpoolTrimParts parts, SpoolMetrics metrics, ILogger logger)
{
    private readonly Lock writing = new(); // held while state file and snapshot are written: one at a time
    private readonly SequenceLedger ledger = parts.Ledger;

    /// <summary>One pass.</summary>
    public void Run(StorageSettings settings)
    {
        var now = parts.Clock.Proven;
        ledger.Forget(now.Add(-settings.QueueMemory));
        var stored = parts.StoredBefore();
        if (!TryPersist())
        {
            return;
        }

        var segments = spool.Segments.ToArray();
        var covered = Math.Min(stored, ledger.Covered.Segment);
        var keep = spool.Ages.FirstToKeep(segments.Select(segment => segment.Number), covered, now.Add(-settings.LocalRetention));
        if (segments.Length == 0 || keep <= segments[0].Number)
        {
            return;
        }

        try
        {
            spool.DeleteBefore(keep);
            var gone = segments.Where(segment => segment.Number < keep).ToArray();
            Interlocked.Add(ref metrics.SegmentsTrimmed, gone.Length);
            var bytes = gone.Sum(segment => segment.SizeBytes);
            SpoolLog.Trimmed(logger, keep, bytes);
        }
        catch (IOException e)
        {
            SpoolLog.TrimFailed(logger, e.Message);
        }
    }

    /// <summary>Makes the state file and the ledger's state durable.</summary>
    /// <returns>False when they could not be.</returns>
    public bool TryPersist()
    {
        lock (writing)
        {
            return parts.State.TryWrite(spool.Incarnation) && TryWriteSnapshot();
        }
    }

    /// <summary>Makes the ledger's state durable.</summary>
    /// <returns>False when it could not be; nothing is lost then, but nothing may be deleted.</returns>
    public bool TryWriteSnapshot()
    {
        if (ledger.Covered == default)
        {
            return false; // no record yet: the journal has no id to bind a snapshot to
        }

        try
        {
            AtomicFile.Write(files, snapshotPath, ledger.ToBytes(spool.Incarnation));
            return true;
        }
        catch (IOException e)
        {
            SpoolLog.SnapshotFailed(logger, e.Message);
            return false;
        }
    }

    /// <summary>Brings back the state of the snapshot, when there is one.</summary>
    public void ReadSnapshot()
    {
        try
        {
            if (AtomicFile.Read(files, snapshotPath, LedgerSnapshot.SizeMax) is { } bytes && ledger.TryRestore(bytes, spool.Incarnation) is { } fault)
            {
                SpoolLog.SnapshotUnusable(logger, snapshotPath, fault);
            }
        }
        catch (IOException e)
        {
            SpoolLog.SnapshotUnusable(logger, snapshotPath, e.Message);
        }
    }
}

/// <summary>What vouches for records of the spool.</summary>
/// <param name="Ledger">Sequences.</param>
/// <param name="Clock">Says what is old.</param>
/// <param name="State">What else records brought.</param>
/// <param name="StoredBefore">The first segment with samples or log records that are in the spool only.</param>
internal sealed record SpoolTrimParts(SequenceLedger Ledger, ClockGuard Clock, StateFile State, Func<uint> StoredBefore);
