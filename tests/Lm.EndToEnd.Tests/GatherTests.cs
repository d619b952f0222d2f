using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Lm.EndToEnd.Tests;

/// <summary>Scrapes, text files, commands, plug-ins and the metrics listener, with both real programs.</summary>
public sealed class GatherTests
{
    private const UnixFileMode Script = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    [Fact]
    public async Task What_is_gathered_reaches_queries_and_hostile_targets_harm_nothing_else()
    {
        await using var fleet = new Fleet();
        using var target = new Target("# TYPE requests counter\nrequests_total{code=\"200\"} 7\ngo_threads 3\n");
        Directory.CreateDirectory(fleet.In("text"));
        Put(fleet, "text/app.prom", "backup_age_seconds 12\n");
        const string Plugin = "#!/bin/sh\necho 'plugin_value{kind=\"real\"} 5'\n";
        Put(fleet, "plugin", Plugin, Script);
        Put(fleet, "changed", "#!/bin/sh\ntouch \"$0.ran\"\n", Script);
        // Leaves its process group, forks on, and closes what it has.
        Put(fleet, "fork", $"#!/bin/sh\nsetsid sh -c 'echo $$ > {fleet.In("stray")}; exec sleep 600' >/dev/null 2>&1 </dev/null &\nwhile [ ! -s {fleet.In("stray")} ]; do :; done\n", Script);
        var port = FreePort();
        fleet.AgentSettings = $$"""
            [[scrapes]]
            name = "app"
            url = "http://127.0.0.1:{{target.Port}}/metrics"
            interval_ms = 1000
            relabel = [{ action = "drop", source_labels = ["__name__"], regex = "go_.*" }]

            [[scrapes]]
            name = "gone"
            url = "http://127.0.0.1:{{FreePort()}}/metrics"
            interval_ms = 1000

            [textfile]
            directory = "{{fleet.In("text")}}"

            [[commands]]
            name = "answer"
            argv = ["/bin/sh", "-c", "echo the answer is 42; echo $HOME-$LC_ALL"]
            interval_ms = 1000
            variables = [{ name = "value", regex = "is ([0-9]+)" }]

            [[commands]]
            name = "hangs"
            argv = ["/bin/sleep", "600"]
            interval_ms = 1000
            timeout_ms = 100
            record = false

            [[commands]]
            name = "floods"
            argv = ["/usr/bin/yes"]
            interval_ms = 1000
            max_output_bytes = 1000
            record = false

            [[commands]]
            name = "forks"
            argv = ["{{fleet.In("fork")}}"]
            interval_ms = 60000
            record = false

            [[plugins]]
            name = "pinned"
            argv = ["{{fleet.In("plugin")}}"]
            interval_ms = 1000
            sha256 = "{{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Plugin)))}}"

            [[plugins]]
            name = "changed"
            argv = ["{{fleet.In("changed")}}"]
            interval_ms = 1000
            sha256 = "{{new string('0', 64)}}"

            [metrics]
            listen = "127.0.0.1:{{port}}"
            """;
        fleet.WriteSettings();
        await fleet.StartCollectorAsync();
        var agent = fleet.StartDaemon();

        await ValueAsync(fleet, agent, "requests_total{code=\"200\",scrape=\"app\"}", 7);
        await ValueAsync(fleet, agent, "up{scrape=\"app\"}", 1);
        await ValueAsync(fleet, agent, "up{scrape=\"gone\"}", 0);
        await ValueAsync(fleet, agent, "backup_age_seconds", 12);
        await ValueAsync(fleet, agent, "node_textfile_scrape_error", 0);
        await ValueAsync(fleet, agent, "lmagent_command_variable{command=\"answer\",variable=\"value\"}", 42);
        await ValueAsync(fleet, agent, "lmagent_command_exit_code{command=\"hangs\"}", -1);
        await ValueAsync(fleet, agent, "lmagent_command_exit_code{command=\"floods\"}", -1);
        await ValueAsync(fleet, agent, "lmagent_command_exit_code{command=\"forks\"}", 0);
        await ValueAsync(fleet, agent, "plugin_value{kind=\"real\",plugin=\"pinned\"}", 5);
        await ValueAsync(fleet, agent, "lmagent_plugin_up{plugin=\"changed\"}", 0);
        await ValueAsync(fleet, agent, "lmagent_clock_skew_seconds", 0);
        Assert.Empty(await fleet.SamplesAsync("go_threads[1m]"));
        Assert.False(File.Exists(fleet.In("changed.ran")));
        await Eventually.TrueAsync("the command's output is a log record", async () => (await RecordsAsync(fleet)).Contains("the answer is 42\n-C", StringComparer.Ordinal));
        await Eventually.TrueAsync("what a command left behind is ended", () => Task.FromResult(HasEnded(File.ReadAllText(fleet.In("stray")).Trim())));

        using var http = new HttpClient();
        var text = await http.GetStringAsync(new Uri($"http://127.0.0.1:{port}/metrics"), TestContext.Current.CancellationToken);
        Assert.Contains("# TYPE lmagent_up gauge\nlmagent_up 1\n", text, StringComparison.Ordinal);
        Assert.Contains("requests_total{code=\"200\",scrape=\"app\"} 7\n", text, StringComparison.Ordinal);

        target.Dispose();
        await ValueAsync(fleet, agent, "up{scrape=\"app\"}", 0);
        await Eventually.TrueAsync("series of a target that is down end at once", async () => !(await fleet.GetTextAsync("/api/v1/query?query=requests_total")).Contains("\"200\"", StringComparison.Ordinal));
        Assert.Equal(0, await agent.StopAsync(Signal.Terminate));
    }

