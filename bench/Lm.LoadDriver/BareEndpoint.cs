using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Lm.LoadDriver;

/// <summary>The floor that the collector is measured against: a Kestrel TLS endpoint that reads each body and answers 200.</summary>
internal static class BareEndpoint
{
    public static async Task RunAsync(int port, string certFile, string keyFile, CancellationToken stopping)
    {
        using var pem = X509Certificate2.CreateFromPemFile(certFile, keyFile);
        // Through PKCS#12: a key that lives in a PEM alone is not usable by every TLS stack.
        using var certificate = X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = 8 << 20;
            kestrel.Listen(IPAddress.Loopback, port, listen =>
            {
                listen.Protocols = HttpProtocols.Http1AndHttp2;
                listen.UseHttps(certificate);
            });
        });
        await using var app = builder.Build();
        app.Run(AnswerAsync);
        await app.StartAsync(stopping);
        Console.Out.WriteLine("ready");
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

    private static async Task AnswerAsync(HttpContext context)
    {
        var body = context.Request.BodyReader;
        while (true)
        {
            var read = await body.ReadAsync(context.RequestAborted);
            body.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted)
            {
                break;
            }
        }

        context.Response.ContentLength = 0;
    }
}
