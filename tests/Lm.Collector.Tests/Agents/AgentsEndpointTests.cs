using System.Text.Json;
using Lm.Collector.Agents;
using Lm.Collector.Ingest;
using Lm.Collector.Tests.Query;
using Lm.Collector.Tests.Series;
using Lm.Platform;
using Lm.Protocol;
using Lm.TestKit;

namespace Lm.Collector.Tests.Agents;

public sealed class AgentsEndpointTests
{
    private const long Now = 1_767_323_045_000; // ManualTime's start: 2026-01-02T03:04:05Z

    [Fact]
    public async Task No_agents_is_an_empty_list()
    {
        await using var listener = await PrivateListener.StartAsync();

        Assert.Equal("""{"status":"success","data":{"now_ms":1767323045000,"notices":[],"agents":[]}}""", (await listener.GetAsync("/api/v1/agents")).Body);
    }

    [Fact]
    public async Task An_agent_shows_what_its_requests_and_batches_said()
    {
        await using var listener = await PrivateListener.StartAsync();
        var maker = new BatchMaker { Queue = new QueueId(42) };
        listener.Feed(maker.With("node_load1", 0.5, Now - 15_000).Make(Now - 15_000));
        listener.Feed(maker.With("node_load1", 0.75, Now)
            .With("node_memory_MemTotal_bytes", 1000, Now).With("node_memory_MemAvailable_bytes", 250, Now).Make(Now));
        listener.Report(new AgentReport
        {
            AgentId = "web1",
            ReceivedAt = new UnixMillis(Now),
            SentAt = new UnixMillis(Now - 40),
            UserAgent = "lm-agent/0.1.0",
            IntervalMs = 15_000,
            Queue = new QueueReport(3, 4096, new UnixMillis(Now - 60_000), 7, 1),
            Accepted = 1,
            Duplicates = 2,
            DroppedTooOld = 4,
            DroppedOverLimit = 5,
            Refused = 1,
            LastRefusal = "future_timestamp",
        });
        listener.Ready = new Lm.Collector.Listeners.ReadinessReport(true, ["one", "two"]);
        listener.Queues.Add(new QueueState("web1", new QueueId(42), 12, 10, 1, 2, 3, new UnixMillis(Now)));
        listener.Queues.Add(new QueueState("other", new QueueId(1), 1, 1, 0, 0, 1, new UnixMillis(Now)));

        var (_, body) = await listener.GetAsync("/api/v1/agents");

        const string expected =
            "{'status':'success','data':{'now_ms':1767323045000,'notices':['one','two'],'agents':[{'agent_id':'web1','state':'up','last_seen_ms':1767323045000,'last_seen':'2026-01-02T03:04:05.000Z','last_seen_age_ms':0,"
            + "'last_batch_ms':1767323045000,'version':'0.1.0','interval_ms':15000,'clock_skew_ms':40,'clock_suspect':false,'backlog':true,'accepted':2,'duplicates':2,'dropped_too_old':4,'dropped_over_limit':5,"
            + "'refused':{'future_timestamp':1},'queue':{'batches':3,'bytes':4096,'oldest_ms':1767322985000,'dropped':7,'rejected':1},"
            + "'queues':[{'queue_id':'0000000000000000000000000000002a','highest_seq':12,'floor_seq':10,'accepted':2,'gaps':1,'pending':2,'intervals':3,'last_received_ms':1767323045000}],"
            + "'current':{'at_ms':1767323045000,'load1':0.75,'memory_used_ratio':0.75,'cpu_busy_ratio':null,"
            + "'disk_used_ratio':null,'disk_mount':null,'network_receive_bytes_per_second':null,'network_transmit_bytes_per_second':null}}]}}";
        Assert.Equal(expected.Replace('\'', '"'), body);
    }

    [Theory]
    [InlineData("/api/v1/agents")]
    [InlineData("/metrics")]
    [InlineData("/readyz")]
    public async Task What_an_agent_says_beyond_all_reason_breaks_no_answer(string path)
    {
        await using var listener = await PrivateListener.StartAsync();
        listener.Report(new AgentReport
        {
            AgentId = "web1",
            ReceivedAt = new UnixMillis(Now),
            SentAt = new UnixMillis(long.MaxValue),
            Queue = new QueueReport(long.MaxValue, long.MaxValue, new UnixMillis(long.MaxValue), long.MaxValue, long.MaxValue),
        });

        Assert.Equal(System.Net.HttpStatusCode.OK, (await listener.GetAsync(path)).Status);
    }

