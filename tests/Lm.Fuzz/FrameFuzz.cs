using System.Diagnostics;
using System.Globalization;
using Lm.Platform;
using Lm.Protocol;
using Lm.Protocol.Framing;

namespace Lm.Fuzz;

/// <summary>Reads damaged frames and checks that nothing throws, that memory stays within the limits, and that what is taken is valid.</summary>
internal sealed class FrameFuzz
{
    private const int PayloadMax = 1 << 18;

    // What one batch may make the decoder allocate for it in a new state: all arrays at what these limits allow, and a sentence.
    private const long AllocatedMax = 4 << 20;

    // A decode takes microseconds. Longer, three times in a row, is not a busy machine but a loop that is not linear.
    private static readonly TimeSpan DecodeMax = TimeSpan.FromMilliseconds(100);

    private static readonly Limits Small = new()
    {
        BatchBytesMax = PayloadMax,
        SeriesPerBatchMax = 107,
        LabelsPerSeriesMax = 4,
        LabelKeyBytesMax = 14,
        LabelValueBytesMax = 64,
        SamplesPerBatchMax = 400,
        LogsPerBatchMax = 40,
        LogMessageBytesMax = 100,
        AlertsPerBatchMax = 4,
    };

    // So near to what the seeds have that arrays are often full to their end.
    private static readonly Limits Tiny = Small with
    {
        SeriesPerBatchMax = 3,
        LabelsPerSeriesMax = 0,
        SamplesPerBatchMax = 3,
        LogsPerBatchMax = 0,
        AlertsPerBatchMax = 0,
    };


    private readonly byte[][] payloads = SeedFrames.Payloads();
    private readonly byte[] ack = SeedFrames.Ack();
    private readonly byte[] payload = new byte[PayloadMax];
    private readonly Tally tally = new();
    private readonly Mutator mutator;
    private DecodedBatch batch = new();
    private byte[] frame = [];
    private Limits limits = Small;

    private FrameFuzz() => mutator = new Mutator(payloads);

    /// <summary>Runs from one iteration on.</summary>
    /// <returns>0, or 1 with the failing iteration and its bytes on standard error.</returns>
    public static int Run(long seed, long first, long count)
    {
        var fuzz = new FrameFuzz();
        var started = Stopwatch.StartNew();
        var reported = started.Elapsed;
        for (var at = first; at < first + count; at++)
        {
            try
            {
                fuzz.Iterate(seed, at);
            }
            catch (Exception exception) when (exception is not OutOfMemoryException)
            {
                Console.Error.WriteLine($"failed at iteration {at} (repeat: frames --seed {seed} --at {at}): {exception}");
                Console.Error.WriteLine(Convert.ToBase64String(fuzz.frame));
                return 1;
            }

            if (started.Elapsed - reported > TimeSpan.FromSeconds(10))
            {
                reported = started.Elapsed;
                var done = at - first + 1;
                var left = started.Elapsed * ((double)(count - done) / done);
                Console.Error.WriteLine(string.Create(
                    CultureInfo.InvariantCulture, $"{done} of {count}, {done / started.Elapsed.TotalSeconds:0} a second, {left.TotalSeconds:0} s left"));
            }
        }

        Console.WriteLine(fuzz.tally.ToJson(seed, count, started.Elapsed));
        return 0;
    }

    private void Iterate(long seed, long at)
    {
        mutator.Seed(seed, at);

        // Now and then in a new state, so that what arrays of earlier batches hide is seen.
        if (mutator.Next(16) == 0)
        {
            batch = new DecodedBatch();
        }

        limits = mutator.Next(4) == 0 ? Tiny : Small;
        frame = MutatedFrame();
        var status = Read(out var found);
        tally.Count(status);
        if (status == FrameStatus.Ok)
        {
            Decode(found.PayloadLength);
        }
        else
        {
            Check(FrameReader.Describe(status, frame, PayloadMax).Length is > 0 and < 1000, "a frame's fault is described");
        }

        if (mutator.Next(32) == 0)
        {
            frame = mutator.Next(2) == 0 ? mutator.Bytes(ack) : mutator.Message(ack);
            tally.Acks += IngestAck.TryDecode(frame, out _) ? 1 : 0;
        }
    }

