using System.Globalization;
using System.Net;
using Lm.ObjectStore.Tests.S3;

namespace Lm.EndToEnd.Tests;

/// <summary>Two collectors on one store, with <c>acceptance = "s3_manifest"</c>.</summary>
public sealed class SharedLogTests
{
    [Fact]
    public async Task A_batch_whose_answer_was_lost_and_that_comes_again_at_the_other_collector_is_there_once_at_both()
    {
        await using var one = new Fleet();
        await using var other = Fleet.Beside(one);
        ShareFolder(one, other);

        await LoseAnAnswerAsync(one, other);
    }

    [Fact]
    public async Task The_same_holds_on_an_S3_server()
    {
        using var server = S3Server.TryStart("light", 18645, ["node", "npm", "openssl", "curl"], out var missing);
        Assert.SkipWhen(server is null, missing);
        await using var one = new Fleet();
        await using var other = Fleet.Beside(one);
        foreach (var (fleet, name) in (ReadOnlySpan<(Fleet, string)>)[(one, "one"), (other, "other")])
        {
            fleet.Write("s3-id", "test-access\n");
            fleet.Write("s3-key", "test-secret-0123456789\n");
            Share(fleet, name, $"""
                kind = "s3"
                bucket = "{S3Server.Bucket}"
                endpoint = "{server!.Endpoint.GetLeftPart(UriPartial.Authority)}"
                access_key_id_file = "{fleet.In("s3-id")}"
                secret_access_key_file = "{fleet.In("s3-key")}"
                """);
        }

        await LoseAnAnswerAsync(one, other);
    }

    private static async Task LoseAnAnswerAsync(Fleet one, Fleet other)
    {
        await one.StartCollectorAsync();
        await other.StartCollectorAsync();
        await using var balancer = new LossyProxy(one.IngestPort);
        one.UploadPort = balancer.Port;
        one.WriteSettings();
        balancer.LoseAnswers();

        var agent = one.Start(Programs.Agent, "--once", one.AgentToml);
        await Eventually.BecomesAsync("the batch was taken", one.HeartbeatsAsync, static count => count == 1, () => agent.HasEnded ? agent.Output : null);
        balancer.Target(other.IngestPort);
        balancer.Cut();
        await agent.EndAsync();
        balancer.Heal();
        var (code, output) = await one.RunAgentAsync("--flush");

        Assert.True(code == 0, output);
        await ShowsTheSameAsync(one, other, batches: 1);
        Assert.Equal(1, (await other.AgentAsync()).GetProperty("duplicates").GetInt64());
    }

    [Fact]
    public async Task When_one_is_killed_the_other_goes_on_and_the_first_has_everything_when_it_is_back()
    {
        await using var one = new Fleet();
        await using var other = Fleet.Beside(one);
        ShareFolder(one, other);
        await one.StartCollectorAsync();
        await other.StartCollectorAsync();
        await using var balancer = new LossyProxy(one.IngestPort);
        one.UploadPort = balancer.Port;
        one.WriteSettings();
        var agent = one.StartDaemon();
        await Eventually.BecomesAsync("batches are seen at the other one", other.HeartbeatsAsync, static count => count >= 3, () => agent.HasEnded ? agent.Output : null);

        await one.Collector.StopAsync(Signal.Kill);
        balancer.Target(other.IngestPort);
        var before = await other.HeartbeatsAsync();
        await Eventually.BecomesAsync("the other one takes batches", other.HeartbeatsAsync, count => count >= before + 3, () => agent.HasEnded ? agent.Output : null);
        await one.StartCollectorAsync();
        Assert.Equal(0, await agent.StopAsync(Signal.Terminate));

        await ShowsTheSameAsync(one, other, await AllAsync(other));
    }

    [Fact]
    public async Task One_that_was_paused_goes_on_where_it_was_and_one_that_lost_its_disk_reads_everything_back()
    {
        await using var one = new Fleet();
        await using var other = Fleet.Beside(one);
        ShareFolder(one, other);
        await one.StartCollectorAsync();
        await other.StartCollectorAsync();
        await using var balancer = new LossyProxy(one.IngestPort);
        one.UploadPort = balancer.Port;
        one.WriteSettings();
        var agent = one.StartDaemon();
        await Eventually.BecomesAsync("batches are seen", one.HeartbeatsAsync, static count => count >= 3, () => agent.HasEnded ? agent.Output : null);

        one.Collector.Signal(Signal.Pause);
        balancer.Target(other.IngestPort);
        balancer.CutOnce();
        var before = await other.HeartbeatsAsync();
        await Eventually.BecomesAsync("the other one takes batches", other.HeartbeatsAsync, count => count >= before + 3, () => agent.HasEnded ? agent.Output : null);
        one.Collector.Signal(Signal.Resume);
        Assert.Equal(0, await agent.StopAsync(Signal.Terminate));
        var batches = await AllAsync(other);
        await ShowsTheSameAsync(one, other, batches);

        await other.Collector.StopAsync(Signal.Kill);
        Directory.Delete(other.In("spool"), recursive: true);
        await other.StartCollectorAsync();
        await ShowsTheSameAsync(one, other, batches);
    }

