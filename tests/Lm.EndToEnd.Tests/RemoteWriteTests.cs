using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;

namespace Lm.EndToEnd.Tests;

/// <summary>Debian's Prometheus, which scrapes itself and remote-writes into a running collector.</summary>
public sealed class RemoteWriteTests
{
    [Fact]
    public async Task Every_sample_of_a_real_Prometheus_is_answered_as_Prometheus_answers_it_though_the_collector_was_killed_again_and_again()
    {
        await using var fleet = new Fleet();
        fleet.Write("ingest-tokens.toml", $"[[tokens]]\nagent_id = \"prometheus\"\ntoken = \"{fleet.Token}\"\nremote_write = true\n");
        await fleet.StartCollectorAsync();
        var port = FreePort();
        WriteSettings(fleet, port);
        var prometheus = fleet.Start(
            Programs.Prometheus, $"--config.file={fleet.In("prometheus.yml")}", $"--storage.tsdb.path={fleet.In("prometheus")}",
            string.Create(CultureInfo.InvariantCulture, $"--web.listen-address=127.0.0.1:{port}"), "--log.level=warn");
        for (var kills = 0; kills < 3; kills++)
        {
            var samples = await UpSamplesAsync(fleet);
            await Eventually.BecomesAsync("more samples are there", () => UpSamplesAsync(fleet), count => count >= samples + 3, () => prometheus.HasEnded ? prometheus.Output : null);
            await fleet.Collector.StopAsync(Signal.Kill);
            await fleet.StartCollectorAsync();
        }

        using var http = new HttpClient { BaseAddress = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}")) };
        var path = string.Create(
            CultureInfo.InvariantCulture,
            $"/api/v1/query?query={Uri.EscapeDataString("{job=\"self\"}[10m]")}&time={TimeProvider.System.GetUtcNow().ToUnixTimeSeconds()}");
        var expected = Lines(JsonElement.Parse(await http.GetStringAsync(path, TestContext.Current.CancellationToken)));
        Assert.True(expected.Count > 1000, $"Prometheus has {expected.Count} samples of itself");
        await Eventually.BecomesAsync(
            "the collector answers what Prometheus answers",
            async () => string.Join('\n', Difference(expected, Lines(await fleet.GetAsync(path)))),
            difference => difference.Length == 0);

        var metrics = await fleet.GetTextAsync("/metrics");
        Assert.Contains("lm_collector_samples_conflicting_total 0\n", metrics, StringComparison.Ordinal);
        Assert.Equal(0, await prometheus.StopAsync(Signal.Terminate));
    }

    private static void WriteSettings(Fleet fleet, int port)
    {
        fleet.Write("prometheus.yml", string.Create(CultureInfo.InvariantCulture, $"""
            global:
              scrape_interval: 500ms
              scrape_timeout: 400ms
            scrape_configs:
              - job_name: self
                static_configs:
                  - targets: ["127.0.0.1:{port}"]
            remote_write:
              - url: https://127.0.0.1:{fleet.IngestPort}/api/v1/write
                authorization:
                  credentials_file: {fleet.In("token")}
                tls_config:
                  ca_file: {fleet.In("tls/ca.pem")}
                queue_config:
                  batch_send_deadline: 200ms
                  max_backoff: 500ms
                metadata_config:
                  send_interval: 1s
            """));
    }

    private static async Task<int> UpSamplesAsync(Fleet fleet) => (await fleet.SamplesAsync("up{job=\"self\"}[1h]")).Length;

    // One line for each sample: labels by name, time and value as the answer writes them.
    private static HashSet<string> Lines(JsonElement answer)
    {
        var lines = new HashSet<string>(StringComparer.Ordinal);
        foreach (var series in answer.GetProperty("data").GetProperty("result").EnumerateArray())
        {
            var labels = string.Join(',', series.GetProperty("metric").EnumerateObject().OrderBy(label => label.Name, StringComparer.Ordinal).Select(label => $"{label.Name}={label.Value}"));
            foreach (var sample in series.GetProperty("values").EnumerateArray())
            {
                Assert.True(lines.Add($"{labels} {sample[0].GetRawText()} {sample[1].GetString()}"), "no sample comes twice");
            }
        }

        return lines;
    }

    private static IEnumerable<string> Difference(HashSet<string> expected, HashSet<string> actual) =>
        expected.Except(actual).Select(line => "missing: " + line).Concat(actual.Except(expected).Select(line => "more: " + line)).Take(5);

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
