using Lm.Collector.Ingest;
using Lm.Collector.Listeners;
using Lm.Collector.Spool;

namespace Lm.Collector;

/// <summary>The values of <c>/metrics</c> that ingest, spool and listeners count.</summary>
internal sealed class CollectorMetrics(IngestMetrics ingest, SpoolMetrics spoolMetrics, BatchSpool spool, MemoryBudget budget, SeriesBound bound, SequenceLedger ledger, ClockGuard clock)
{
    /// <summary>The ingest listener, once it is made.</summary>
    public HttpListenerHost? IngestListener { get; set; }

    /// <summary>The private listener, once it is made.</summary>
    public HttpListenerHost? QueryListener { get; set; }

    /// <summary>The values now, those of one name together.</summary>
    public IReadOnlyList<CollectorMetric> Collect()
    {
        var values = new List<CollectorMetric>(64);
        Count("lm_collector_ingest_requests_total", "Batch requests received.", Interlocked.Read(ref ingest.Requests));
        Count("lm_collector_ingest_body_bytes_total", "Bytes of bodies read, of batches and of remote write.", Interlocked.Read(ref ingest.BodyBytes));
        Count("lm_collector_batches_accepted_total", "Batches made durable and acknowledged.", Interlocked.Read(ref ingest.Accepted));
        Count("lm_collector_batches_duplicate_total", "Batches that were durable already.", Interlocked.Read(ref ingest.Duplicates));
        foreach (var (code, count) in ingest.Refused)
        {
            values.Add(new CollectorMetric("lm_collector_refused_total", "Batches or requests refused, by problem code; those of remote write that were stored in part among them.", true, $"code=\"{code}\"", count));
        }

        Count("lm_collector_samples_accepted_total", "Samples of accepted batches.", Interlocked.Read(ref ingest.Samples));
        Count("lm_collector_log_records_accepted_total", "Log records of accepted batches.", Interlocked.Read(ref ingest.LogRecords));
        Count("lm_collector_alert_records_accepted_total", "Alert records of accepted batches.", Interlocked.Read(ref ingest.AlertRecords));
        Labeled("lm_collector_records_dropped_total", "Records left out of accepted batches, by reason.", "reason=\"too_old\"", Interlocked.Read(ref ingest.DroppedTooOld));
        Labeled("lm_collector_records_dropped_total", "Records left out of accepted batches, by reason.", "reason=\"over_limit\"", Interlocked.Read(ref ingest.DroppedOverLimit));
        Count("lm_collector_remote_write_requests_total", "Remote-write requests received.", Interlocked.Read(ref ingest.WriteRequests));
        Count("lm_collector_remote_write_samples_total", "Samples of remote write made durable.", Interlocked.Read(ref ingest.WriteSamples));
        foreach (var (reason, count) in ingest.WriteDropped)
        {
            Labeled("lm_collector_remote_write_dropped_total", "Samples of remote write left out, by reason.", $"reason=\"{reason}\"", count);
        }

        Count("lm_collector_remote_write_exemplars_dropped_total", "Exemplars of remote write, which are not stored.", Interlocked.Read(ref ingest.WriteExemplars));
        Gauge("lm_collector_series_max", "Series that the head may have.", bound.Max);
        Count("lm_collector_series_refused_total", "Series of batches and of remote write left out because the head has as many as it may, each time that they came.", bound.Refused);
        Count("lm_collector_clock_suspect_total", "Batches and requests put off because a clock cannot be right.", Interlocked.Read(ref ingest.ClockSuspect));
        Count("lm_collector_request_faults_total", "Requests that failed by a fault of the collector.", Interlocked.Read(ref ingest.Faults));
        Gauge("lm_collector_clock_suspect", "1 while the collector's clock precedes its newest stored batch.", clock.IsSuspect(out _) ? 1 : 0);
        var queues = ledger.Snapshot();
        Gauge("lm_collector_queues", "Agent queues in the sequence ledger.", queues.Count);
        Gauge("lm_collector_sequence_gaps", "Sequences of known queues that never came and never will.", queues.Sum(queue => (double)queue.Gaps));
        Gauge("lm_collector_spool_bytes", "Bytes of the spool.", spool.SizeBytes);
        Gauge("lm_collector_spool_segments", "Segments of the spool.", spool.Segments.Count);
        Gauge("lm_collector_spool_unapplied_batches", "Batches and requests acknowledged and not yet visible to queries.", spool.Behind);
        Gauge("lm_collector_spool_unapplied_bytes", "Bytes of them, decompressed.", spool.BehindBytes);
        Count("lm_collector_spool_records_total", "Records committed to the spool.", Interlocked.Read(ref spoolMetrics.RecordsCommitted));
        Count("lm_collector_spool_frame_bytes_total", "Bytes of frames and of remote-write bodies committed to the spool.", Interlocked.Read(ref spoolMetrics.BytesCommitted));
        Count("lm_collector_spool_full_total", "Appends refused because spool or disk were full.", Interlocked.Read(ref spoolMetrics.AppendsRefusedFull));
        Count("lm_collector_spool_failures_total", "Appends whose write or sync failed.", Interlocked.Read(ref spoolMetrics.AppendsFailed));
        Count("lm_collector_spool_replayed_records_total", "Records read back at start.", Interlocked.Read(ref spoolMetrics.RecordsReplayed));
        Count("lm_collector_spool_repeats_total", "Records left out at replay because they repeat another.", Interlocked.Read(ref spoolMetrics.RepeatsLeftOut));
        Count("lm_collector_spool_unreadable_total", "Records that could not be read back.", Interlocked.Read(ref spoolMetrics.RecordsUnreadable));
        Count("lm_collector_spool_consumer_failures_total", "Batches that a consumer failed on.", Interlocked.Read(ref spoolMetrics.ConsumerFailures));
        Count("lm_collector_spool_trimmed_segments_total", "Segments deleted because of their age.", Interlocked.Read(ref spoolMetrics.SegmentsTrimmed));
        Gauge("lm_collector_request_memory_bytes", "Bytes held by bodies and decompressed batches.", budget.Taken);
        Connections("lm_collector_connections", "Open connections, by listener.", false, listener => listener.ConnectionCount);
        Connections("lm_collector_connections_total", "Connections taken, by listener.", true, listener => listener.ConnectionsTotal);
        return values;

        void Count(string name, string help, double value) => values.Add(new CollectorMetric(name, help, true, "", value));

        void Labeled(string name, string help, string labels, double value) => values.Add(new CollectorMetric(name, help, true, labels, value));

        void Gauge(string name, string help, double value) => values.Add(new CollectorMetric(name, help, false, "", value));

        void Connections(string name, string help, bool isCounter, Func<HttpListenerHost, long> read)
        {
            if (IngestListener is { } ingestListener)
            {
                values.Add(new CollectorMetric(name, help, isCounter, "listener=\"ingest\"", read(ingestListener)));
            }

            if (QueryListener is { } queryListener)
            {
                values.Add(new CollectorMetric(name, help, isCounter, "listener=\"query\"", read(queryListener)));
            }
        }
    }
}
