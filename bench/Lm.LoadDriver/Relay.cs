using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Lm.Protocol;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Lm.LoadDriver;

/// <summary>Stands between a real agent and the collector: notes every batch that comes before it passes the request on, and loses as many
/// requests and answers as it is told to.</summary>
internal sealed class Relay : IDisposable
{
    private const int BodyBytesMax = 8 << 20;

    private readonly Uri target;
    private readonly AgentLedger? ledger;
    private readonly ArrivedLines? lines;
    private readonly int losePercent;
    private readonly HttpClient http;

    public Relay(Uri target, X509Certificate2Collection authorities, AgentLedger? ledger, ArrivedLines? lines, int losePercent)
    {
        (this.target, this.ledger, this.lines, this.losePercent) = (target, ledger, lines, losePercent);
        var chain = new X509ChainPolicy { RevocationMode = X509RevocationMode.NoCheck, TrustMode = X509ChainTrustMode.CustomRootTrust };
        chain.CustomTrustStore.AddRange(authorities);
        http = new HttpClient(new SocketsHttpHandler
        {
            SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = chain },
            ConnectTimeout = TimeSpan.FromSeconds(5),
            UseProxy = false,
        })
        { Timeout = TimeSpan.FromSeconds(30) };
    }

    /// <summary>Listens until <paramref name="stopping"/>; what is in hand then is passed on.</summary>
    public async Task RunAsync(IPEndPoint listen, string certFile, string keyFile, CancellationToken stopping)
    {
        using var pem = X509Certificate2.CreateFromPemFile(certFile, keyFile);
        // Through PKCS#12, as in BareEndpoint.
        using var certificate = X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = BodyBytesMax;
            kestrel.Listen(listen, on =>
            {
                on.Protocols = HttpProtocols.Http1;
                on.UseHttps(certificate);
            });
        });
        await using var app = builder.Build();
        app.Run(PassAsync);
        // Not `stopping`: a stop during the start is a stop like any other, not a fault.
        await app.StartAsync(CancellationToken.None);
        try
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stopping);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The signal to stop.
        }

        await app.StopAsync(CancellationToken.None);
    }

    public void Dispose() => http.Dispose();

    private async Task PassAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        ledger?.Note(body.ToArray(), "sent");
        var isLost = RandomNumberGenerator.GetInt32(100) < losePercent;
        if (isLost && RandomNumberGenerator.GetInt32(2) == 0)
        {
            context.Abort();
            return;
        }

        try
        {
            // Not cancelled with the agent's connection: a request that an agent gave up may still arrive, on any network.
            using var answer = await http.SendAsync(RequestFor(context, body.ToArray()), CancellationToken.None);
            var content = await answer.Content.ReadAsByteArrayAsync(CancellationToken.None);
            if (lines is not null && answer.IsSuccessStatusCode)
            {
                lines.Note(body.ToArray(), content);
            }

            if (isLost)
            {
                context.Abort();
                return;
            }

            context.Response.StatusCode = (int)answer.StatusCode;
            context.Response.ContentType = answer.Content.Headers.ContentType?.ToString();
            context.Response.ContentLength = content.Length;
            if (answer.Headers.RetryAfter is { } wait)
            {
                context.Response.Headers.RetryAfter = wait.ToString();
            }

            await context.Response.Body.WriteAsync(content, context.RequestAborted);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
        {
            // The collector is away, or the agent is.
            context.Abort();
        }
    }

    private HttpRequestMessage RequestFor(HttpContext context, byte[] body)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, new Uri(target, BatchHeaders.Path)) { Content = new ByteArrayContent(body) };
        foreach (var (name, value) in context.Request.Headers)
        {
            if (name is "Authorization" or "User-Agent" || name.StartsWith("X-Lightmetrics-", StringComparison.OrdinalIgnoreCase))
            {
                request.Headers.TryAddWithoutValidation(name, (string?)value);
            }
        }

        request.Content.Headers.TryAddWithoutValidation("Content-Type", context.Request.ContentType);
        return request;
    }
}
