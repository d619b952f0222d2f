using Lm.Agent.Batching;
using Lm.Agent.HostMetrics;
using Lm.Agent.Queue;
using Lm.Agent.Settings;
using Lm.Platform;
using Lm.TestKit;

namespace Lm.Agent.Tests.Batching;

public sealed class BatchBuilderTests
{
    private static readonly QueueCounters GivenUp = new() { Dropped = 5, Lost = 4, Rejected = 3, RejectedDeleted = 2 };

    [Fact]
    public void Every_total_of_what_was_given_up_is_told_in_an_alert_record_once()
    {
        var builder = NewBuilder();

        var told = builder.Build(Settings(alertsMax: 10), GivenUp, new UnixMillis(1));

        Assert.Equal(4, builder.Encoder.AlertCount);
        Assert.Equal(new QueueCounters { DroppedReported = 5, LostReported = 4, RejectedReported = 3, RejectedDeletedReported = 2 }, told);
        Assert.Equal(default, builder.Build(Settings(alertsMax: 10), GivenUp.WithReported(told), new UnixMillis(2)));
        Assert.Equal(0, builder.Encoder.AlertCount);
    }

    [Fact]
    public void What_finds_no_room_in_a_batch_is_told_in_a_later_one()
    {
        var builder = NewBuilder();
        var counters = GivenUp;
        for (var i = 1; i <= 4; i++)
        {
            counters = counters.WithReported(builder.Build(Settings(alertsMax: 1), counters, new UnixMillis(i)));
            Assert.Equal(1, builder.Encoder.AlertCount);
        }

        Assert.Equal((5UL, 4UL, 3UL, 2UL), (counters.DroppedReported, counters.LostReported, counters.RejectedReported, counters.RejectedDeletedReported));
    }

    private static BatchBuilder NewBuilder()
    {
        var time = new ManualTime();
        return new BatchBuilder(new HostSampler(new ProcFs(), "/", time, new RecordingLogger()), time);
    }

    private static AgentSettings Settings(int alertsMax) => new()
    {
        AgentId = "a1",
        IngestUrl = new Uri("https://collector.test:18443"),
        Token = new Secret("t"),
        Tls = TlsMaterial.SystemDefault,
        QueueDirectory = "/",
        QueueBytesMax = 1 << 20,
        Interval = TimeSpan.FromSeconds(1),
        ShutdownTimeout = TimeSpan.FromSeconds(1),
        LogsPerBatchMax = 1000,
        LogMessageBytesMax = 16_384,
        AlertsPerBatchMax = alertsMax,
        Labels = [],
        LogInputs = [],
    };
}
