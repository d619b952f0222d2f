using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Lm.Collector.Settings;
using Lm.Collector.Tests.Settings;
using Lm.Platform;
using Lm.Protocol;
using Lm.TestKit;
using Microsoft.Extensions.Logging.Abstractions;

namespace Lm.Collector.Tests.Ingest;

/// <summary>The whole collector on loopback, with its spool in memory.</summary>
internal sealed class RunningCollector : IAsyncDisposable
{
    private readonly string configFile;

    private RunningCollector(SettingsFolder folder, string configFile, CollectorHost host, CurrentSettings settings, MemoryFileSystem files, ManualTime time)
    {
        (Folder, this.configFile, Host, Settings, Files, Time) = (folder, configFile, host, settings, files, time);
    }

    public SettingsFolder Folder { get; }

    public CollectorHost Host { get; }

    public CurrentSettings Settings { get; }

    public MemoryFileSystem Files { get; }

    public ManualTime Time { get; }

    public Uri Ingest => new($"https://localhost:{Host.IngestEndPoint.Port}/");

    public Uri Query => new($"http://127.0.0.1:{Host.QueryEndPoint.Port}/");

    /// <summary>The collector's authority alone.</summary>
    public X509ChainPolicy Trust
    {
        get
        {
            var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            policy.CustomTrustStore.Add(Folder.Authority);
            return policy;
        }
    }

    public static async Task<RunningCollector> StartAsync(string ingest = "", string tls = "", string tokens = "", Action<MemoryFileSystem>? prepare = null, string more = "")
    {
        var folder = new SettingsFolder();
        folder.Write("ingest-tokens.toml", "[[tokens]]\nagent_id = \"a1\"\ntoken = \"token-of-a1\"\n" + tokens);
        folder.Write("server.toml", $"""
            [ingest]
            listen = "127.0.0.1:0"
            token_table_file = "ingest-tokens.toml"
            {ingest}
            [ingest.tls]
            cert_file = "cert.pem"
            key_file = "key.pem"
            {tls}
            [query]
            listen = "127.0.0.1:0"
            token_file = "query-token"
            [storage]
            spool_dir = "/spool"
            cache_dir = "/cache"
            {more}
            """);
        var time = new ManualTime();
        var loaded = ServerSettings.TryLoad(folder["server.toml"], time, out var faults);
        Assert.Empty(faults.Select(fault => fault.ToString()));
        var (settings, files) = (new CurrentSettings(loaded!), new MemoryFileSystem());
        prepare?.Invoke(files);
        var host = CollectorHost.Open(settings, files, time, NullLoggerFactory.Instance);
        await host.StartAsync(TestContext.Current.CancellationToken);
        return new RunningCollector(folder, folder["server.toml"], host, settings, files, time);
    }

    public bool Reload() => new Reload(configFile, Settings, Time, NullLogger.Instance).Apply("test");

    public HttpClient Client(X509Certificate2? certificate = null, Action<X509Certificate2>? seen = null)
    {
        var handler = new SocketsHttpHandler
        {
            SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = Trust },
        };
        if (seen is not null)
        {
            handler.SslOptions.RemoteCertificateValidationCallback = (_, shown, _, errors) =>
            {
                seen((X509Certificate2)shown!);
                return errors == SslPolicyErrors.None;
            };
        }

        if (certificate is not null)
        {
            handler.SslOptions.ClientCertificateContext = SslStreamCertificateContext.Create(certificate, null, offline: true);
        }

        return new HttpClient(handler) { BaseAddress = Ingest };
    }

    /// <summary>A request as lm-agent makes it.</summary>
    public HttpRequestMessage Request(ulong sequence, byte[]? body = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, BatchHeaders.Path)
        {
            Content = new ByteArrayContent(body ?? FrameMaker.Frame(sequence, UnixMillis.Now(Time))),
        };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue(IngestAck.MediaType);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", "token-of-a1");
        request.Headers.Add(BatchHeaders.Agent, "a1");
        request.Headers.Add(BatchHeaders.SeqStart, sequence.ToString(CultureInfo.InvariantCulture));
        request.Headers.Add(BatchHeaders.SeqEnd, sequence.ToString(CultureInfo.InvariantCulture));
        return request;
    }

    public async ValueTask DisposeAsync()
    {
        await Host.StopAsync();
        await Host.DisposeAsync();
        Folder.Dispose();
    }
}
