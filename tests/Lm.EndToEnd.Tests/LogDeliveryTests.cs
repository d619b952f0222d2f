using System.Globalization;
using System.Net.WebSockets;
using System.Text.Json;

namespace Lm.EndToEnd.Tests;

public sealed class LogDeliveryTests
{
    [Fact]
    public async Task What_log_files_hold_is_sent_once_by_runs_that_end_and_by_the_daemon_behind_them()
    {
        await using var fleet = new Fleet();
        Directory.CreateDirectory(fleet.In("logs"));
        var file = fleet.In("logs/app.log");
        fleet.AgentSettings = $"""
            [[log_inputs]]
            name = "app"
            path = "{fleet.In("logs")}/*.log"
            start_at = "beginning"
            """;
        fleet.WriteSettings();
        await fleet.StartCollectorAsync();
        await AppendAsync(file, 0, 2500);

        var (code, output) = await fleet.RunAgentAsync("--once");
        Assert.True(code == 0, output);
        Assert.Equal(2500, await LinesAsync(fleet));

        (code, output) = await fleet.RunAgentAsync("--once");
        Assert.True(code == 0, output);
        Assert.Equal(2500, await LinesAsync(fleet));

        var agent = fleet.StartDaemon();
        await AppendAsync(file, 2500, 10);
        await Eventually.TrueAsync("the appended lines arrive", async () => await LinesAsync(fleet) == 2510, () => agent.HasEnded ? agent.Output : null);
        File.Move(file, file + ".1");
        await AppendAsync(file + ".1", 2510, 5);
        await AppendAsync(file, 2515, 5);
        await Eventually.TrueAsync("the lines of both files arrive", async () => await LinesAsync(fleet) == 2520, () => agent.HasEnded ? agent.Output : null);

        await agent.StopAsync(Signal.Kill);
        await AppendAsync(file, 2520, 1);
        agent = fleet.StartDaemon();
        await Eventually.TrueAsync("the line behind the kill arrives", async () => await LinesAsync(fleet) == 2521, () => agent.HasEnded ? agent.Output : null);
        await Eventually.TrueAsync("the agent counts it", async () => (await fleet.SamplesAsync("lmagent_log_records_total{input=\"app\"}[1m]")).Contains(1), () => agent.HasEnded ? agent.Output : null);
        Assert.Equal(0, await agent.StopAsync(Signal.Terminate));
    }

    [Fact]
    public async Task A_tail_over_a_WebSocket_tells_what_is_stored_and_what_comes()
    {
        await using var fleet = new Fleet();
        var file = fleet.In("app.log");
        fleet.AgentSettings = $"""
            [[log_inputs]]
            name = "app"
            path = "{file}"
            start_at = "beginning"
            """;
        fleet.WriteSettings();
        await fleet.StartCollectorAsync();
        await AppendAsync(file, 0, 1);
        var (code, output) = await fleet.RunAgentAsync("--once");
        Assert.True(code == 0, output);
        using var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("Authorization", "Bearer " + fleet.QueryToken);
        var query = Uri.EscapeDataString("{input=\"app\"}");
        await socket.ConnectAsync(new Uri(string.Create(CultureInfo.InvariantCulture, $"ws://127.0.0.1:{fleet.QueryPort}/loki/api/v1/tail?query={query}")), TestContext.Current.CancellationToken);

        var stored = await NextLineAsync(socket);
        await AppendAsync(file, 1, 1);
        (code, output) = await fleet.RunAgentAsync("--once");
        Assert.True(code == 0, output);
        var came = await NextLineAsync(socket);

        Assert.Equal(("line 0", "line 1"), (stored, came));
    }

    private static async Task<string> NextLineAsync(ClientWebSocket socket)
    {
        var bytes = new byte[64 << 10];
        var message = await socket.ReceiveAsync(bytes, TestContext.Current.CancellationToken);
        Assert.True(message.EndOfMessage);
        return JsonElement.Parse(bytes.AsSpan(0, message.Count)).GetProperty("streams")[0].GetProperty("values")[0][1].GetString()!;
    }

    private static async Task AppendAsync(string path, int from, int count) =>
        await File.AppendAllLinesAsync(path, Enumerable.Range(from, count).Select(i => string.Create(CultureInfo.InvariantCulture, $"line {i}")));

    // How many are found; each once.
    private static async Task<int> LinesAsync(Fleet fleet)
    {
        using var answer = JsonDocument.Parse(await fleet.GetTextAsync("/api/v1/logs?limit=5000&query=" + Uri.EscapeDataString("{input=\"app\"}")));
        var lines = answer.RootElement.GetProperty("data").GetProperty("result").EnumerateArray().Select(line => line.GetProperty("line").GetString()!).ToList();
        Assert.Equal(lines.Count, lines.Distinct(StringComparer.Ordinal).Count());
        return lines.Count;
    }
}
