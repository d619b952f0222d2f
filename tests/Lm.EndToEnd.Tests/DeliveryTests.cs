using System.Globalization;
using System.Net;

namespace Lm.EndToEnd.Tests;

public sealed class DeliveryTests
{
    [Fact]
    public async Task The_load_of_this_host_is_answered_by_a_query()
    {
        await using var fleet = new Fleet();
        await fleet.StartCollectorAsync();
        var agent = fleet.StartDaemon();

        var answer = await Eventually.BecomesAsync(
            "node_load1 is answered",
            () => fleet.GetAsync($"/api/v1/query?query=node_load1"),
            found => found.GetProperty("data").GetProperty("result").GetArrayLength() > 0,
            () => agent.HasEnded ? agent.Output : null);

        var series = Assert.Single(answer.GetProperty("data").GetProperty("result").EnumerateArray());
        Assert.Equal(Fleet.AgentId, series.GetProperty("metric").GetProperty("instance").GetString());
        Assert.Equal("lightmetrics", series.GetProperty("metric").GetProperty("job").GetString());
        var load = double.Parse(series.GetProperty("value")[1].GetString()!, CultureInfo.InvariantCulture);
        Assert.InRange(load, 0, 10_000);
    }

    [Fact]
    public async Task The_agents_page_knows_the_agent_and_its_sequence()
    {
        await using var fleet = new Fleet();
        await fleet.StartCollectorAsync();

        var (code, output) = await fleet.RunAgentAsync("--once");

        Assert.True(code == 0, output);
        // An acknowledgement waits for the spool, not for what is counted from it.
        var agent = await Eventually.BecomesAsync("the batch is counted", fleet.AgentAsync, static found => found.GetProperty("accepted").GetInt64() == 1);
        var queue = Assert.Single(agent.GetProperty("queues").EnumerateArray());
        Assert.Equal(0, queue.GetProperty("gaps").GetInt64());
    }

    [Fact]
    public async Task What_was_acknowledged_is_answered_after_the_collector_was_killed()
    {
        await using var fleet = new Fleet();
        var collector = await fleet.StartCollectorAsync();
        for (var i = 0; i < 3; i++)
        {
            var (code, output) = await fleet.RunAgentAsync("--once");
            Assert.True(code == 0, output);
        }

        await collector.StopAsync(Signal.Kill);
        await fleet.StartCollectorAsync();

        Assert.Equal(3, await fleet.HeartbeatsAsync());
        Assert.Equal(3, (await fleet.AgentAsync()).GetProperty("accepted").GetInt64());
    }

    [Fact]
    public async Task A_daemon_delivers_what_it_collected_while_the_collector_was_away()
    {
        await using var fleet = new Fleet();
        var collector = await fleet.StartCollectorAsync();
        var agent = fleet.StartDaemon();
        await Eventually.BecomesAsync("the first heartbeats are there", fleet.HeartbeatsAsync, count => count >= 2, () => agent.HasEnded ? agent.Output : null);
        await collector.StopAsync(Signal.Kill);
        var away = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
        await Task.Delay(TimeSpan.FromSeconds(2), TimeProvider.System, TestContext.Current.CancellationToken);
        var back = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();

        await fleet.StartCollectorAsync();

        // Collected at 5 a second: of the 2 s without a collector at least half must be there, at the times they were collected at.
        await Eventually.BecomesAsync(
            "the backlog is there",
            () => fleet.GetAsync("/api/v1/query?query=" + Uri.EscapeDataString("lmagent_up[1h]")),
            answer => answer.GetProperty("data").GetProperty("result")[0].GetProperty("values").EnumerateArray()
                .Select(sample => sample[0].GetDouble() * 1000).Count(time => time > away && time < back) >= 5,
            () => agent.HasEnded ? agent.Output : null);
        Assert.Equal(0, await agent.StopAsync(Signal.Terminate));
        await ShowsEachHeartbeatOnceAsync(fleet);
    }

    [Fact]
    public async Task A_killed_agent_goes_on_where_its_queue_ends()
    {
        await using var fleet = new Fleet();
        await fleet.StartCollectorAsync();
        for (var round = 0; round < 4; round++)
        {
            var before = round == 0 ? 0 : await fleet.HeartbeatsAsync();
            var agent = fleet.StartDaemon();
            await Eventually.BecomesAsync("new heartbeats come", fleet.HeartbeatsAsync, count => count >= before + 2, () => agent.HasEnded ? agent.Output : null);
            await agent.StopAsync(Signal.Kill);
        }

        var (code, output) = await fleet.RunAgentAsync("--flush");

        Assert.True(code == 0, output);
        await ShowsEachHeartbeatOnceAsync(fleet);
        var state = await fleet.AgentAsync();
        Assert.Equal("{}", state.GetProperty("refused").ToString());
        Assert.Single(state.GetProperty("queues").EnumerateArray());
    }