    [Fact]
    public async Task A_reload_begins_and_ends_what_is_gathered()
    {
        await using var fleet = new Fleet();
        await fleet.StartCollectorAsync();
        var agent = fleet.StartDaemon();
        await ValueAsync(fleet, agent, "lmagent_up", 1);

        fleet.AgentSettings = "[[commands]]\nname = \"date\"\nargv = [\"/bin/date\", \"+%s\"]\ninterval_ms = 1000\nvariables = [{ name = \"now\", regex = \"([0-9]+)\" }]\n";
        fleet.WriteSettings();
        agent.Signal(Signal.Hangup);
        await Eventually.TrueAsync("the command runs", async () => (await fleet.SamplesAsync("lmagent_command_variable{command=\"date\"}[1m]")).Length > 1, () => agent.HasEnded ? agent.Output : null);

        fleet.AgentSettings = "";
        fleet.WriteSettings();
        agent.Signal(Signal.Hangup);
        await Eventually.TrueAsync("it was read again", () => Task.FromResult(agent.Output.Split("was read again").Length > 2), () => agent.HasEnded ? agent.Output : null);
        Assert.Equal(0, await agent.StopAsync(Signal.Terminate));
    }

    [Fact]
    public async Task One_tick_is_printed_with_what_commands_give_and_once_sends_it()
    {
        await using var fleet = new Fleet();
        fleet.AgentSettings = "[[commands]]\nname = \"answer\"\nargv = [\"/bin/echo\", \"42\"]\nvariables = [{ name = \"value\", row = 1, column = 1 }]\n";
        fleet.WriteSettings();

        var (printCode, printed) = await RunningProgram.RunAsync(Programs.Agent, "--print-metrics", fleet.AgentToml);

        Assert.Equal(0, printCode);
        Assert.Contains("# HELP lmagent_up ", printed, StringComparison.Ordinal);
        Assert.Contains("lmagent_command_variable{command=\"answer\",variable=\"value\"} 42", printed, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(fleet.In("queue")));

        await fleet.StartCollectorAsync();
        var (code, output) = await fleet.RunAgentAsync("--once");
        Assert.True(code == 0, output);
        var samples = await fleet.SamplesAsync("lmagent_command_variable[1h]");
        Assert.Equal(42.0, Assert.Single(samples));
        Assert.Equal("42", Assert.Single(await RecordsAsync(fleet)));
    }

    private static Task ValueAsync(Fleet fleet, RunningProgram agent, string selector, double expected) => Eventually.TrueAsync(
        $"{selector} is {expected}",
        async () => (await fleet.SamplesAsync(selector + "[1m]")) is [.., var last] && last == expected,
        () => agent.HasEnded ? agent.Output : null);

    private static async Task<List<string>> RecordsAsync(Fleet fleet)
    {
        using var answer = JsonDocument.Parse(await fleet.GetTextAsync("/api/v1/logs?limit=5000&query=" + Uri.EscapeDataString("{input=\"commands\"}")));
        return [.. answer.RootElement.GetProperty("data").GetProperty("result").EnumerateArray().Select(line => line.GetProperty("line").GetString()!)];
    }

    private static bool HasEnded(string process)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{process}/stat");
            return stat[(stat.LastIndexOf(')') + 2)..][0] is 'Z' or 'X';
        }
        catch (IOException)
        {
            return true;
        }
    }

    private static void Put(Fleet fleet, string name, string content, UnixFileMode mode = UnixFileMode.UserRead | UnixFileMode.UserWrite)
    {
        using var file = new FileStream(fleet.In(name), new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = mode });
        file.Write(Encoding.UTF8.GetBytes(content));
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>Answers every request with one text.</summary>
    private sealed class Target : IDisposable
    {
        private readonly HttpListener listener = new();

        public Target(string text)
        {
            Port = FreePort();
            listener.Prefixes.Add(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{Port}/"));
            listener.Start();
            _ = ServeAsync(Encoding.UTF8.GetBytes(text));
        }

        public int Port { get; }

        public void Dispose() => listener.Close();

        private async Task ServeAsync(byte[] body)
        {
            while (listener.IsListening)
            {
                try
                {
                    var context = await listener.GetContextAsync();
                    await context.Response.OutputStream.WriteAsync(body);
                    context.Response.Close();
                }
                catch (Exception failure) when (failure is HttpListenerException or ObjectDisposedException or InvalidOperationException)
                {
                    return;
                }
            }
        }
    }
}
