using Lm.Collector.Listeners;
using Lm.Logs;

namespace Lm.Collector.LogRecords;

/// <summary>Metrics of the log store.</summary>
internal static class LogRecordsMetrics
{
    /// <summary>Their values now.</summary>
    public static IEnumerable<CollectorMetric> Collect(LogStoreStatistics store, LogKeeper keeper, LogStorage storage)
    {
        yield return Count("lm_collector_logs_records_total", "Log records stored.", store.LinesAdded);
        yield return Count("lm_collector_logs_records_late_total", "Of the log records stored, those for an hour that was over.", store.LinesLate);
        yield return Count("lm_collector_logs_record_bytes_total", "Bytes of the stored log records' bodies.", store.BodyBytesAdded);
        yield return Count("lm_collector_logs_records_out_of_bounds_total", "Log records left out because their time is before 1970 or behind the year 9999.", store.LinesOutOfBounds);
        yield return Gauge("lm_collector_logs_held", "1 when log records could not be taken and wait in the spool, with all behind them, until they can be; else 0.", storage.IsHeld ? 1 : 0);
        yield return Count("lm_collector_logs_batches_passed_over_total", "Batches whose log records were given up because they could not be stored for a reason that is not the disk's: a defect.", storage.PassedOver);
        const string files = "Log files, by kind.";
        yield return Gauge("lm_collector_logs_files", files, store.OpenFiles - store.FilesWaiting, "kind=\"open\"");
        yield return Gauge("lm_collector_logs_files", files, store.FilesWaiting, "kind=\"waiting\"");
        yield return Gauge("lm_collector_logs_files", files, store.SealedFiles, "kind=\"sealed\"");
        const string fileBytes = "Bytes of log files, by kind; sealed ones with their indexes.";
        yield return Gauge("lm_collector_logs_file_bytes", fileBytes, store.OpenBytes, "kind=\"open\"");
        yield return Gauge("lm_collector_logs_file_bytes", fileBytes, store.SealedBytes, "kind=\"sealed\"");
        yield return Gauge("lm_collector_logs_sealed_records", "Log records in sealed files.", store.SealedLines);
        yield return Gauge("lm_collector_logs_sealed_record_bytes", "Bytes of the bodies of log records in sealed files.", store.SealedBodyBytes);
        const string memory = "Memory of the log store, by kind.";
        yield return Gauge("lm_collector_logs_memory_bytes", memory, store.MemoryBytes, "kind=\"open\"");
        yield return Gauge("lm_collector_logs_memory_bytes", memory, store.IndexMemoryBytes, "kind=\"indexes\"");
        yield return Count("lm_collector_logs_spills_total", "Times that open log files left memory to keep its bound.", store.Spills);
        yield return Count("lm_collector_logs_files_sealed_total", "Log files sealed.", store.FilesSealed);
        yield return Count("lm_collector_logs_files_expired_total", "Log files deleted by retention.", keeper.Expired);
        yield return Gauge("lm_collector_logs_files_held", "Log files older than local_retention_days that stay, because they are not known to be in the object store.", keeper.Held);
        const string failures = "Failures of the disk under the log store, by kind.";
        yield return Count("lm_collector_logs_failures_total", failures, store.Failures - keeper.SealsFailed, "kind=\"write\"");
        yield return Count("lm_collector_logs_failures_total", failures, keeper.SealsFailed, "kind=\"seal\"");
        yield return Count("lm_collector_logs_indexes_rebuilt_total", "Indexes of log files that were missing or damaged and made anew.", store.IndexesRebuilt);
        yield return Count("lm_collector_logs_searches_total", "Searches through log files.", store.Searches);
        const string frames = "Frames in the time range of searches, by what became of them.";
        yield return Count("lm_collector_logs_frames_total", frames, store.FramesRead, "outcome=\"read\"");
        yield return Count("lm_collector_logs_frames_total", frames, store.FramesSkipped, "outcome=\"skipped\"");
        yield return Count("lm_collector_logs_frames_total", frames, store.FramesDamaged, "outcome=\"damaged\"");
    }

    private static CollectorMetric Count(string name, string help, double value, string labels = "") => new(name, help, true, labels, value);

    private static CollectorMetric Gauge(string name, string help, double value, string labels = "") => new(name, help, false, labels, value);
}
