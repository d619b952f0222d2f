using Lm.Protocol.Framing;
using static Lm.Protocol.Tests.BatchModel;

namespace Lm.Protocol.Tests;

/// <summary>The bytes of version 1 as they lie in queues, spools and objects: they must be readable for ever.</summary>
public sealed class FrameGoldenTests
{
    // One of each record, and of each oddity that has a meaning: a stale marker, negative differences, a common label.
    private static readonly BatchModel Batch = new()
    {
        AgentId = "golden-agent",
        QueueId = new UInt128(0x0011_2233_4455_6677, 0x8899_aabb_ccdd_eeff),
        SeqStart = 300,
        SeqEnd = 300,
        CollectedAt = 1_767_323_045_000,
        IntervalMs = 15_000,
        CommonLabels = [new Label("site", "lab")],
        Series =
        [
            new SeriesModel(
                "node_load1", [], MetricType.Gauge, "tasks", "Load of one minute.", [new SampleModel(1_767_323_045_000, 0x3fe0_0000_0000_0000)], []),
            new SeriesModel(
                "node_cpu_seconds_total",
                [new Label("cpu", "0"), new Label("mode", "idle")],
                MetricType.Counter,
                "seconds",
                "",
                [new SampleModel(1_767_323_030_000, 0x40c3_8800_0000_0000), new SampleModel(1_767_323_045_000, 0x7ff0_0000_0000_0002)],
                []),
        ],
        Logs = [new LogModel(1_767_323_044_999, 9, "Größe: 5 µs", [new Label("input", "syslog")])],
        Alerts = [new AlertModel(1_767_323_045_000, 17, "queue_dropped", "3 batches were dropped.", [new Label("reason", "max_queue_bytes")])],
    };

    [Theory]
    [InlineData("batch-v1-plain.lmf", false)]
    [InlineData("batch-v1-zstd.lmf", true)]
    public void A_frame_of_version_1_reads_as_it_always_did(string file, bool isCompressed)
    {
        var frame = Golden(file);

        Assert.Equal(FrameStatus.Ok, FrameReader.TryRead(frame, 65_536, out var found));
        Assert.Equal(isCompressed, found.IsCompressed);
        Assert.Equal(Batch.ToString(), Batches.Decode(Batches.PayloadOf(frame)).ToString());
    }

    [Fact]
    public void The_same_batch_is_written_with_the_same_bytes() =>
        Assert.Equal(Golden("batch-v1-plain.lmf"), Frames.Uncompressed(Batches.Encode(Batch)));

    [Fact]
    public void An_ack_reads_and_writes_as_it_always_did()
    {
        IngestAckTests.Same(IngestAckTests.Sample, Golden("ack-v1.bin"));
        Assert.Equal(Golden("ack-v1.bin"), IngestAckTests.Sample.Encode());
    }

    private static byte[] Golden(string file) => File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "golden", "frame", file));
}