    [Theory]
    [InlineData(0, "up")]
    [InlineData(30, "up")]
    [InlineData(31, "late")]
    [InlineData(60, "late")]
    [InlineData(61, "down")]
    public async Task An_agent_is_late_after_two_missed_intervals_and_down_after_four(int seconds, string expected)
    {
        var time = new ManualTime();
        await using var listener = await PrivateListener.StartAsync(time);
        listener.Feed(new BatchMaker().With("x", 1, Now).Make(Now));

        time.JumpWallClock(TimeSpan.FromDays(3)); // says nothing about silence
        time.Advance(TimeSpan.FromSeconds(seconds));

        var agent = await OnlyAgentAsync(listener);
        Assert.Equal(expected, agent.GetProperty("state").GetString());
        Assert.Equal(seconds * 1000, agent.GetProperty("last_seen_age_ms").GetInt64());
    }

    [Fact]
    public async Task An_agent_known_from_replay_is_as_old_as_its_last_batch()
    {
        await using var listener = await PrivateListener.StartAsync();
        listener.Feed(new BatchMaker().With("x", 1, Now - 3_600_000).Make(Now - 3_600_000, isReplay: true));

        var agent = await OnlyAgentAsync(listener);

        Assert.Equal("down", agent.GetProperty("state").GetString());
        Assert.Equal(3_600_000, agent.GetProperty("last_seen_age_ms").GetInt64());
        Assert.Equal(JsonValueKind.Null, agent.GetProperty("queue").ValueKind);
    }

    [Fact]
    public async Task An_agent_all_of_whose_batches_are_refused_is_seen_but_has_no_data()
    {
        await using var listener = await PrivateListener.StartAsync();
        for (var i = 0; i < 3; i++)
        {
            listener.Report(new AgentReport { AgentId = "web1", ReceivedAt = new UnixMillis(Now), Refused = 1, LastRefusal = "limit_exceeded" });
        }

        var agent = await OnlyAgentAsync(listener);

        Assert.Equal("never", agent.GetProperty("state").GetString());
        Assert.Equal(3, agent.GetProperty("refused").GetProperty("limit_exceeded").GetInt64());
    }

    [Fact]
    public async Task An_agent_of_the_token_table_that_never_called_is_listed_as_unseen_until_it_does()
    {
        await using var listener = await PrivateListener.StartAsync();
        listener.Expected.AddRange(["web2", "web1"]);
        listener.Report(new AgentReport { AgentId = "web2", ReceivedAt = new UnixMillis(Now) });

        var agents = (await listener.GetJsonAsync("/api/v1/agents")).GetProperty("agents").EnumerateArray().ToArray();

        Assert.Equal(["web1 unseen", "web2 never"], agents.Select(agent => $"{agent.GetProperty("agent_id")} {agent.GetProperty("state")}"));
        foreach (var name in (string[])["last_seen", "last_seen_ms", "last_seen_age_ms", "last_batch_ms", "queue", "clock_skew_ms"])
        {
            Assert.Equal(JsonValueKind.Null, agents[0].GetProperty(name).ValueKind);
        }

        Assert.Equal(0, agents[0].GetProperty("accepted").GetInt64());
        Assert.Contains("lm_collector_agents{state=\"unseen\"} 1\n", (await listener.GetAsync("/metrics")).Body, StringComparison.Ordinal);
    }

    [Fact]
    public void When_agents_were_forgotten_nobody_is_called_unseen()
    {
        var directory = new AgentDirectory(new ManualTime(), () => ["a0", "never"], () => TimeSpan.FromSeconds(600));
        for (var i = 0; i <= AgentDirectory.AgentsMax; i++)
        {
            directory.Report(new AgentReport { AgentId = $"a{i}", ReceivedAt = new UnixMillis(Now) });
        }

        Assert.DoesNotContain(directory.Snapshot(), agent => agent.State == AgentState.Unseen);
    }

    [Theory]
    [InlineData(600_000, false)]
    [InlineData(600_001, true)]
    [InlineData(-600_001, true)]
    public async Task C26_an_agent_whose_clock_differs_is_marked_for_as_long_as_it_is_there(long skewMs, bool isSuspect)
    {
        var time = new ManualTime();
        await using var listener = await PrivateListener.StartAsync(time);
        listener.Report(new AgentReport { AgentId = "web1", ReceivedAt = new UnixMillis(Now), SentAt = new UnixMillis(Now - skewMs) });

        Assert.Equal(isSuspect, (await OnlyAgentAsync(listener)).GetProperty("clock_suspect").GetBoolean());
        Assert.Equal(isSuspect ? 1 : 0, listener.Endpoints.SuspectClocks);

        time.Advance(TimeSpan.FromMinutes(11));
        Assert.False((await OnlyAgentAsync(listener)).GetProperty("clock_suspect").GetBoolean());
        Assert.Equal(0, listener.Endpoints.SuspectClocks);
    }