    [Fact]
    public async Task Where_the_store_is_away_nothing_is_acknowledged_and_it_goes_on_when_it_is_back()
    {
        await using var one = new Fleet();
        ShareFolder(one);
        await one.StartCollectorAsync();
        var (code, output) = await one.RunAgentAsync("--once");
        Assert.True(code == 0, output);

        // Another disk seems to be mounted there.
        Directory.Move(one.In("objects"), one.In("objects.away"));
        Directory.CreateDirectory(one.In("objects"));
        await Eventually.BecomesAsync("it says so", () => one.StatusAsync("/readyz", token: null), static status => status == HttpStatusCode.ServiceUnavailable);
        var (away, said) = await one.RunAgentAsync("--once");
        Assert.True(away == 75, said); // it stays queued
        Assert.Equal(1, await one.HeartbeatsAsync());

        Directory.Delete(one.In("objects"));
        Directory.Move(one.In("objects.away"), one.In("objects"));
        await Eventually.BecomesAsync("it is ready again", () => one.StatusAsync("/readyz", token: null), static status => status == HttpStatusCode.OK);
        var (flushed, rest) = await one.RunAgentAsync("--flush");
        Assert.True(flushed == 0, rest);
        Assert.Equal(2, await one.HeartbeatsAsync());
    }

    [Fact]
    public async Task A_spool_of_one_acceptance_is_refused_by_the_other()
    {
        await using var one = new Fleet();
        await one.StartCollectorAsync();
        var (code, output) = await one.RunAgentAsync("--once");
        Assert.True(code == 0, output);
        Assert.Equal(0, await one.Collector.StopAsync(Signal.Terminate));

        ShareFolder(one);
        var (refused, said) = await RunningProgram.RunAsync(Programs.Collector, one.ServerToml);
        Assert.True(refused == 1 && said.Contains("s3_manifest begins with an empty spool_dir", StringComparison.Ordinal), said);

        Directory.Delete(one.In("spool"), recursive: true);
        await one.StartCollectorAsync();
        Assert.Equal(0, await one.Collector.StopAsync(Signal.Terminate));
        (one.IngestSettings, one.ServerSettings) = ("", "");
        one.WriteSettings();
        (refused, said) = await RunningProgram.RunAsync(Programs.Collector, one.ServerToml);
        Assert.True(refused == 1 && said.Contains("needs a spool_dir of its own", StringComparison.Ordinal), said);
    }

    private static void ShareFolder(Fleet first, params ReadOnlySpan<Fleet> others)
    {
        var folder = $"kind = \"directory\"\ndirectory = \"{first.In("objects")}\"";
        Share(first, "one", folder);
        foreach (var other in others)
        {
            Share(other, "other", folder);
        }
    }

    private static void Share(Fleet fleet, string name, string store)
    {
        fleet.IngestSettings = "acceptance = \"s3_manifest\"";
        fleet.ServerSettings = $"""
            collector_id = "{name}"

            [object_store]
            {store}
            prefix = "fleet-a"
            manifest_linger_ms = 50
            """;
        fleet.WriteSettings();
    }

    // Every batch has a heartbeat of its own, so heartbeats show what is there, and what was accepted shows whether it came once.
    private static async Task ShowsTheSameAsync(Fleet one, Fleet other, int batches)
    {
        foreach (var fleet in (Fleet[])[one, other])
        {
            await Eventually.BecomesAsync("all heartbeats are there", fleet.HeartbeatsAsync, count => count == batches);
            var queue = Assert.Single((await fleet.AgentAsync()).GetProperty("queues").EnumerateArray());
            Assert.Equal(
                (batches, 0L, 0L), ((int)queue.GetProperty("accepted").GetInt64(), queue.GetProperty("gaps").GetInt64(), queue.GetProperty("pending").GetInt64()));
        }

        var times = (await TimesAsync(one), await TimesAsync(other));
        Assert.Equal(times.Item1, times.Item2);
    }

    private static async Task<int> AllAsync(Fleet fleet)
    {
        var queue = Assert.Single((await fleet.AgentAsync()).GetProperty("queues").EnumerateArray());
        return (int)queue.GetProperty("highest_seq").GetInt64();
    }

    private static async Task<string> TimesAsync(Fleet fleet)
    {
        var answer = await fleet.GetAsync("/api/v1/query?query=" + Uri.EscapeDataString($"lmagent_up{{instance=\"{Fleet.AgentId}\"}}[1h]"));
        return string.Join(' ', answer.GetProperty("data").GetProperty("result")[0].GetProperty("values").EnumerateArray().Select(static sample => sample[0].GetDouble().ToString(CultureInfo.InvariantCulture)));
    }
}