    [Fact]
    public async Task A_batch_whose_acknowledgement_was_lost_is_visible_once()
    {
        await using var fleet = new Fleet();
        await fleet.StartCollectorAsync();
        await using var proxy = new LossyProxy(fleet.IngestPort);
        fleet.UploadPort = proxy.Port;
        fleet.WriteSettings();
        proxy.LoseAnswers();

        var agent = fleet.Start(Programs.Agent, "--once", fleet.AgentToml);
        await Eventually.BecomesAsync("the batch was taken", fleet.HeartbeatsAsync, count => count == 1, () => agent.HasEnded ? agent.Output : null);
        proxy.Cut();

        Assert.True(await agent.EndAsync() == 75, agent.Output);
        Assert.True(proxy.LostBytes > 0);
        proxy.Heal();
        var (code, output) = await fleet.RunAgentAsync("--flush");
        Assert.True(code == 0, output);
        Assert.Equal(1, await fleet.HeartbeatsAsync());
        var state = await fleet.AgentAsync();
        Assert.Equal(1, state.GetProperty("accepted").GetInt64());
        Assert.True(state.GetProperty("duplicates").GetInt64() >= 1);
    }

    [Fact]
    public async Task Once_keeps_its_batch_while_the_collector_is_away_and_flush_delivers_it()
    {
        await using var fleet = new Fleet();

        var (away, awayOutput) = await fleet.RunAgentAsync("--once");
        var (still, stillOutput) = await fleet.RunAgentAsync("--flush");

        Assert.True(away == 75, awayOutput);
        Assert.True(still == 75, stillOutput);
        await fleet.StartCollectorAsync();
        var (code, output) = await fleet.RunAgentAsync("--flush");
        Assert.True(code == 0, output);
        Assert.Equal(1, await fleet.HeartbeatsAsync());
    }

    [Fact]
    public async Task Both_programs_end_with_0_on_SIGTERM()
    {
        await using var fleet = new Fleet();
        var collector = await fleet.StartCollectorAsync();
        var agent = fleet.StartDaemon();
        await Eventually.BecomesAsync("a heartbeat is there", fleet.HeartbeatsAsync, count => count > 0, () => agent.HasEnded ? agent.Output : null);

        Assert.Equal(0, await agent.StopAsync(Signal.Terminate));
        Assert.Equal(0, await collector.StopAsync(Signal.Terminate));
    }

    [Fact]
    public async Task A_daemon_ends_with_0_and_keeps_its_queue_when_the_collector_is_away()
    {
        await using var fleet = new Fleet();
        fleet.AgentSettings = "shutdown_timeout_ms = 500";
        fleet.WriteSettings();
        var agent = fleet.StartDaemon();
        await Eventually.TrueAsync(
            "something is queued",
            () => Task.FromResult(Directory.EnumerateFiles(fleet.In("queue"), "*", SearchOption.AllDirectories).Any(file => file.EndsWith(".seg", StringComparison.Ordinal))),
            () => agent.HasEnded ? agent.Output : null);

        Assert.Equal(0, await agent.StopAsync(Signal.Terminate));

        await fleet.StartCollectorAsync();
        var (code, output) = await fleet.RunAgentAsync("--flush");
        Assert.True(code == 0, output);
        Assert.True(await fleet.HeartbeatsAsync() >= 1);
    }

    [Fact]
    public async Task No_token_no_answer_and_no_query_on_the_ingest_listener()
    {
        await using var fleet = new Fleet();
        await fleet.StartCollectorAsync();

        Assert.Equal(HttpStatusCode.Unauthorized, await fleet.StatusAsync("/api/v1/query?query=up", token: null));
        Assert.Equal(HttpStatusCode.Unauthorized, await fleet.StatusAsync("/api/v1/query?query=up", token: fleet.Token));
        Assert.Equal(HttpStatusCode.Unauthorized, await fleet.StatusAsync("/metrics", token: null));
        Assert.Equal(HttpStatusCode.OK, await fleet.StatusAsync("/metrics", token: fleet.QueryToken));
        Assert.Equal(HttpStatusCode.OK, await fleet.StatusAsync("/healthz", token: null));
        Assert.Equal(HttpStatusCode.NotFound, await fleet.IngestStatusAsync("/api/v1/query?query=up"));
        Assert.Equal(HttpStatusCode.NotFound, await fleet.IngestStatusAsync("/readyz"));
        Assert.Equal(HttpStatusCode.OK, await fleet.IngestStatusAsync("/healthz"));
    }

    private static async Task ShowsEachHeartbeatOnceAsync(Fleet fleet)
    {
        var accepted = (await fleet.AgentAsync()).GetProperty("accepted").GetInt64();
        Assert.Equal(accepted, await fleet.HeartbeatsAsync());
    }
}
