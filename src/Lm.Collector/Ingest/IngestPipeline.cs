using System.Diagnostics;
using System.Runtime.CompilerServices;
using Lm.Collector.Settings;
using Lm.Collector.Spool;
using Lm.Platform;
using Lm.Protocol;

namespace Lm.Collector.Ingest;

/// <summary>A body's way: frames, batches, rules, ledger, spool; an outcome for each frame, whatever becomes of the others.</summary>
internal sealed class IngestPipeline(
    Func<IngestSettings> settings, SequenceLedger ledger, IAcceptance acceptance, ClockGuard clock, Leases<DecodedBatch> leases, SeriesBound bound, IngestMetrics metrics)
{
    private readonly FrameSplitter splitter = new(leases);

    /// <summary>Takes a request's frames.</summary>
    /// <param name="request">Its headers, the sender verified.</param>
    /// <param name="body">Its frames; must stay unchanged until the returned task has ended.</param>
    public ValueTask<IngestOutcome> ProcessAsync(IngestRequest request, ReadOnlyMemory<byte> body)
    {
        var current = settings();
        var frames = splitter.Split(body, current.Limits);
        var owned = true; // the leases are still ours
        try
        {
            if (Contradiction(request, frames) is { } refusal)
            {
                metrics.Refuse(refusal.Frames[0].Code);
                return ValueTask.FromResult(refusal);
            }

            owned = false;
            return frames.Count == 1 ? ProcessOneAsync(request, frames[0], body, current) : ProcessAllAsync(request, frames, body, current);
        }
        finally
        {
            for (var i = 0; owned && i < frames.Count; i++)
            {
                frames[i].Lease?.Release();
            }
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<IngestOutcome> ProcessOneAsync(IngestRequest request, FrameInHand frame, ReadOnlyMemory<byte> body, IngestSettings current)
    {
        var batch = frame.Lease?.Content;
        var (queueId, interval) = (batch?.Key.QueueId, batch?.IntervalMs ?? 0);
        FrameAck[] outcomes = [await TakeAsync(request, frame, body, current)];
        Count(outcomes);
        return new IngestOutcome(outcomes, queueId, interval);
    }

    private async ValueTask<IngestOutcome> ProcessAllAsync(
        IngestRequest request, List<FrameInHand> frames, ReadOnlyMemory<byte> body, IngestSettings current)
    {
        var (queueId, interval) = (default(QueueId?), 0);
        foreach (var frame in frames)
        {
            queueId ??= frame.Lease?.Content.Key.QueueId;
            interval = frame.Lease?.Content.IntervalMs ?? interval;
        }

        // All appends are under way before the first is awaited, so that one sync serves the whole request.
        var acks = new Task<FrameAck>[frames.Count];
        for (var i = 0; i < acks.Length; i++)
        {
            acks[i] = TakeAsync(request, frames[i], body, current).AsTask();
        }

        var outcomes = await Task.WhenAll(acks);
        Count(outcomes);
        return new IngestOutcome(outcomes, queueId, interval);
    }

    // Takes over the frame's lease, and never throws itself: what the frames beside it began goes on with the body's memory.
    private ValueTask<FrameAck> TakeAsync(in IngestRequest request, in FrameInHand frame, ReadOnlyMemory<byte> body, IngestSettings current)
    {
        if (frame.Refusal is { } refusal)
        {
            return ValueTask.FromResult(refusal);
        }

        var lease = frame.Lease ?? throw new UnreachableException("a frame is refused or has a batch");
        try
        {
            if (Admit(request, frame, lease, body, current, out var answer) is { } entry)
            {
                return StoreAsync(entry);
            }

            lease.Release();
            return answer;
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            lease.Release();
            return ValueTask.FromException<FrameAck>(e);
        }
    }

    // What is to be stored, or the answer.
    private SpoolEntry? Admit(
        in IngestRequest request, in FrameInHand frame, Lease<DecodedBatch> lease, ReadOnlyMemory<byte> body, IngestSettings current, out ValueTask<FrameAck> answer)
    {
        var batch = lease.Content;
        answer = default;
        var verdict = BatchRules.Judge(batch, current.Limits, request.ReceivedAt, current.Backfill, out var newest);
        var notNow = RefusalByTime(request, batch.Key.Sequences, verdict, newest, current);
        var fingerprint = new FrameFingerprint(frame.Frame.Checksum, frame.Frame.Length);
        var admission = ledger.Admit(batch.Key, fingerprint, request.SeqFloor, request.ReceivedAt, mayEnter: notNow is null);
        if (admission is { Admission: Admission.New, Batch: { } pending })
        {
            return new SpoolEntry(lease, bound.Admit(lease, verdict), pending, body.Slice(frame.Offset, frame.Frame.Length));
        }

        answer = admission.Admission == Admission.New
            ? ValueTask.FromResult(notNow ?? throw new UnreachableException("a new frame that may enter is pending"))
            : AnswerKnownAsync(batch.Key.Sequences, admission);
        return null;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<FrameAck> StoreAsync(SpoolEntry entry)
    {
        var batch = entry.Lease.Content;
        var (samples, logs, alerts) = (batch.SampleCount, batch.Logs.Length, batch.Alerts.Length);
        var sequences = entry.Pending.Key.Sequences;
        var result = await acceptance.AppendAsync(entry);
        FrameAck ack;
        if (result.Status == SpoolStatus.Ok)
        {
            // The lease is the spool's now, and may be in use for another batch already.
            Interlocked.Add(ref metrics.Samples, samples);
            Interlocked.Add(ref metrics.LogRecords, logs);
            Interlocked.Add(ref metrics.AlertRecords, alerts);
            var verdict = entry.Verdict;
            ack = new FrameAck(
                sequences, FrameOutcome.Accepted, 200, "", verdict.FirstDropped, verdict.TooOldCount, verdict.DroppedSeries.Count + verdict.DroppedLogs.Count);
        }
        else if (result.Status == SpoolStatus.Known)
        {
            entry.Lease.Release();
            ack = AnswerOf(sequences, result.Known, result.Detail);
        }
        else
        {
            entry.Lease.Release();
            var code = result.Status == SpoolStatus.Full ? ProblemCode.SpoolFull : ProblemCode.StoreUnreachable;
            ack = IngestOutcome.Refuse(sequences, 503, code, $"{result.Detail}; keep the batch and send it again later");
        }

        entry.Pending.Complete(ack);
        return ack;
    }

    private static async ValueTask<FrameAck> AnswerKnownAsync(SequenceRange sequences, AdmissionResult admission)
    {
        if (admission.Admission != Admission.Pending)
        {
            return AnswerOf(sequences, admission.Admission, admission.Detail);
        }

        var ack = await (admission.Batch ?? throw new UnreachableException("a pending frame has a batch")).WaitAsync();
        return ack.Outcome == FrameOutcome.Accepted ? AnswerOf(sequences, Admission.Duplicate, "") : ack;
    }

    private static FrameAck AnswerOf(SequenceRange sequences, Admission known, string detail) => known switch
    {
        Admission.Duplicate => new FrameAck(sequences, FrameOutcome.Duplicate, 200, "", "", 0, 0),
        Admission.Fork => IngestOutcome.Refuse(sequences, 409, ProblemCode.SequenceFork, detail),
        Admission.Overlap => IngestOutcome.Refuse(sequences, 409, ProblemCode.SequenceOverlap, detail),
        _ => IngestOutcome.Refuse(sequences, 429, ProblemCode.TooManyGaps, detail),
    };

    // C25 and C26: what the clocks say about a batch that would be new.
    private FrameAck? RefusalByTime(
        in IngestRequest request, SequenceRange sequences, BatchVerdict verdict, UnixMillis newest, IngestSettings current)
    {
        var tolerance = TimeSpan.FromSeconds(current.Limits.FutureSecondsMax);
        var ahead = newest - request.ReceivedAt;
        var isFuture = ahead > tolerance;
        if (!isFuture && verdict.TooOldCount == 0)
        {
            return null;
        }

        var isOwnSuspect = clock.IsSuspect(request.ReceivedAt, out var behind);
        if (isOwnSuspect)
        {
            Interlocked.Increment(ref metrics.ClockSuspect);
            return IngestOutcome.Refuse(
                sequences, 503, ProblemCode.ClockSuspect,
                $"the collector's clock is {behind.TotalSeconds:F0} s behind its newest stored batch: nothing is judged by it until it is right");
        }

        if (isFuture)
        {
            return IngestOutcome.Refuse(
                sequences, 429, ProblemCode.FutureTimestamp,
                $"the newest record is {ahead.TotalSeconds:F0} s ahead of the collector's clock; max_future_seconds is {current.Limits.FutureSecondsMax}");
        }

        if (request.SentAt is { } sentAt && (sentAt - request.ReceivedAt).Duration() > tolerance)
        {
            Interlocked.Increment(ref metrics.ClockSuspect);
            return IngestOutcome.Refuse(
                sequences, 503, ProblemCode.ClockSuspect,
                $"{BatchHeaders.SentAt} and the collector's clock differ by {(sentAt - request.ReceivedAt).TotalSeconds:F0} s, more than max_future_seconds ({current.Limits.FutureSecondsMax}): "
                + $"{verdict.TooOldCount} records would be dropped as too old, so the batch waits until the clocks agree");
        }

        return null;
    }

    // Headers that say something else than the frames make the whole request suspect.
    private static IngestOutcome? Contradiction(in IngestRequest request, List<FrameInHand> frames)
    {
        var (lowest, highest, isComplete) = (ulong.MaxValue, 0UL, true);
        foreach (var frame in frames)
        {
            if (frame.Lease is not { } lease)
            {
                isComplete = false; // its sequences are not known
                continue;
            }

            var key = lease.Content.Key;
            if (!string.Equals(key.AgentId, request.AgentId, StringComparison.Ordinal))
            {
                return IngestOutcome.Refused(
                    403, ProblemCode.AgentMismatch, $"the token belongs to agent {request.AgentId}; the batch at byte {frame.Offset} names another in its agent_id");
            }

            (lowest, highest) = (Math.Min(lowest, key.Sequences.Start), Math.Max(highest, key.Sequences.End));
        }

        if (highest == 0)
        {
            return null; // no frame could be read, and each says why
        }

        var agrees = isComplete
            ? lowest == request.SeqStart && highest == request.SeqEnd
            : lowest >= request.SeqStart && highest <= request.SeqEnd;
        return agrees
            ? null
            : IngestOutcome.Refused(
                400, ProblemCode.MalformedBatch,
                $"{BatchHeaders.SeqStart} and {BatchHeaders.SeqEnd} are {request.SeqStart} and {request.SeqEnd}; the frames have {lowest} to {highest}");
    }

    private void Count(FrameAck[] acks)
    {
        foreach (var ack in acks)
        {
            switch (ack.Outcome)
            {
                case FrameOutcome.Accepted:
                    Interlocked.Increment(ref metrics.Accepted);
                    Interlocked.Add(ref metrics.DroppedTooOld, ack.DroppedTooOld);
                    Interlocked.Add(ref metrics.DroppedOverLimit, ack.DroppedOverLimit);
                    break;
                case FrameOutcome.Duplicate:
                    Interlocked.Increment(ref metrics.Duplicates);
                    break;
                default:
                    metrics.Refuse(ack.Code);
                    break;
            }
        }
    }
}
