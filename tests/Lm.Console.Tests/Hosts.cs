using Lm.Collector.Agents;
using Lm.Collector.Ingest;
using Lm.Collector.Tests.Query;
using Lm.Collector.Tests.Series;
using Lm.Platform;
using Lm.Protocol;

namespace Lm.Console.Tests;

/// <summary>Hosts for the page to show.</summary>
internal static class Hosts
{
    private const long Now = 1_767_323_045_000; // ManualTime's start

    /// <summary>web1: up, with a value in every column.</summary>
    public static void Feed(PrivateListener listener)
    {
        var maker = new BatchMaker("web1");
        listener.Feed(Cpu(maker, Now - 15_000, busy: 100, idle: 100).Make(Now - 15_000));
        listener.Feed(Cpu(maker, Now, busy: 101, idle: 103)
            .With("node_load1", 0.75, Now).With("node_memory_MemTotal_bytes", 1000, Now).With("node_memory_MemAvailable_bytes", 250, Now)
            .Make(Now));
        listener.Report(new AgentReport
        {
            AgentId = "web1",
            ReceivedAt = new UnixMillis(Now),
            SentAt = new UnixMillis(Now),
            UserAgent = "lm-agent/0.1.0",
            IntervalMs = 15_000,
            Queue = new QueueReport(5, 4096, new UnixMillis(Now - 60_000), 7, 1),
            Accepted = 1,
        });
        listener.Queues.Add(new QueueState("web1", new QueueId(42), 1234, 1200, 2, 3, 4, new UnixMillis(Now)));
    }

    /// <summary>An agent silent for so long, without a report about its queue.</summary>
    public static void FeedSilent(PrivateListener listener, string agentId, int seconds) =>
        listener.Feed(new BatchMaker(agentId).With("node_load1", 3, Now - (seconds * 1000)).Make(Now - (seconds * 1000), isReplay: true));

    private static BatchMaker Cpu(BatchMaker maker, long time, double busy, double idle) => maker
        .With("lightmetrics_host_cpu_seconds_total", busy, time, new Label("mode", "user"))
        .With("lightmetrics_host_cpu_seconds_total", idle, time, new Label("mode", "idle"));
}
