using Lm.Collector.Agents;
using Lm.Collector.Ingest;
using Lm.Collector.Spool;
using Lm.Collector.Tests.Query;
using Lm.Collector.Tests.Series;
using Lm.Journal;
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
        listener.Feed(Network(Cpu(maker, Now - 15_000, busy: 100, idle: 100), Now - 15_000, received: 0, sent: 0).Make(Now - 15_000));
        listener.Feed(Network(Cpu(maker, Now, busy: 101, idle: 103), Now, received: 3000, sent: 1500)
            .With("lmagent_queue_filesystem_avail_bytes", 400, Now).With("lmagent_queue_filesystem_size_bytes", 1000, Now)
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

    /// <summary>First time of <see cref="FeedHistory"/>.</summary>
    public const long HistoryStart = HistoryEnd - 600_000;

    /// <summary>Its last time, on a whole step of every chart.</summary>
    public const long HistoryEnd = 1_767_322_800_000;

    /// <summary>Its time range as an address has it.</summary>
    public static readonly string HistoryRange = $"from={HistoryStart}&to={HistoryEnd}";

    /// <summary>A host: ten minutes of load, memory, network and CPU, a sample each 15 s, and a process.</summary>
    public static void FeedHistory(PrivateListener listener, string host = "web1")
    {
        var maker = new BatchMaker(host);
        for (var (time, i) = (HistoryStart - 120_000, 0); time <= HistoryEnd; time += 15_000, i++)
        {
            Network(Cpu(maker, time, busy: i * 3, idle: i * 12), time, received: i * 4321.5, sent: i * 100);
            maker.With("node_load1", 0.5 + (i % 7 * 0.13), time).With("node_load5", 0.4 + (i % 5 * 0.11), time).With("node_load15", 0.3 + (i % 3 * 0.07), time)
                .With("node_memory_MemTotal_bytes", 16e9, time).With("node_memory_MemAvailable_bytes", 9e9 - (i * 1234567), time)
                .With("lightmetrics_host_process_resident_memory_bytes", 100 << 20, time, new Label("pid", "77"), new Label("comm", "postgres"), new Label("start_time", "1"))
                .With("lightmetrics_host_process_cpu_seconds_total", i, time, new Label("pid", "77"), new Label("comm", "postgres"), new Label("start_time", "1"));
            listener.Feed(maker.Make(time));
        }
    }

    /// <summary>A stretch of <see cref="FeedGap"/>.</summary>
    public const long GapStart = HistoryStart + 300_000;

    /// <summary>Its end.</summary>
    public const long GapEnd = HistoryStart + 480_000;

    /// <summary>That web1 was up over those ten minutes but for three of them, in which nothing came from it.</summary>
    public static void FeedGap(PrivateListener listener)
    {
        var maker = new BatchMaker("web1");
        for (var time = HistoryStart; time <= HistoryEnd; time += 15_000)
        {
            var isGap = time is >= GapStart and < GapEnd;
            listener.Feed(new AcceptedUps(new JournalPosition(0, long.MaxValue), new UnixMillis(time), [new AgentUp("web1", 15_000, !isGap)], IsReplay: false));
            if (!isGap)
            {
                listener.Feed(maker.With("lmagent_up", 1, time).Make(time));
            }
        }
    }

    /// <summary>What the CPU of web1 has done some milliseconds after <see cref="Feed"/>, in seconds.</summary>
    public static void FeedCpu(PrivateListener listener, int after, double busy, double idle) =>
        listener.Feed(Cpu(new BatchMaker("web1"), Now + after, busy, idle).Make(Now + after));

    /// <summary>An agent silent for so long, without a report about its queue.</summary>
    public static void FeedSilent(PrivateListener listener, string agentId, int seconds) =>
        listener.Feed(new BatchMaker(agentId).With("node_load1", 3, Now - (seconds * 1000)).Make(Now - (seconds * 1000), isReplay: true));

    private static BatchMaker Network(BatchMaker maker, long time, double received, double sent) => maker
        .With("node_network_receive_bytes_total", received, time, new Label("device", "eth0"))
        .With("node_network_transmit_bytes_total", sent, time, new Label("device", "eth0"));

    private static BatchMaker Cpu(BatchMaker maker, long time, double busy, double idle) => maker
        .With("lightmetrics_host_cpu_seconds_total", busy, time, new Label("mode", "user"))
        .With("lightmetrics_host_cpu_seconds_total", idle, time, new Label("mode", "idle"));
}
