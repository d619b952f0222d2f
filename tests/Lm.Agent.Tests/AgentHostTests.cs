using System.Net;
using System.Net.Sockets;
using System.Text;
using Lm.Agent.Settings;
using Lm.Agent.Upload;
using Lm.Protocol;
using Lm.Protocol.Framing;
using Lm.TestKit;

namespace Lm.Agent.Tests;

/// <summary>The modes on real files, with a clock that stands and a collector that is away.</summary>
[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public sealed class AgentHostTests : IDisposable
{
    private static readonly CancellationToken Cancelled = TestContext.Current.CancellationToken;

    private readonly string directory = Directory.CreateTempSubdirectory("lm-agent-host-").FullName;
    private readonly TcpListener nobody = new(IPAddress.Loopback, 0);
    private readonly RecordingLogger logger = new();
    private readonly ManualTime time = new();

    public AgentHostTests()
    {
        nobody.Start();
        ClosedPort = ((IPEndPoint)nobody.LocalEndpoint).Port;
        nobody.Stop();
        Put("token", "s3cret");
        WriteConfig();
    }

    private int ClosedPort { get; }

    private string ConfigPath => Path.Combine(directory, "agent.toml");

    private string QueueDirectory => Path.Combine(directory, "queue");

    public void Dispose()
    {
        nobody.Dispose();
        Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public void The_plain_mode_prints_what_it_would_send_and_touches_nothing()
    {
        using var output = new MemoryStream();

        Assert.Equal(ExitCode.Done, NewHost().Check(output));

        var lines = Encoding.UTF8.GetString(output.ToArray()).Split('\n');
        Assert.Equal($"# agent a1 would send to https://localhost:{ClosedPort}/", lines[0]);
        Assert.Matches("^# series [0-9]+, batch [0-9]+ bytes, framed [0-9]+ bytes$", lines[1]);
        Assert.Contains("lmagent_up{site=\"lab\"} 1", lines);
        Assert.DoesNotContain(lines, line => line.Contains("s3cret", StringComparison.Ordinal));
        Assert.False(Directory.Exists(QueueDirectory));
    }

    [Fact]
    public void The_profile_host_is_printed_whole_and_says_how_many_batches_it_makes()
    {
        WriteConfig(profile: "host");
        using var output = new MemoryStream();

        Assert.Equal(ExitCode.Done, NewHost().Check(output));

        var lines = Encoding.UTF8.GetString(output.ToArray()).Split('\n');
        Assert.Matches("^# series [0-9]+, batch [0-9]+ bytes, framed [0-9]+ bytes in [0-9]+ batches: 107 series each, until the collector has said what it takes$", lines[1]);
        Assert.Contains(lines, line => line.StartsWith("node_uname_info{", StringComparison.Ordinal));
        Assert.Single(lines, line => line.StartsWith("lmagent_up{", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_flush_of_an_empty_queue_is_done_at_once()
    {
        Assert.Equal(ExitCode.Done, await NewHost().FlushAsync(Cancelled));
        Assert.Equal(1, logger.CountOf(1009));
    }

    [Fact]
    public async Task A_daemon_that_is_stopped_leaves_what_it_collected_queued_and_ends_in_order()
    {
        using var reload = new AsyncSignal();
        using var stop = new CancellationTokenSource();
        var running = NewHost().DaemonAsync(reload, stop.Token);
        await logger.WaitForAsync(1400, Cancelled); // the first batch is queued, and its upload failed

        await stop.CancelAsync();

        Assert.Equal(ExitCode.Done, await running);
        Assert.Equal("Stopped; 1 batches stay queued.", logger.MessageOf(1002));
        using var stopped = new CancellationTokenSource();
        await stopped.CancelAsync();
        Assert.Equal(ExitCode.StaysQueued, await NewHost().FlushAsync(stopped.Token));
    }

    [Fact]
    public async Task A_daemon_tells_its_start_its_reloads_and_its_stop_and_what_its_inputs_lack()
    {
        WriteConfig(more: $"""
            [[log_inputs]]
            name = "app"
            path = "{Path.Combine(directory, "app.log")}"
            start_at = "beginning"
            """);
        Put("app.log", "a line\n");
        using var reload = new AsyncSignal();
        using var stop = new CancellationTokenSource();
        var running = NewHost().DaemonAsync(reload, stop.Token);
        await logger.WaitForAsync(1400, Cancelled);
        WriteConfig(agentId: "a2");
        reload.Set();
        await logger.WaitForAsync(1004, Cancelled);
        await stop.CancelAsync();
        await running;

        var lines = await ReadQueueAsync();

        Assert.Equal(["agent_start", "settings_refused", "agent_stop"], lines.Where(line => line.Attributes["input"] == "events").Select(line => line.Attributes["event"]));
        Assert.Contains(lines, line => line is { Body: "a line" } && line.Attributes["input"] == "app");
    }

    [Fact]
    public async Task A_reload_takes_new_settings_and_refuses_another_name_or_queue()
    {
        using var reload = new AsyncSignal();
        using var stop = new CancellationTokenSource();
        var running = NewHost().DaemonAsync(reload, stop.Token);
        await logger.WaitForAsync(1000, Cancelled);

        WriteConfig(agentId: "a2");
        reload.Set();
        await logger.WaitForAsync(1004, Cancelled);
        Assert.EndsWith("agent_id and queue_dir stay as they are until a restart", logger.MessageOf(1004), StringComparison.Ordinal);
        Assert.Equal(0, logger.CountOf(1003));

        WriteConfig(intervalMs: 20_000);
        reload.Set();
        await logger.WaitForAsync(1003, Cancelled);

        await stop.CancelAsync();
        Assert.Equal(ExitCode.Done, await running);
    }

    [Fact]
    public async Task A_reload_takes_other_sources_and_says_again_how_long_the_queue_holds()
    {
        using var reload = new AsyncSignal();
        using var stop = new CancellationTokenSource();
        var running = NewHost().DaemonAsync(reload, stop.Token);
        await logger.WaitForAsync(1400, Cancelled); // the first tick is queued
        WriteConfig(profile: "host", more: """
            [sources.loadavg]
            enabled = false
            [events]
            lifecycle = false
            processes = false
            """);
        reload.Set();
        await logger.WaitForAsync(1003, Cancelled);
        while (logger.CountOf(1010) == 0)
        {
            // The reload makes a tick at once; the next one comes with its interval. Three loops wait for a time: the ticks', the tailer's and the uploader's. Were time
            // to pass during a tick, its sources would be put off.
            while (time.TimerCount < 3)
            {
                await Task.Delay(1, Cancelled);
            }

            time.Advance(TimeSpan.FromSeconds(15));
        }

        await stop.CancelAsync();
        await running;

        var ticks = (await ReadBatchesAsync()).ConvertAll(NamesOf);
        Assert.Contains("node_load1", ticks[0]);
        Assert.DoesNotContain("node_uname_info", ticks[0]);
        Assert.Contains(ticks, names => names.Contains("node_uname_info"));
        Assert.DoesNotContain(ticks.Skip(1), names => names.Contains("node_load1"));
    }

    private static HashSet<string> NamesOf(Lm.Agent.Queue.QueuedBatch queued)
    {
        Assert.Equal(FrameStatus.Ok, FrameReader.TryRead(queued.Frame.Span, 64 << 20, out var found));
        var payload = new byte[found.PayloadLength];
        Assert.Equal(FrameStatus.Ok, FrameReader.ReadPayload(queued.Frame.Span, found, payload));
        var batch = new DecodedBatch();
        Assert.Equal(DecodeStatus.Ok, BatchDecoder.Decode(payload, new Limits(), batch, out _));
        var names = new HashSet<string>();
        foreach (ref readonly var series in batch.Series)
        {
            var labels = batch.Labels(series);
            for (var i = 0; i < labels.Length; i += 2)
            {
                if (batch.Symbol(labels[i]).SequenceEqual("__name__"u8))
                {
                    names.Add(Encoding.UTF8.GetString(batch.Symbol(labels[i + 1])));
                }
            }
        }

        return names;
    }

    private async Task<List<LogTail.ArrivedLine>> ReadQueueAsync() => [.. (await ReadBatchesAsync()).SelectMany(LogTail.TailBench.LinesOf)];

    private async Task<List<Lm.Agent.Queue.QueuedBatch>> ReadBatchesAsync()
    {
        await using var queue = await Lm.Agent.Queue.DiskQueue.OpenAsync(
            new Lm.Agent.Queue.DiskQueueOptions(
                new Lm.Platform.Files.PhysicalFileSystem(), QueueDirectory, "a1",
                Lm.Agent.Queue.QueueIdentity.ReadMachineId(new Lm.Platform.Files.PhysicalFileSystem()), 512 << 20, time, logger),
            Cancelled);
        return queue.Read(default, int.MaxValue, long.MaxValue, _ => false, out _);
    }

    private AgentHost NewHost()
    {
        var settings = AgentSettingsReader.Read(ConfigPath, time, out var faults);
        Assert.Empty(faults);
        return new AgentHost(ConfigPath, settings!, time, logger);
    }

    private void WriteConfig(string agentId = "a1", int intervalMs = 15_000, string more = "[events]\nlifecycle = false\nprocesses = false", string profile = "heartbeat") => Put("agent.toml", $"""
        agent_id = "{agentId}"
        ingest_url = "https://localhost:{ClosedPort}"
        auth_token_file = "{Path.Combine(directory, "token")}"
        queue_dir = "{QueueDirectory}"
        interval_ms = {intervalMs}
        [labels]
        site = "lab"
        [sources]
        profile = "{profile}"
        {more}
        """);

    private void Put(string name, string content)
    {
        var path = Path.Combine(directory, name);
        using (var writer = new StreamWriter(path))
        {
            writer.Write(content);
        }

        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }
}
