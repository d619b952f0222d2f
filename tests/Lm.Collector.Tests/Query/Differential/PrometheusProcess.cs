using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using Lm.Tsdb;

namespace Lm.Collector.Tests.Query.Differential;

/// <summary>A real Prometheus on loopback, with its remote-write receiver on; ended by its id.</summary>
internal sealed class PrometheusProcess : IAsyncDisposable
{
    private readonly Process process;
    private readonly string folder;

    private PrometheusProcess(Process process, string folder, Uri address)
    {
        this.process = process;
        this.folder = folder;
        Client = new HttpClient { BaseAddress = address, Timeout = TimeSpan.FromSeconds(60) };
    }

    public HttpClient Client { get; }

    /// <summary>Starts one; skips the test where the program is missing.</summary>
    public static async Task<PrometheusProcess> StartAsync(CancellationToken cancellationToken)
    {
        var program = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(path => Path.Combine(path, "prometheus")).FirstOrDefault(File.Exists);
        Assert.SkipWhen(program is null, "no prometheus in PATH: install Debian's package");
        var folder = Directory.CreateTempSubdirectory("lm-prometheus-").FullName;
        await File.WriteAllTextAsync(Path.Combine(folder, "prometheus.yml"), "global: {scrape_interval: 1h}\n", cancellationToken);
        var port = FreePort();
        var start = new ProcessStartInfo(program!)
        {
            ArgumentList =
            {
                $"--config.file={folder}/prometheus.yml", $"--storage.tsdb.path={folder}/data", string.Create(CultureInfo.InvariantCulture, $"--web.listen-address=127.0.0.1:{port}"),
                "--web.enable-remote-write-receiver", "--storage.tsdb.retention.time=100y", "--log.level=error",
            },
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        var process = Process.Start(start)!;
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
        var running = new PrometheusProcess(process, folder, new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}/")));
        await running.WaitUntilReadyAsync(cancellationToken);
        return running;
    }

    /// <summary>Sends samples by remote write: those of all series in order of time, so that its head takes them.</summary>
    public async Task WriteAsync(IEnumerable<(LabelSet Labels, long Time, double Value)> samples, CancellationToken cancellationToken)
    {
        foreach (var chunk in samples.OrderBy(sample => sample.Time).Chunk(2000))
        {
            using var content = new ByteArrayContent(RemoteWriteBytes.Of(chunk));
            content.Headers.ContentType = new MediaTypeHeaderValue("application/x-protobuf");
            content.Headers.ContentEncoding.Add("snappy");
            content.Headers.Add("X-Prometheus-Remote-Write-Version", "0.1.0");
            using var answer = await Client.PostAsync("api/v1/write", content, cancellationToken);
            Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(cancellationToken));
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

    private async Task WaitUntilReadyAsync(CancellationToken cancellationToken)
    {
        for (var tries = 0; ; tries++)
        {
            try
            {
                using var answer = await Client.GetAsync("-/ready", cancellationToken);
                if (answer.StatusCode == HttpStatusCode.OK)
                {
                    return;
                }
            }
            catch (HttpRequestException) when (tries < 300)
            {
                // Not listening yet.
            }

            Assert.True(tries < 300 && !process.HasExited, "prometheus does not become ready");
            await Task.Delay(100, cancellationToken);
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}

/// <summary>The body of a remote-write request, version 1.</summary>
/// <remarks>A message of protobuf, in a Snappy block that is all literals: https://prometheus.io/docs/specs/prw/remote_write_spec/.</remarks>
internal static class RemoteWriteBytes
{
    public static byte[] Of(IReadOnlyList<(LabelSet Labels, long Time, double Value)> samples)
    {
        var message = new List<byte>();
        foreach (var (labels, time, value) in samples)
        {
            var series = new List<byte>();
            foreach (ref readonly var label in labels.Labels)
            {
                var pair = new List<byte>();
                Field(pair, 0x0A, Encoding.UTF8.GetBytes(label.Name));
                Field(pair, 0x12, Encoding.UTF8.GetBytes(label.Value));
                Field(series, 0x0A, [.. pair]);
            }

            var sample = new List<byte> { 0x09 };
            sample.AddRange(BitConverter.GetBytes(value));
            sample.Add(0x10);
            Varint(sample, (ulong)time);
            Field(series, 0x12, [.. sample]);
            Field(message, 0x0A, [.. series]);
        }

        return Snappy([.. message]);
    }

    private static void Field(List<byte> into, byte tag, byte[] bytes)
    {
        into.Add(tag);
        Varint(into, (ulong)bytes.Length);
        into.AddRange(bytes);
    }

    private static void Varint(List<byte> into, ulong number)
    {
        for (; number >= 0x80; number >>= 7)
        {
            into.Add((byte)(number | 0x80));
        }

        into.Add((byte)number);
    }

    private static byte[] Snappy(byte[] bytes)
    {
        var block = new List<byte>();
        Varint(block, (ulong)bytes.Length);
        foreach (var piece in bytes.Chunk(65_536))
        {
            block.AddRange([61 << 2, (byte)(piece.Length - 1), (byte)((piece.Length - 1) >> 8)]); // a literal with two bytes of length
            block.AddRange(piece);
        }

        return [.. block];
    }
}
