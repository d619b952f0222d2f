using System.Runtime.CompilerServices;
using Lm.Collector.Settings;
using Lm.Collector.Spool;
using Lm.Platform;
using Lm.Protocol;
using Lm.Protocol.RemoteWrite;

namespace Lm.Collector.Ingest;

/// <summary>A remote-write body's way: bounded decompression, decoding, rules, spool. What may be stored is; what may not is named in the answer.</summary>
internal sealed class RemoteWritePipeline(IAcceptance acceptance, ClockGuard clock, Leases<DecodedWrite> leases, SeriesBound bound, TimeProvider time, IngestMetrics metrics)
{
    // Half a minute is what senders wait for an answer.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>Takes a request's body.</summary>
    /// <param name="sender">Whom the token belongs to.</param>
    /// <param name="receivedAt">The collector's clock when it came.</param>
    /// <param name="body">As it came; must stay unchanged until the returned task has ended.</param>
    /// <param name="current">The settings.</param>
    /// <returns>Null when all of it is stored.</returns>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<WriteRefusal?> ProcessAsync(string sender, UnixMillis receivedAt, ReadOnlyMemory<byte> body, IngestSettings current)
    {
        var refusal = Inflate(body.Span, current.Limits, out var lease);
        if (refusal == WriteRefusal.Overload && await CatchUpAsync())
        {
            refusal = Inflate(body.Span, current.Limits, out lease);
        }

        if (refusal is not null)
        {
            return refusal;
        }

        var isOurs = true; // the lease, until the spool has it
        try
        {
            if (Judge(lease!, receivedAt, current, out var verdict, out var samples) is { } notNow)
            {
                return notNow;
            }

            var write = lease!.Content;
            verdict = Bounded(lease, verdict, ref samples);
            var faults = WriteFaults.Find(write, verdict, samples, current);
            var (exemplars, metadata) = (write.Exemplars, write.Metadata.Length);
            if (samples > 0 || metadata > 0)
            {
                var result = await acceptance.AppendAsync(new WriteEntry(lease, verdict, sender, receivedAt, body));
                if (result.Status != SpoolStatus.Ok)
                {
                    var code = result.Status == SpoolStatus.Full ? ProblemCode.SpoolFull : ProblemCode.StoreUnreachable;
                    return new WriteRefusal(503, code, $"{result.Detail}; send this again later");
                }

                isOurs = false; // and may be in use for another request already
            }

            Interlocked.Add(ref metrics.WriteSamples, samples);
            Interlocked.Add(ref metrics.WriteExemplars, exemplars);
            faults?.Count(metrics);
            return faults?.ToRefusal();
        }
        finally
        {
            if (isOurs)
            {
                lease!.Release();
            }
        }
    }

    // Requests wait in memory until the head has them. A sender of many new series is faster than it for a while; refused, the sender would wait longer than
    // it must, and send the same bytes again.
    private async ValueTask<bool> CatchUpAsync()
    {
        using var patience = new CancellationTokenSource(Patience, time);
        try
        {
            await acceptance.WaitForAcknowledgedAsync(patience.Token);
            return true;
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested)
        {
            return false;
        }
    }

    // The declared length is checked before memory is taken for it.
    private WriteRefusal? Inflate(ReadOnlySpan<byte> body, Limits limits, out Lease<DecodedWrite>? lease)
    {
        lease = null;
        if (!SnappyBlock.TryReadLength(body, out var size))
        {
            return Malformed($"the body of {body.Length} bytes does not begin as a block of Snappy's block format");
        }

        if (size > limits.BatchBytesMax)
        {
            return new WriteRefusal(
                400, ProblemCode.LimitExceeded, $"the body has {size} bytes after decompression; max_batch_bytes is {limits.BatchBytesMax}: send fewer samples in a request");
        }

        if (leases.TryRent(size) is not { } rented)
        {
            return WriteRefusal.Overload;
        }

        lease = rented;
        return SnappyBlock.TryDecompress(body, rented.Payload.Span)
            ? null
            : Release(ref lease, $"the body is no block of Snappy's block format that decompresses to the {size} bytes that it declares");
    }

    private WriteRefusal? Judge(Lease<DecodedWrite> lease, UnixMillis receivedAt, IngestSettings current, out WriteVerdict verdict, out int samples)
    {
        if (!RemoteWriteDecoder.TryDecode(lease.Payload, current.RemoteWrite, lease.Content, out var fault))
        {
            (verdict, samples) = (null!, 0);
            return Malformed(fault);
        }

        verdict = WriteRules.Judge(lease.Content, receivedAt, current.Backfill, TimeSpan.FromSeconds(current.Limits.FutureSecondsMax), out samples);
        var hasLeapt = clock.HasLeapt(receivedAt, out var ahead);
        var isBehind = clock.IsSuspect(receivedAt, out var behind);
        if (verdict.TooOld + verdict.TooNew == 0 || !(isBehind || (hasLeapt && verdict.TooOld > 0)))
        {
            return null;
        }

        // C26: a clock that cannot be right judges nobody. Agents say what their own clock was; senders of remote write do not.
        Interlocked.Increment(ref metrics.ClockSuspect);
        var why = isBehind ? $"is {behind.TotalSeconds:F0} s behind its newest stored record" : $"leapt {ahead.TotalSeconds:F0} s ahead";
        return new WriteRefusal(503, ProblemCode.ClockSuspect, $"the collector's clock {why}: nothing is judged by it until it is right");
    }

    private WriteVerdict Bounded(Lease<DecodedWrite> lease, WriteVerdict verdict, ref int samples)
    {
        var bounded = bound.Admit(lease, verdict);
        if (!ReferenceEquals(bounded, verdict))
        {
            var write = lease.Content;
            foreach (var index in bounded.DroppedSeries)
            {
                if (write.Series[index].Fault == WriteFault.None)
                {
                    foreach (ref readonly var sample in write.Samples(write.Series[index]))
                    {
                        samples -= sample.Time >= verdict.OldestAccepted.Value && sample.Time <= verdict.NewestAccepted.Value ? 1 : 0;
                    }
                }
            }
        }

        return bounded;
    }

    private static WriteRefusal Release(ref Lease<DecodedWrite>? lease, string fault)
    {
        lease?.Release();
        lease = null;
        return Malformed(fault);
    }

    private static WriteRefusal Malformed(string fault) => new(400, ProblemCode.MalformedWrite, fault);
}
