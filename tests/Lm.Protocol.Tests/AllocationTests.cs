using Google.Protobuf;
using Lightmetrics.V1;
using Lm.Platform;
using Lm.Protocol.Framing;
using Lm.Protocol.Wire;

namespace Lm.Protocol.Tests;

public sealed class AllocationTests
{
    // A fault's sentence and what the runtime keeps to make it.
    private const long FaultBytesMax = 20_000;

    [Fact]
    public void Decoding_the_next_batch_of_an_agent_allocates_nothing()
    {
        var frame = Batches.EncodeFrame(Batches.Heartbeat());
        var payload = new byte[1 << 16];
        var batch = new DecodedBatch();
        var limits = new Limits();
        long Decode() => AllocatedBy(() =>
        {
            // Not Assert.Equal, which allocates.
            Assert.True(FrameReader.TryRead(frame, payload.Length, out var found) == FrameStatus.Ok);
            Assert.True(FrameReader.ReadPayload(frame, found, payload) == FrameStatus.Ok);
            Assert.True(BatchDecoder.Decode(payload.AsMemory(0, found.PayloadLength), limits, batch, out _) == DecodeStatus.Ok);
        });
        Decode();

        Assert.Equal(0, Decode());
    }

    [Fact]
    public void Judging_an_ordinary_batch_allocates_its_verdict_alone()
    {
        var batch = new DecodedBatch();
        var limits = new Limits();
        Assert.Equal(DecodeStatus.Ok, BatchDecoder.Decode(Batches.Encode(Batches.Heartbeat()), limits, batch, out _));
        long Judge() => AllocatedBy(() => BatchRules.Judge(batch, limits, new UnixMillis(1_767_323_045_000), TimeSpan.FromDays(35), out _));
        Judge();

        Assert.InRange(Judge(), 1, 100);
    }

    [Fact]
    public void Encoding_the_next_batch_allocates_nothing()
    {
        var encoder = new BatchEncoder();
        var model = Batches.Heartbeat();
        var metrics = model.Series.Select(series => new MetricDescriptor(series.Name, series.Type, series.Unit, series.Help)).ToArray();
        var log = new LogRecord(new UnixMillis(model.CollectedAt), 9, "one line", model.Series[1].Labels);
        long Encode() => AllocatedBy(() =>
        {
            encoder.Begin(new UnixMillis(model.CollectedAt), model.IntervalMs, model.CommonLabels);
            for (var i = 0; i < metrics.Length; i++)
            {
                encoder.Add(metrics[i], model.Series[i].Labels, i);
            }

            encoder.AddLog(log);
            Assert.False(encoder.EncodeFrame(model.Key).IsEmpty);
        });
        Encode();

        Assert.Equal(0, Encode());
    }

    [Fact]
    public void A_hostile_header_makes_a_reader_allocate_nothing()
    {
        var frame = Batches.EncodeFrame(Batches.Heartbeat(1));
        frame.AsSpan(12, 8).Fill(0xff);
        long Read() => AllocatedBy(() => Assert.True(FrameReader.TryRead(frame, 1 << 20, out _) == FrameStatus.TooLarge));
        Read();

        Assert.Equal(0, Read());
    }

    public static TheoryData<string> Floods => ["series", "logs", "alerts", "symbols", "labels", "samples", "histograms", "unknown fields"];

    [Theory]
    [MemberData(nameof(Floods))]
    public void A_flood_of_small_things_is_refused_before_memory_is_made_for_it(string kind)
    {
        var limits = new Limits { SeriesPerBatchMax = 107, LogsPerBatchMax = 10, AlertsPerBatchMax = 1, SamplesPerBatchMax = 1000, LabelsPerSeriesMax = 4 };
        var flood = Flood(kind, 4_000_000);
        var batch = new DecodedBatch();
        BatchDecoder.Decode(Flood(kind, 40_000), limits, batch, out _);
        batch = new DecodedBatch();

        var allocated = AllocatedBy(() =>
        {
            var status = BatchDecoder.Decode(flood, limits, batch, out var fault);
            Assert.True(status == (kind == "unknown fields" ? DecodeStatus.Ok : DecodeStatus.LimitExceeded), fault);
        });

        // What the limits allow, and not a byte for each of the four million: references and their labels, symbols with their slots, samples.
        var allowed = FaultBytesMax + (8L * 2 * limits.LabelsPerBatchMax) + (100L * limits.SymbolsPerBatchMax) + (100L * limits.SamplesPerBatchMax);
        Assert.InRange(allocated, 0, allowed);
    }

    // In the time of one more pass over the bytes, not in that of comparing each symbol with all others: the program's time limit tells.
    [Fact]
    public void A_full_table_of_symbols_is_read_and_the_last_one_twice_is_found()
    {
        var limits = new Limits();
        var message = Head();
        message.Symbols.AddRange(Enumerable.Range(0, limits.SymbolsPerBatchMax - 2).Select(i => $"s{i:x}"));
        Assert.Equal(DecodeStatus.Ok, BatchDecoder.Decode(message.ToByteArray(), limits, new DecodedBatch(), out _));
        message.Symbols.Add("s0");

        Assert.Equal(DecodeStatus.Malformed, BatchDecoder.Decode(message.ToByteArray(), limits, new DecodedBatch(), out var fault));
        Assert.EndsWith("(\"s0\") is symbol 1 again", fault, StringComparison.Ordinal);
    }

    private static byte[] Flood(string kind, int count)
    {
        var writer = new WireWriter();
        var head = Head();
        head.Symbols.AddRange(["__name__", "m", "cpu"]);
        if (kind == "symbols")
        {
            head.Symbols.Clear();
        }

        writer.WriteRaw(head.ToByteArray());
        var one = kind switch
        {
            "series" => new Batch { Series = { new Series() } }.ToByteArray(),
            "logs" => new Batch { Logs = { new Lightmetrics.V1.LogRecord() } }.ToByteArray(),
            "alerts" => new Batch { Alerts = { new Lightmetrics.V1.AlertRecord() } }.ToByteArray(),
            "symbols" => new Batch { Symbols = { "" } }.ToByteArray(),
            "unknown fields" => new byte[] { 0xa0, 0x06, 0x01 },
            _ => [],
        };
        for (var i = 0; i < count && one.Length > 0; i++)
        {
            writer.WriteRaw(one);
        }

        var series = kind switch
        {
            "labels" => new Series { Labels = { new uint[count] } },
            "samples" => new Series { TimeDeltasMs = { new long[count] } },
            "histograms" => new Series { Histograms = { Enumerable.Repeat(new Histogram { Counts = { 0 } }, count / 10) } },
            _ => null,
        };
        if (series is not null)
        {
            writer.WriteRaw(new Batch { Series = { series } }.ToByteArray());
        }

        return writer.Written.ToArray();
    }

    private static Batch Head() => new()
    {
        AgentId = "a",
        QueueId = ByteString.CopyFrom(new byte[16]),
        SeqStart = 1,
        SeqEnd = 1,
        Symbols = { "" },
    };

    private static long AllocatedBy(Action action)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        action();
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }
}
