using Lm.Collector.Ingest;
using Lm.Journal;
using Lm.Platform;
using Lm.Protocol;

namespace Lm.Collector.Spool;

/// <summary>Reads the spool back at start.</summary>
/// <remarks>Every record goes through the dedupe that live batches go through (D3). What the ledger's snapshot covers goes through a second,
/// passing ledger instead: in the real one all of it is known already, and must reach the consumers all the same.</remarks>
internal sealed class SpoolReplay(
    Journal.Journal journal, SequenceLedger ledger, ClockGuard clock, SegmentAges ages, SpoolMetrics metrics, ILogger logger)
{
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromSeconds(5);

    private readonly SequenceLedger passing = new();
    private readonly BatchReader batches = new();
    private readonly WriteReader writes = new();
    private UnixMillis startedAt;
    private long records;
    private long repeats;

    /// <summary>Reads and applies everything from a position on.</summary>
    public void Run(JournalPosition from, IReadOnlyList<IBatchConsumer> consumers, TimeProvider time, CancellationToken stopping)
    {
        startedAt = UnixMillis.Now(time);
        var covered = ledger.Covered;
        var began = time.GetTimestamp();
        var reported = began;
        var readBytes = 0L;
        foreach (var record in journal.Read(from))
        {
            stopping.ThrowIfCancellationRequested();
            readBytes += record.Payload.Length;
            if (!record.IsPreamble)
            {
                Replay(record, record.Position <= covered && covered != default ? passing : ledger, consumers);
            }

            if (time.GetElapsedTime(reported) > ProgressInterval)
            {
                reported = time.GetTimestamp();
                ReportProgress(readBytes, Math.Max(time.GetElapsedTime(began).TotalSeconds, 0.001));
            }
        }

        var elapsedMs = (long)time.GetElapsedTime(began).TotalMilliseconds;
        SpoolLog.Replayed(logger, records, elapsedMs, repeats);
    }

    private void ReportProgress(long readBytes, double seconds)
    {
        var sizeBytes = journal.SizeBytes;
        var secondsLeft = (long)((sizeBytes - readBytes) / Math.Max(readBytes / seconds, 1));
        var rate = (long)(records / seconds);
        SpoolLog.Replaying(logger, records, readBytes, sizeBytes, rate, secondsLeft);
    }

    private void Replay(in JournalRecord record, SequenceLedger into, IReadOnlyList<IBatchConsumer> consumers)
    {
        var fault = (record.Payload.IsEmpty ? (byte)0 : record.Payload.Span[0]) switch
        {
            WriteRecord.Kind => ReplayWrite(record, consumers),
            UpRecord.Kind => ReplayUps(record, consumers),
            _ => ReplayBatch(record, into, consumers),
        };
        if (fault is not null)
        {
            Interlocked.Increment(ref metrics.RecordsUnreadable);
            ages.NoteUnreadable(record.Position.Segment, startedAt);
            SpoolLog.RecordUnreadable(logger, record.Position.Segment, record.Position.Offset, fault);
        }
    }

    private string? ReplayBatch(in JournalRecord record, SequenceLedger into, IReadOnlyList<IBatchConsumer> consumers)
    {
        if (batches.TryRead(record.Payload, out var head, out var frame) is { } fault)
        {
            return fault;
        }

        clock.Note(head.ReceivedAt);
        Note(record.Position, head.ReceivedAt, batches.Batch.Alerts.Length > 0);
        if (!into.Replay(batches.Batch.Key, new FrameFingerprint(frame.Checksum, frame.Length), head.Floor, head.ReceivedAt, record.Position))
        {
            repeats++;
            Interlocked.Increment(ref metrics.RepeatsLeftOut);
            return null;
        }

        return Give(record.Position, batches.Accepted(record.Position, head, frame), consumers, static (consumer, accepted) => consumer.Apply(accepted));
    }

    // A request that came twice is stored twice: the same value for the same time changes nothing (V20).
    private string? ReplayWrite(in JournalRecord record, IReadOnlyList<IBatchConsumer> consumers)
    {
        if (writes.TryRead(record.Payload, out var head) is { } fault)
        {
            return fault;
        }

        Note(record.Position, clock.NoteOwn(head.ReceivedAt, new UnixMillis(writes.Write.NewestTime)), isOnlyHere: false);
        ledger.Advance(record.Position);
        return Give(record.Position, writes.Accepted(record.Position, head), consumers, static (consumer, accepted) => consumer.Apply(accepted));
    }

    private string? ReplayUps(in JournalRecord record, IReadOnlyList<IBatchConsumer> consumers)
    {
        if (UpRecord.TryRead(record.Payload.Span, out var at, out var agents) is { } fault)
        {
            return fault;
        }

        Note(record.Position, clock.NoteOwn(at, new UnixMillis(long.MinValue)), isOnlyHere: false);
        ledger.Advance(record.Position);
        var ups = new AcceptedUps(record.Position, at, agents, IsReplay: true);
        return Give(record.Position, ups, consumers, static (consumer, ups) => consumer.Apply(ups));
    }

    // As live: one that fails on a record must not keep the collector from starting.
    private string? Give<T>(JournalPosition position, T record, IReadOnlyList<IBatchConsumer> consumers, Action<IBatchConsumer, T> apply)
    {
        foreach (var consumer in consumers)
        {
            try
            {
                apply(consumer, record);
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                metrics.CountConsumerFailure(e);
                SpoolLog.ConsumerFailed(logger, e, position.Segment, position.Offset);
            }
        }

        return null;
    }

    private void Note(JournalPosition position, UnixMillis receivedAt, bool isOnlyHere)
    {
        records++;
        Interlocked.Increment(ref metrics.RecordsReplayed);
        ages.Note(position.Segment, receivedAt, isOnlyHere);
    }
}

/// <summary>Bounds that no setting can go beyond, because the spool must stay readable under every later setting.</summary>
internal static class BatchSpoolLimits
{
    /// <summary>The largest max_body_bytes.</summary>
    public const int BodyBytesMax = 64 << 20;

    /// <summary>The largest max_batch_bytes.</summary>
    public const int BatchBytesMax = 256 << 20;

    /// <summary>For what was accepted: what a record may hold does not depend on today's settings, it was acknowledged under others.</summary>
    public static Limits Accepted { get; } = new()
    {
        BodyBytesMax = int.MaxValue,
        BatchBytesMax = BatchBytesMax,
        SeriesPerBatchMax = 1 << 24,
        SamplesPerBatchMax = 1 << 26,
        LogsPerBatchMax = 1 << 24,
        AlertsPerBatchMax = 1 << 20,
        LabelsPerSeriesMax = 1 << 16,
        LabelKeyBytesMax = int.MaxValue,
        LabelValueBytesMax = int.MaxValue,
        LogMessageBytesMax = int.MaxValue,
    };
}
