using Lm.Collector.Ingest;
using Lm.Collector.Settings;
using Lm.Platform;
using Lm.Platform.Files;

namespace Lm.Collector.Spool;

/// <summary>Deletes what no longer need be kept: spool segments whose newest record is older than <c>local_retention_days</c>, and sequences of
/// queues that have been silent so long that every repeat would be too old.</summary>
/// <remarks>Order: the ledger's snapshot is durable before a segment goes (D4). Nothing goes while the clock is suspect.</remarks>
internal sealed class SpoolTrim(
    IFileSystem files, string snapshotPath, BatchSpool spool, SequenceLedger ledger, ClockGuard clock, SpoolMetrics metrics, TimeProvider time, ILogger logger)
{
    /// <summary>One pass.</summary>
    public void Run(StorageSettings settings)
    {
        var now = UnixMillis.Now(time);
        if (clock.IsSuspect(now, out _))
        {
            return;
        }

        var segments = spool.Segments.ToArray();
        var keep = spool.Ages.FirstToKeep(segments.Select(segment => segment.Number), now.Add(-settings.LocalRetention));
        ledger.Forget(now.Add(-settings.QueueMemory));
        if (!TryWriteSnapshot() || segments.Length == 0 || keep == segments[0].Number)
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