    // Three of four times the payload is damaged and the checksum is right again, so that the decoder is really reached.
    private byte[] MutatedFrame()
    {
        var source = payloads[mutator.Next(payloads.Length)];
        if (mutator.Next(4) == 0)
        {
            var whole = Framed(source);
            return mutator.Next(2) == 0 ? mutator.Bytes(whole) : [.. mutator.Bytes(whole[..FrameReader.HeaderSize]), .. whole[FrameReader.HeaderSize..]];
        }

        var damaged = mutator.Message(source);
        return damaged.Length is 0 or > PayloadMax ? Framed(source) : Framed(damaged);
    }

    private byte[] Framed(byte[] source)
    {
        if (mutator.Next(16) != 0)
        {
            var plain = new byte[FrameReader.HeaderSize + source.Length];
            FrameWriter.WriteUncompressed(source, plain);
            return plain;
        }

        var room = new byte[FrameWriter.SizeMax(source.Length)];
        var compressed = room[..FrameWriter.Write(source, room)];
        if (mutator.Next(2) == 0 && compressed[FrameHeader.FlagsAt] == FrameHeader.ZstdFlag)
        {
            // What zstd makes of damage behind a right checksum.
            var stored = mutator.Bytes(compressed[FrameReader.HeaderSize..]);
            compressed = [.. compressed[..FrameReader.HeaderSize], .. stored];
            FrameHeader.Write(compressed, isCompressed: true, stored, source.Length + mutator.Next(3) - 1);
        }

        return compressed;
    }

    private FrameStatus Read(out Frame found)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        var headerStatus = FrameReader.TryReadHeader(frame, PayloadMax, out var declared);
        var status = FrameReader.TryRead(frame, PayloadMax, out found);
        if (status == FrameStatus.Ok)
        {
            Check(headerStatus == FrameStatus.Ok && declared == found, "the header says the same before and after its checksum is known");
            status = FrameReader.ReadPayload(frame, found, payload);
        }

