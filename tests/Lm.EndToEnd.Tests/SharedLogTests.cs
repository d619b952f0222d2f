using System.Globalization;
using System.Net;
using System.Text.Json;
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
    public async Task What_one_acknowledged_the_other_answers_within_two_seconds()
    {
        const int Batches = 5;
        await using var one = new Fleet();
        await using var other = Fleet.Beside(one);
        ShareFolder(one, other);
        await one.StartCollectorAsync();
        await other.StartCollectorAsync();
        var took = new List<TimeSpan>();
        for (var batch = 1; batch <= Batches; batch++)
        {
            var (code, output) = await one.RunAgentAsync("--once");
            Assert.True(code == 0, output);
            var began = TimeProvider.System.GetTimestamp();
            await Eventually.BecomesAsync("the other one has it", other.HeartbeatsAsync, count => count == batch);
            took.Add(TimeProvider.System.GetElapsedTime(began));
        }

        Assert.InRange(took.Order().ElementAt(Batches / 2), TimeSpan.Zero, TimeSpan.FromSeconds(2)); // a machine that does something else for a moment says nothing
    }

    [Fact]
    public async Task When_one_is_killed_the_other_goes_on_and_the_first_has_everything_when_it_is_back()
    {
        await using var pair = await Pair.StartAsync();
        var (one, other, balancer, agent) = pair;

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
        await using var pair = await Pair.StartAsync();
        var (one, other, balancer, agent) = pair;

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
    public async Task Blocks_and_log_files_have_everything_once_whoever_built_and_a_collector_on_an_empty_disk_answers_from_them()
    {
        Assert.SkipWhen(!File.Exists("/usr/bin/promtool") || !File.Exists("/usr/bin/zstd"), "promtool and zstd are not installed");
        await using var one = new Fleet();
        await using var other = Fleet.Beside(one);
        ShareFolder(one, other);
        foreach (var fleet in (Fleet[])[one, other])
        {
            fleet.ServerSettings += "\nblocks_every_seconds = 1";
            fleet.WriteSettings();
        }

        var lines = one.In("app.log");
        one.AgentSettings = $"""
            [[log_inputs]]
            name = "app"
            path = "{lines}"
            start_at = "beginning"
            """;
        one.WriteSettings();
        await one.StartCollectorAsync();
        await other.StartCollectorAsync();
        await RunOnceAsync(one, lines, 0, 40);
        await PublishedAsync(one);
        await Eventually.TrueAsync("a snapshot says so", () => Task.FromResult(Directory.Exists(one.In("objects/fleet-a/shared/snapshots"))));
        await one.Collector.StopAsync(Signal.Kill); // whoever built is gone, wherever it was
        await using (var balancer = new LossyProxy(other.IngestPort))
        {
            one.UploadPort = balancer.Port;
            one.WriteSettings();
            await RunOnceAsync(one, lines, 40, 25);
            await PublishedAsync(other);
        }

        var heartbeats = await other.HeartbeatsAsync();
        Assert.Equal((2, 65), (heartbeats, await LinesAsync(other)));
        await other.Collector.StopAsync(Signal.Terminate);
        await ShowsForeignReadersAsync(one.In("objects/fleet-a"), heartbeats, 65);
        foreach (var folder in (string[])["spool", "cache"])
        {
            Directory.Delete(other.In(folder), recursive: true);
            Directory.CreateDirectory(other.In(folder));
        }

        await other.StartCollectorAsync();

        Assert.Equal((heartbeats, 65), (await other.HeartbeatsAsync(), await LinesAsync(other)));
        Assert.NotEmpty((await LogStateAsync(other)).GetProperty("missing").EnumerateArray());
        var (code, output) = await RunningProgram.RunAsync(Programs.Collector, "--verify", other.ServerToml);
        Assert.True(code == 0, output);
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

    private static async Task RunOnceAsync(Fleet fleet, string file, int first, int count)
    {
        await using (var writer = new StreamWriter(file, append: true))
        {
            for (var i = first; i < first + count; i++)
            {
                await writer.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"line {i} of all"));
            }
        }

        var (code, output) = await fleet.RunAgentAsync("--once");
        Assert.True(code == 0, output);
    }

    private static async Task<JsonElement> LogStateAsync(Fleet fleet) => (await fleet.GetAsync("/api/v1/landing")).GetProperty("data").GetProperty("shared_log");

    // What is committed now is in blocks and log files, read back.
    private static async Task PublishedAsync(Fleet fleet)
    {
        await Task.Delay(TimeSpan.FromSeconds(1.5), TimeProvider.System, TestContext.Current.CancellationToken); // what was acknowledged by then is in the state, which is a second old at most
        var last = (await LogStateAsync(fleet)).GetProperty("last").GetInt64();
        await Eventually.BecomesAsync(
            "blocks and log files are published", async () => (await LogStateAsync(fleet)).GetProperty("published").GetInt64(), published => published >= last, () => fleet.Collector.HasEnded ? fleet.Collector.Output : null);
    }

    private static async Task<int> LinesAsync(Fleet fleet)
    {
        var answer = await fleet.GetAsync("/api/v1/logs?limit=1000&query=" + Uri.EscapeDataString("{input=\"app\"}"));
        return answer.GetProperty("data").GetProperty("result").GetArrayLength();
    }

    private static async Task ShowsForeignReadersAsync(string folder, int heartbeats, int lines)
    {
        Directory.CreateDirectory(Path.Combine(folder, "blocks", "wal")); // promtool looks for one
        var (code, dump) = await RunningProgram.RunAsync("/usr/bin/promtool", "tsdb", "dump", Path.Combine(folder, "blocks"));
        Directory.Delete(Path.Combine(folder, "blocks", "wal"));
        Assert.True(code == 0, dump);
        var found = dump.Split('\n').Where(static line => line.Contains("\"lmagent_up\"", StringComparison.Ordinal)).ToArray();
        Assert.Equal((heartbeats, heartbeats), (found.Length, found.Distinct(StringComparer.Ordinal).Count()));

        string[] files = [.. Directory.EnumerateFiles(Path.Combine(folder, "logs"), "*.ndjson.zst", SearchOption.AllDirectories)];
        var (zstd, text) = await RunningProgram.RunAsync("/usr/bin/zstd", ["-dcq", .. files]);
        Assert.True(zstd == 0, text);
        var bodies = text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static line => JsonElement.Parse(line).GetProperty("body").GetString()).ToArray();
        Assert.Equal((lines, lines), (bodies.Length, bodies.Distinct(StringComparer.Ordinal).Count()));
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

    /// <summary>Two collectors on one folder, and an agent that sends to the first of them by way of a balancer.</summary>
    private sealed class Pair : IAsyncDisposable
    {
        private Pair(Fleet one) => (One, Other, Balancer) = (one, Fleet.Beside(one), new LossyProxy(one.IngestPort));

        private Fleet One { get; }

        private Fleet Other { get; }

        private LossyProxy Balancer { get; }

        private RunningProgram Agent { get; set; } = null!;

        public static async Task<Pair> StartAsync()
        {
            var pair = new Pair(new Fleet());
            try
            {
                ShareFolder(pair.One, pair.Other);
                await pair.One.StartCollectorAsync();
                await pair.Other.StartCollectorAsync();
                pair.One.UploadPort = pair.Balancer.Port;
                pair.One.WriteSettings();
                pair.Agent = pair.One.StartDaemon();
                await Eventually.BecomesAsync("batches are seen at the other one", pair.Other.HeartbeatsAsync, static count => count >= 3, () => pair.Agent.HasEnded ? pair.Agent.Output : null);
                return pair;
            }
            catch
            {
                await pair.DisposeAsync();
                throw;
            }
        }

        public void Deconstruct(out Fleet one, out Fleet other, out LossyProxy balancer, out RunningProgram agent) => (one, other, balancer, agent) = (One, Other, Balancer, Agent);

        public async ValueTask DisposeAsync()
        {
            await Balancer.DisposeAsync();
            await Other.DisposeAsync();
            await One.DisposeAsync();
        }
    }
}
