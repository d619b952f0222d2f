using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Lm.Agent.Tests.HostMetrics.Node;

/// <summary>Debian's node_exporter, run on this host or on a tree of files.</summary>
internal sealed class NodeExporter : IDisposable
{
    private const string Program = "prometheus-node-exporter";

    private readonly Process process;
    private readonly HttpClient client = new();

    private NodeExporter(Process process, int port)
    {
        this.process = process;
        client.BaseAddress = new Uri($"http://127.0.0.1:{port}/");
    }

    public static async Task<NodeExporter> StartAsync(CancellationToken cancellationToken, params string[] arguments)
    {
        var isThere = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Combine(folder, Program)));
        Assert.SkipUnless(isThere, $"Debian's package {Program} is not on the PATH");
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();
        var start = new ProcessStartInfo(Program, [$"--web.listen-address=127.0.0.1:{port}", "--web.disable-exporter-metrics", .. arguments])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        var exporter = new NodeExporter(Process.Start(start)!, port);
        exporter.process.BeginErrorReadLine();
        exporter.process.BeginOutputReadLine();
        await exporter.AwaitAsync(cancellationToken);
        return exporter;
    }

    /// <summary>Its series and their values, but those about itself.</summary>
    public async Task<Dictionary<string, double>> ScrapeAsync(CancellationToken cancellationToken)
    {
        var series = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (var line in (await client.GetStringAsync("metrics", cancellationToken)).Split('\n'))
        {
            var isOwn = line.StartsWith("node_scrape_", StringComparison.Ordinal) || line.StartsWith("node_exporter_", StringComparison.Ordinal)
                || line.StartsWith("node_textfile_", StringComparison.Ordinal);
            if (line.StartsWith("node_", StringComparison.Ordinal) && !isOwn)
            {
                var blank = line.LastIndexOf(' ');
                series.Add(line[..blank], double.Parse(line.AsSpan(blank + 1), CultureInfo.InvariantCulture));
            }
        }

        return series;
    }

    public void Dispose()
    {
        client.Dispose();
        process.Kill();
        process.WaitForExit();
        process.Dispose();
    }

    private async Task AwaitAsync(CancellationToken cancellationToken)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                await client.GetStringAsync("", cancellationToken);
                return;
            }
            catch (HttpRequestException) when (attempt < 200 && !process.HasExited)
            {
                await Task.Delay(50, cancellationToken);
            }
        }
    }
}
