using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Lm.Collector.Tests.Query.Differential;

/// <summary>A real Loki on loopback; ended by its id.</summary>
internal sealed class LokiProcess : IAsyncDisposable
{
    private readonly Process process;
    private readonly string folder;

    private LokiProcess(Process process, string folder, Uri address)
    {
        this.process = process;
        this.folder = folder;
        Client = new HttpClient { BaseAddress = address, Timeout = TimeSpan.FromSeconds(60) };
    }

    public HttpClient Client { get; }

    /// <summary>Where a program is; skips the test where it is missing.</summary>
    public static string Need(string program)
    {
        var found = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(path => Path.Combine(path, program)).FirstOrDefault(File.Exists);
        Assert.SkipWhen(found is null, $"no {program} in PATH");
        return found!;
    }

    /// <summary>Starts one that keeps what it is sent as it is; skips the test where the program is missing.</summary>
    public static async Task<LokiProcess> StartAsync(CancellationToken cancellationToken)
    {
        var program = Need("loki");
        var folder = Directory.CreateTempSubdirectory("lm-loki-").FullName;
        var port = FreePort();
        var config = string.Create(CultureInfo.InvariantCulture, $$$"""
            auth_enabled: false
            analytics: {reporting_enabled: false}
            server: {http_listen_address: 127.0.0.1, http_listen_port: {{{port}}}, grpc_listen_address: 127.0.0.1, grpc_listen_port: {{{FreePort()}}}, log_level: error}
            common:
              instance_addr: 127.0.0.1
              path_prefix: {{{folder}}}/data
              replication_factor: 1
              storage: {filesystem: {chunks_directory: {{{folder}}}/data/chunks, rules_directory: {{{folder}}}/data/rules}}
              ring: {kvstore: {store: inmemory}}
            schema_config: {configs: [{from: 2020-10-24, store: tsdb, object_store: filesystem, schema: v13, index: {prefix: index_, period: 24h}}]}
            limits_config:
              reject_old_samples: false
              discover_log_levels: false
              discover_service_name: []
              allow_structured_metadata: true
              volume_enabled: true
              ingestion_rate_mb: 100
              ingestion_burst_size_mb: 100
              per_stream_rate_limit: 100MB
              per_stream_rate_limit_burst: 100MB
            query_range: {parallelise_shardable_queries: false, cache_results: false}
            """);
        await File.WriteAllTextAsync(Path.Combine(folder, "loki.yml"), config, cancellationToken);
        var start = new ProcessStartInfo(program) { ArgumentList = { $"-config.file={folder}/loki.yml" }, RedirectStandardError = true, RedirectStandardOutput = true };
        var process = Process.Start(start)!;
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
        return new LokiProcess(process, folder, new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}/")));
    }

    /// <summary>Sends lines, as soon as it takes any; those of a stream in order of time.</summary>
    public async Task WriteAsync(IEnumerable<PeerLine> lines, CancellationToken cancellationToken)
    {
        var streams = lines.GroupBy(static line => line.Stream, StringComparer.Ordinal).Select(static stream => new
        {
            stream = stream.Key.Split(',').Select(static label => label.Split('=', 2)).ToDictionary(static label => label[0], static label => label[1]),
            values = stream.Select(static line => new object[]
            {
                string.Create(CultureInfo.InvariantCulture, $"{line.Time}000000"), line.Body, line.Metadata.ToDictionary(static label => label.Name, static label => label.Value),
            }),
        });
        var body = JsonSerializer.Serialize(new { streams });
        for (var tries = 0; ; tries++)
        {
            try
            {
                using var content = new StringContent(body, Encoding.UTF8, "application/json");
                using var answer = await Client.PostAsync("loki/api/v1/push", content, cancellationToken);
                if (answer.StatusCode == HttpStatusCode.NoContent)
                {
                    return;
                }

                Assert.True(tries < 300 && (int)answer.StatusCode >= 500, await answer.Content.ReadAsStringAsync(cancellationToken));
            }
            catch (HttpRequestException) when (tries < 300)
            {
                // Not listening yet.
            }

            Assert.False(process.HasExited, "loki ended");
            await Task.Delay(100, cancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}

/// <summary>A line that two programs are given.</summary>
/// <param name="Time">When, milliseconds.</param>
/// <param name="Stream">Labels, as in <c>a=b,c=d</c>.</param>
/// <param name="Body">The line.</param>
/// <param name="Attributes">What it has beside.</param>
internal sealed record PeerLine(long Time, string Stream, string Body, params (string Name, string Value)[] Attributes)
{
    /// <summary>The same with the label that Lightmetrics makes of the severity.</summary>
    public IEnumerable<(string Name, string Value)> Metadata =>
        Stream.Split(',').FirstOrDefault(static label => label.StartsWith("severity=", StringComparison.Ordinal)) is { } severity
            ? [.. Attributes, ("detected_level", severity["severity=".Length..])]
            : Attributes;
}