    [Fact]
    public async Task Processor_use_is_the_gain_of_the_two_newest_samples_without_idle_and_iowait()
    {
        await using var listener = await PrivateListener.StartAsync();
        var maker = new BatchMaker();
        FeedCpu(listener, maker, Now - 30_000, user: 0, idle: 0, iowait: 0);
        FeedCpu(listener, maker, Now - 15_000, user: 100, idle: 100, iowait: 100);
        FeedCpu(listener, maker, Now, user: 103, idle: 108, iowait: 101);

        Assert.Equal(0.25, (await OnlyAgentAsync(listener)).GetProperty("current").GetProperty("cpu_busy_ratio").GetDouble(), 12);
    }

    [Fact]
    public async Task Processor_counters_that_went_back_give_no_value()
    {
        await using var listener = await PrivateListener.StartAsync();
        var maker = new BatchMaker();
        FeedCpu(listener, maker, Now - 15_000, user: 100, idle: 100, iowait: 100);
        FeedCpu(listener, maker, Now, user: 1, idle: 101, iowait: 100);

        Assert.Equal(JsonValueKind.Null, (await OnlyAgentAsync(listener)).GetProperty("current").GetProperty("cpu_busy_ratio").ValueKind);
    }

    [Fact]
    public async Task The_disk_is_the_fullest_of_the_file_systems_and_the_queues_where_there_are_no_others()
    {
        await using var listener = await PrivateListener.StartAsync();
        var maker = new BatchMaker().With("lmagent_queue_filesystem_avail_bytes", 10, Now - 15_000).With("lmagent_queue_filesystem_size_bytes", 100, Now - 15_000);
        listener.Feed(maker.Make(Now - 15_000));
        var alone = (await OnlyAgentAsync(listener)).GetProperty("current");
        foreach (var (mount, avail) in ((string, double)[])[("/", 40), ("/srv", 25), ("/boot", 80)])
        {
            maker.With("node_filesystem_avail_bytes", avail, Now, new Label("mountpoint", mount)).With("node_filesystem_size_bytes", 100, Now, new Label("mountpoint", mount));
        }

        listener.Feed(maker.With("node_filesystem_size_bytes", 0, Now, new Label("mountpoint", "/proc")).Make(Now));
        var several = (await OnlyAgentAsync(listener)).GetProperty("current");

        Assert.Equal((0.9, ""), (alone.GetProperty("disk_used_ratio").GetDouble(), alone.GetProperty("disk_mount").GetString()));
        Assert.Equal((0.75, "/srv"), (several.GetProperty("disk_used_ratio").GetDouble(), several.GetProperty("disk_mount").GetString()));
    }

    [Fact]
    public async Task The_network_is_the_sum_of_the_interfaces_that_are_there_without_the_loopback()
    {
        await using var listener = await PrivateListener.StartAsync();
        var maker = new BatchMaker();
        FeedNetwork(listener, maker, Now - 30_000, ("eth0", 0), ("lo", 0), ("gone0", 0));
        FeedNetwork(listener, maker, Now - 15_000, ("eth0", 1000), ("eth1", 500), ("lo", 0), ("gone0", 99_000));
        FeedNetwork(listener, maker, Now, ("eth0", 4000), ("eth1", 2000), ("lo", 90_000));

        var current = (await OnlyAgentAsync(listener)).GetProperty("current");

        Assert.Equal(300, current.GetProperty("network_receive_bytes_per_second").GetDouble(), 12);
        Assert.Equal(JsonValueKind.Null, current.GetProperty("network_transmit_bytes_per_second").ValueKind);
    }

    private static void FeedNetwork(PrivateListener listener, BatchMaker maker, long time, params (string Device, double Bytes)[] received)
    {
        foreach (var (device, bytes) in received)
        {
            maker.With("node_network_receive_bytes_total", bytes, time, new Label("device", device));
        }

        listener.Feed(maker.Make(time));
    }

    private static void FeedCpu(PrivateListener listener, BatchMaker maker, long time, double user, double idle, double iowait) => listener.Feed(
        maker.With("lightmetrics_host_cpu_seconds_total", user, time, new Label("mode", "user"))
            .With("lightmetrics_host_cpu_seconds_total", idle, time, new Label("mode", "idle"))
            .With("lightmetrics_host_cpu_seconds_total", iowait, time, new Label("mode", "iowait"))
            .Make(time));

    private static async Task<JsonElement> OnlyAgentAsync(PrivateListener listener) =>
        Assert.Single((await listener.GetJsonAsync("/api/v1/agents")).GetProperty("agents").EnumerateArray());
}