        // The zstd context of the thread comes once; it is native and its handle small.
        Check(GC.GetAllocatedBytesForCurrentThread() - before < 1000, "reading a frame allocates nothing");
        return status;
    }

    private void Decode(int length)
    {
        var bytes = payload.AsMemory(0, length);
        var started = Stopwatch.GetTimestamp();
        var before = GC.GetAllocatedBytesForCurrentThread();
        var status = BatchDecoder.Decode(bytes, limits, batch, out var fault);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        var took = Stopwatch.GetElapsedTime(started);
        tally.Count(status);
        tally.PayloadMax = Math.Max(tally.PayloadMax, length);
        tally.AllocatedMax = Math.Max(tally.AllocatedMax, allocated);
        tally.SlowestDecode = took > tally.SlowestDecode ? took : tally.SlowestDecode;
        Check(allocated <= AllocatedMax, $"decoding {length} bytes allocated {allocated}");
        Check(took < DecodeMax || IsFastAgain(bytes), $"decoding {length} bytes took {took}, and as long again");
        if (status == DecodeStatus.Ok)
        {
            CheckBatch();
        }
        else
        {
            Check(fault.Length is > 0 and < 1000 && !fault.AsSpan().ContainsAny('\n', '\r', '\e'), "a batch's fault is one line");
            Check(batch.Series.Length + batch.Logs.Length + batch.Alerts.Length == 0, "a refused batch is empty");
        }
    }

    private bool IsFastAgain(ReadOnlyMemory<byte> bytes)
    {
        for (var left = 3; left > 0; left--)
        {
            var started = Stopwatch.GetTimestamp();
            BatchDecoder.Decode(bytes, limits, batch, out _);
            if (Stopwatch.GetElapsedTime(started) < DecodeMax)
            {
                return true;
            }
        }

        return false;
    }

    private void CheckBatch()
    {
        foreach (ref readonly var series in batch.Series)
        {
            Check(batch.Labels(series).Length >= 2, "a series has a name");
            CheckLabels(batch.Labels(series));
            Check(batch.Times(series).Length == batch.Values(series).Length, "as many times as values");
            Check(batch.Symbol(series.Unit).Length + batch.Symbol(series.Help).Length >= 0, "unit and help text are symbols");
            foreach (ref readonly var histogram in batch.Histograms(series))
            {
                Check(batch.Counts(histogram).Length == batch.Bounds(histogram).Length + 1, "one count more than bounds");
            }
        }

        foreach (ref readonly var log in batch.Logs)
        {
            CheckLabels(batch.Attributes(log));
            Check(System.Text.Unicode.Utf8.IsValid(batch.Body(log)), "a body is UTF-8");
        }

        foreach (ref readonly var alert in batch.Alerts)
        {
            CheckLabels(batch.Labels(alert));
            Check(batch.Symbol(alert.Name).Length > 0 && batch.Symbol(alert.Message).Length >= 0, "an alert has a name");
        }

        CheckLabels(batch.CommonLabels);
        Check(batch.SampleCount <= limits.SamplesPerBatchMax, "samples are within their limit");
        CheckVerdict();
        if (mutator.Next(16) == 0)
        {
            CheckRewrite();
        }
    }

    private void CheckLabels(ReadOnlySpan<uint> labels)
    {
        Check(labels.Length % 2 == 0, "labels are pairs");
        for (var i = 0; i < labels.Length; i += 2)
        {
            Check(!batch.Symbol(labels[i]).IsEmpty && !batch.Symbol(labels[i + 1]).IsEmpty, "a label has a name and a value");
        }
    }

    private void CheckVerdict()
    {
        var verdict = BatchRules.Judge(batch, limits, new UnixMillis(1_767_323_045_000), TimeSpan.FromDays(35), out var newest);
        Check(newest >= batch.CollectedAt, "the newest time is not before the collection");
        Check(verdict.DroppedSeries.All(at => at < batch.Series.Length), "dropped series are series");
        Check(verdict.DroppedLogs.All(at => at < batch.Logs.Length), "dropped logs are logs");
        Check(verdict.TooOldCount <= batch.SampleCount + batch.Logs.Length, "no more too old than there are");
        Check((verdict.FirstDropped.Length > 0) == (verdict.DroppedSeries.Count + verdict.DroppedLogs.Count > 0), "the first dropped is named");
    }

    private void CheckRewrite()
    {
        var (series, samples, logs) = (batch.Series.Length, batch.SampleCount, batch.Logs.Length);
        Check(
            BatchRewriter.TryRewrite(frame, PayloadMax, new QueueId(7), new SequenceRange(9, 9), out var rewritten, out var fault), fault);
        Check(FrameReader.TryRead(rewritten, PayloadMax + 64, out var found) == FrameStatus.Ok, "a rewritten frame is whole");
        var again = new byte[found.PayloadLength];
        Check(FrameReader.ReadPayload(rewritten, found, again) == FrameStatus.Ok, "a rewritten frame inflates");
        Check(BatchDecoder.Decode(again, limits with { BatchBytesMax = again.Length }, batch, out fault) == DecodeStatus.Ok, fault);
        Check(batch.Key.QueueId == new QueueId(7) && batch.Key.Sequences == new SequenceRange(9, 9), "a rewritten batch has its new key");
        Check((series, samples, logs) == (batch.Series.Length, batch.SampleCount, batch.Logs.Length), "a rewritten batch keeps its records");
        tally.Rewrites++;
    }

    private static void Check(bool holds, string what)
    {
        if (!holds)
        {
            throw new InvalidOperationException($"does not hold: {what}");
        }
    }
}
