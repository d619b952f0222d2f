using System.Text;
using Lm.Agent.Batching;
using Lm.Agent.Queue;
using Lm.Agent.Settings;
using Lm.Agent.Tests.HostMetrics;
using Lm.Platform;
using Lm.Protocol;
using Lm.Protocol.Framing;

namespace Lm.Agent.Tests.Batching;

public sealed class BatchBuilderTests : IDisposable
{
    private static readonly UnixMillis Now = new(1_767_323_045_000);

    // More than was told of each kind: dropped 7, rejected 2, lost 4, deleted 1.
    private static readonly QueueCounters All = new()
    {
        Dropped = 10,
        DroppedReported = 3,
        Rejected = 2,
        RejectedReported = 0,
        Lost = 5,
        LostReported = 1,
        RejectedDeleted = 1,
    };

    private readonly ProcTree tree = ProcTree.Of("one-cpu");
    private readonly BatchBuilder builder;

    public BatchBuilderTests() => builder = new BatchBuilder(tree.NewSampler(), tree.Time);

    public void Dispose() => tree.Dispose();

    [Fact]
    public void What_the_queue_gave_up_since_the_last_report_is_told_as_alert_records()
    {
        var reported = builder.Build(SettingsOf(alertsMax: 4), All, Now);

        Assert.Equal(new QueueCounters { DroppedReported = 10, RejectedReported = 2, LostReported = 5, RejectedDeletedReported = 1 }, reported);
        Assert.Equal(
            [
                "queue_dropped 17 count=7: 7 batches that were not sent were dropped because the queue had reached max_queue_bytes",
                "batch_rejected 17 count=2: 2 batches were refused for good by the collector and set aside in rejected/",
                "collect_dropped 17 count=4: 4 batches were lost because the queue could not store them",
                "rejected_deleted 17 count=1: 1 refused batches that were set aside in rejected/ were deleted there to make room for newer ones",
            ],
            Alerts());
    }

    [Fact]
    public void What_has_no_room_in_a_batch_is_told_in_the_next_ones()
    {
        var told = new List<string>();
        var counters = All;
        for (var i = 0; i < 5; i++)
        {
            counters = counters.WithReported(builder.Build(SettingsOf(alertsMax: 1), counters, Now));
            told.AddRange(Alerts().Select(alert => alert.Split(' ')[0]));
        }

        Assert.Equal(["queue_dropped", "batch_rejected", "collect_dropped", "rejected_deleted"], told);
    }

    [Fact]
    public void With_max_alerts_per_batch_0_nothing_is_told_and_nothing_counts_as_told()
    {
        var reported = builder.Build(SettingsOf(alertsMax: 0), All, Now);

        Assert.Equal(default, reported);
        Assert.Empty(Alerts());
    }

    [Fact]
    public void What_was_told_already_is_not_told_again()
    {
        var reported = builder.Build(SettingsOf(alertsMax: 3), new QueueCounters { Dropped = 3, DroppedReported = 3 }, Now);

        Assert.Equal(default, reported);
        Assert.Empty(Alerts());
    }

    [Fact]
    public void Units_and_help_go_with_the_first_batch_and_then_once_an_hour()
    {
        var withMetadata = new List<bool>();
        for (var minutes = 0; minutes <= 120; minutes += 30)
        {
            builder.Build(SettingsOf(alertsMax: 1), default, Now);
            withMetadata.Add(builder.Encoder.IncludeMetadata);
            tree.Time.Advance(TimeSpan.FromMinutes(30));
        }

        Assert.Equal([true, false, true, false, true], withMetadata);
    }

    [Fact]
    public void A_batch_carries_interval_time_and_common_labels()
    {
        builder.Build(SettingsOf(alertsMax: 1), default, Now);

        var batch = Decode();

        Assert.Equal((15_000, Now), (batch.IntervalMs, batch.CollectedAt));
        Assert.Equal("site=lab", LabelsOf(batch, batch.CommonLabels));
        Assert.True(batch.Series.Length > 10);
    }

    private static AgentSettings SettingsOf(int alertsMax) => new()
    {
        AgentId = "a1",
        IngestUrl = new Uri("https://localhost:1"),
        Token = new Secret("token"),
        Tls = new TlsMaterial { Roots = null, ClientCertificate = null, ClientChain = [] },
        QueueDirectory = "/queue",
        QueueBytesMax = 1 << 20,
        Interval = TimeSpan.FromSeconds(15),
        ShutdownTimeout = TimeSpan.Zero,
        LogsPerBatchMax = 1,
        LogMessageBytesMax = 64,
        AlertsPerBatchMax = alertsMax,
        Labels = [new Label("site", "lab")],
        LogInputs = [],
    };

    private DecodedBatch Decode()
    {
        var frame = builder.Encoder.EncodeFrame(new BatchKey("a1", new QueueId(1), new SequenceRange(1, 1)));
        Assert.Equal(FrameStatus.Ok, FrameReader.TryRead(frame.Span, 1 << 20, out var found));
        var payload = new byte[found.PayloadLength];
        Assert.Equal(FrameStatus.Ok, FrameReader.ReadPayload(frame.Span, found, payload));
        var batch = new DecodedBatch();
        Assert.Equal(DecodeStatus.Ok, BatchDecoder.Decode(payload, new Limits(), batch, out var fault));
        Assert.Equal("", fault ?? "");
        return batch;
    }

    private List<string> Alerts()
    {
        var batch = Decode();
        var alerts = new List<string>();
        foreach (ref readonly var alert in batch.Alerts)
        {
            Assert.Equal(Now, alert.Time);
            alerts.Add($"{Text(batch, alert.Name)} {alert.Severity} {LabelsOf(batch, batch.Labels(alert))}: {Text(batch, alert.Message)}");
        }

        return alerts;
    }

    private static string LabelsOf(DecodedBatch batch, ReadOnlySpan<uint> references)
    {
        var text = new StringBuilder();
        for (var i = 0; i < references.Length; i += 2)
        {
            text.Append(i > 0 ? "," : "").Append(Text(batch, references[i])).Append('=').Append(Text(batch, references[i + 1]));
        }

        return text.ToString();
    }

    private static string Text(DecodedBatch batch, uint reference) => Encoding.UTF8.GetString(batch.Symbol(reference));
}
