using Lm.Collector.Settings;
using Lm.Collector.Spool;
using Lm.Logs;

namespace Lm.Collector.LogRecords;

/// <summary>Seals log files that are complete, and deletes the oldest by <c>local_retention_days</c> and <c>max_local_bytes</c>.</summary>
/// <param name="store">The store.</param>
/// <param name="clock">Says what is old.</param>
/// <param name="space">Who else uses <c>max_local_bytes</c>.</param>
/// <param name="mayGo">Whether a file may be deleted: with an object store, only what was verified there (K19, C27).</param>
/// <param name="going">Hears, before files are deleted, how new their newest line is; what it throws keeps them.</param>
/// <param name="logger">The log.</param>
internal sealed class LogKeeper(LogStore store, ClockGuard clock, LocalSpace space, Func<StoredLogFile, bool> mayGo, Action<long> going, ILogger logger)
{
    private bool isFailing;

    /// <summary>Files that could not be sealed since start.</summary>
    public long SealsFailed { get; private set; }

    /// <summary>Files deleted by retention since start.</summary>
    public long Expired { get; private set; }

    /// <summary>Files that are too old and stay, because they are not known to be in the object store.</summary>
    public int Held { get; private set; }

    /// <summary>Seals everything that is complete. By one thread at a time. A file that cannot be sealed waits for the next round, the others do not wait for it.</summary>
    /// <returns>False: one could not be sealed.</returns>
    public bool Seal(CancellationToken stopping)
    {
        var failed = new HashSet<uint>();
        while (TrySealNext(failed, stopping))
        {
            stopping.ThrowIfCancellationRequested();
        }

        isFailing = failed.Count > 0;
        return !isFailing;
    }

    // False: there was none left.
    private bool TrySealNext(HashSet<uint> failed, CancellationToken stopping)
    {
        try
        {
            if (!store.SealNext(failed, stopping, out var file))
            {
                return false;
            }

            if (file is not null)
            {
                LogRecordsLog.Sealed(logger, file.Path, file.MinTime, file.MaxTime, file.Lines, file.BodyBytes, file.SizeBytes);
            }
        }
        catch (Exception e) when (e is not (OperationCanceledException or OutOfMemoryException))
        {
            SealsFailed++;
            if (!isFailing)
            {
                LogRecordsLog.SealFailed(logger, e.Message); // once: a full disk stays full for a while
            }

            isFailing = true;
        }

        return true;
    }

    /// <summary>Deletes what is too old or too much. By one thread at a time.</summary>
    public void Expire(StorageSettings settings)
    {
        var files = store.Files;
        TellSpace();
        var oldest = clock.Proven.Add(-settings.LocalRetention).Value;
        var until = space.ExcessUntil(settings.LocalSizeMax);
        var gone = files.Where(file => (file.MaxTime < oldest || file.MaxTime <= until) && mayGo(file)).ToArray();
        Held = files.Count(file => file.MaxTime < oldest && !mayGo(file));
        if (gone.Length == 0)
        {
            return;
        }

        try
        {
            going(gone.Max(static file => file.MaxTime));
            store.Delete(gone);
            Expired += gone.Length;
            var (newest, bytes) = (gone.Max(static file => file.MaxTime), gone.Sum(static file => file.SizeBytes));
            LogRecordsLog.Expired(logger, gone.Length, newest, bytes);
        }
        catch (IOException e)
        {
            LogRecordsLog.RetentionFailed(logger, e.Message);
        }

        TellSpace();
    }

    private void TellSpace() => space.SetLogs([.. store.Files.Select(file => new LocalFile(file.MaxTime, file.SizeBytes, mayGo(file)))]);
}
