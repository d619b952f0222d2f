using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;

namespace Lm.Tsdb.Tests.Blocks;

/// <summary>A stock Prometheus over a folder of blocks, on loopback; killed when disposed of.</summary>
internal sealed class RunningPrometheus : IAsyncDisposable
{
    private readonly Process process;
    private readonly HttpClient client;

    private RunningPrometheus(Process process, int port)
    {
        this.process = process;
        client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}/") };
    }

    public static async Task<RunningPrometheus> StartAsync(string data, CancellationToken cancellationToken)
    {
        var configuration = Path.Combine(data, "none.yml");
        await using (File.Create(configuration))
        {
        }

        var port = FreePort();
        var start = new ProcessStartInfo("prometheus",
        [
            $"--config.file={configuration}", $"--storage.tsdb.path={data}", $"--web.listen-address=127.0.0.1:{port}",
            "--storage.tsdb.retention.time=10y", "--log.level=error",
        ])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        var running = new RunningPrometheus(Process.Start(start)!, port);
        try
        {
            await running.WaitUntilReadyAsync(cancellationToken);
            return running;
        }
        catch
        {
            await running.DisposeAsync();
            throw;
        }
    }

    /// <summary>The series of an answer, each with its samples.</summary>
    public async Task<Series> AskAsync(string pathAndQuery, CancellationToken cancellationToken)
    {
        using var json = JsonDocument.Parse(await client.GetStringAsync(new Uri(pathAndQuery, UriKind.Relative), cancellationToken));
        var all = new Series([]);
        foreach (var one in json.RootElement.GetProperty("data").GetProperty("result").EnumerateArray())
        {
            var samples = new SampleBuffer();
            foreach (var pair in one.GetProperty("values").EnumerateArray())
            {
                samples.Add((long)Math.Round(pair[0].GetDouble() * 1000), double.Parse(pair[1].GetString()!, System.Globalization.CultureInfo.InvariantCulture));
            }

            all.Add(new LabelSet([.. one.GetProperty("metric").EnumerateObject().Select(label => new Label(label.Name, label.Value.GetString()!))]), samples);
        }

        return all;
    }

    public async ValueTask DisposeAsync()
    {
        process.Kill();
        await process.WaitForExitAsync(CancellationToken.None);
        process.Dispose();
        client.Dispose();
    }

    private async Task WaitUntilReadyAsync(CancellationToken cancellationToken)
    {
        var errors = process.StandardError.ReadToEndAsync(cancellationToken);
        for (var tries = 0; tries < 600; tries++)
        {
            Assert.False(process.HasExited, process.HasExited ? await errors : "");
            try
            {
                using var answer = await client.GetAsync(new Uri("-/ready", UriKind.Relative), cancellationToken);
                if (answer.IsSuccessStatusCode)
                {
                    return;
                }
            }
            catch (HttpRequestException)
            {
                // It does not listen yet.
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, cancellationToken);
        }

        Assert.Fail("Prometheus did not get ready");
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
