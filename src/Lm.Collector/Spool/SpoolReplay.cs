using System.Buffers;
using Lm.Collector.Ingest;
using Lm.Journal;
using Lm.Protocol;
using Lm.Protocol.Framing;

namespace Lm.Collector.Spool;

/// <summary>Reads the whole spool back at start.</summary>
/// <remarks>Every record goes through the dedupe that live batches go through (D3). What the ledger's snapshot covers goes through a second,
/// passing ledger instead: in the real one all of it is known already, and must reach the consumers all the same.</remarks>
internal sealed class SpoolReplay(
    Journal.Journal journal, SequenceLedger ledger, ClockGuard clock, SegmentAges ages, SpoolMetrics metrics, ILogger logger)
{
    // What a record may hold does not depend on today's settings: it was acknowledged under others.
    private static readonly Limits Unlimited = new()
    {
        BodyBytesMax = int.MaxValue,
        BatchBytesMax = BatchSpoolLimits.BatchBytesMax,
        SeriesPerBatchMax = 1 << 24,
        SamplesPerBatchMax = 1 << 26,
        LogsPerBatchMax = 1 << 24,
        AlertsPerBatchMax = 1 << 20,
        LabelsPerSeriesMax = 1 << 16,
        LabelKeyBytesMax = int.MaxValue,
        LabelValueBytesMax = int.MaxValue,
        LogMessageBytesMax = int.MaxValue,
    };

    private static readonly TimeSpan ProgressInterval = TimeSpan.FromSeconds(5);

    private readonly SequenceLedger passing = new();
    private readonly DecodedBatch batch = new();
    private byte[] payload = [];
    private long records;
    private long repeats;

    /// <summary>Reads and applies everything.</summary>
    public void Run(IReadOnlyList<IBatchConsumer> consumers, TimeProvider time, CancellationToken stopping)
    {
        var covered = ledger.Covered;
        var began = time.GetTimestamp();
        var reported = began;
        var readBytes = 0L;
        foreach (var record in journal.Read())
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

        if (payload.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(payload);
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
        if (Read(record.Payload, out var head, out var frame) is { } fault)
        {
            Interlocked.Increment(ref metrics.RecordsUnreadable);
            SpoolLog.RecordUnreadable(logger, record.Position.Segment, record.Position.Offset, fault);
            return;
        }

        records++;
        Interlocked.Increment(ref metrics.RecordsReplayed);
        clock.Note(head.ReceivedAt);
        ages.Note(record.Position.Segment, head.ReceivedAt);
        if (!into.Replay(batch.Key, new FrameFingerprint(frame.Checksum, frame.Length), head.Floor, head.ReceivedAt, record.Position))
        {
            repeats++;
            Interlocked.Increment(ref metrics.RepeatsLeftOut);
            return;
        }

        var accepted = new AcceptedBatch
        {
            Position = record.Position,
            ReceivedAt = head.ReceivedAt,
            Batch = batch,
            Verdict = head.Verdict,
            IsReplay = true,
            FrameBytes = frame.Length,
        };
        foreach (var consumer in consumers)
        {
            consumer.Apply(accepted);
        }
    }

    private string? Read(ReadOnlyMemory<byte> record, out SpoolHead head, out Frame frame)
    {
        frame = default;
        if (SpoolRecord.TryRead(record, out head, out var bytes) is { } fault)
        {
            return fault;
        }

        var status = FrameReader.TryRead(bytes.Span, BatchSpoolLimits.BatchBytesMax, out frame);
        if (status == FrameStatus.Ok)
        {
            Reserve(frame.PayloadLength);
            status = FrameReader.ReadPayload(bytes.Span, frame, payload);
        }

        if (status != FrameStatus.Ok)
        {
            return FrameReader.Describe(status, bytes.Span, BatchSpoolLimits.BatchBytesMax);
        }

        return BatchDecoder.Decode(payload.AsMemory(0, frame.PayloadLength), Unlimited, batch, out var undecodable) == DecodeStatus.Ok
            ? null
            : undecodable;
    }

    private void Reserve(int size)
    {
        if (payload.Length >= size)
        {
            return;
        }

        if (payload.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(payload);
        }

        payload = ArrayPool<byte>.Shared.Rent(size);
    }
}

/// <summary>Bounds that no setting can go beyond, because the spool must stay readable under every later setting.</summary>
internal static class BatchSpoolLimits
{
    /// <summary>The largest max_body_bytes.</summary>
    public const int BodyBytesMax = 64 << 20;

    /// <summary>The largest max_batch_bytes.</summary>
    public const int BatchBytesMax = 256 << 20;
}
