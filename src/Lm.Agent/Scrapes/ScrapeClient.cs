using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using Lm.Agent.Settings;
using Lm.Agent.Upload;

namespace Lm.Agent.Scrapes;

/// <summary>Fetches a target's text: one connection, one request, bounded in time and size. Redirects are not followed.</summary>
internal static class ScrapeClient
{
    /// <summary>Gets it.</summary>
    /// <returns>The body, or what is wrong.</returns>
    public static async Task<(byte[] Body, string Fault)> GetAsync(ScrapeSettings settings, TimeProvider time, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(settings.Timeout, time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            var response = await ExchangeAsync(settings, linked.Token);
            return response.Status == 200 ? (response.Body, "") : ([], $"it answered {response.Status}");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return ([], $"no whole answer within {settings.Timeout.TotalMilliseconds:0} ms");
        }
        catch (Exception failure) when (failure is IOException or SocketException or AuthenticationException)
        {
            return ([], ExceptionText.Of(failure));
        }
    }

    private static async Task<HttpResponse> ExchangeAsync(ScrapeSettings settings, CancellationToken cancellationToken)
    {
        var url = settings.Url;
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(url.IdnHost, url.Port, cancellationToken);
        await using Stream stream = await OpenAsync(settings, new NetworkStream(socket), cancellationToken);
        await stream.WriteAsync(HeadOf(settings), cancellationToken);
        await stream.FlushAsync(cancellationToken);
        return await new HttpResponseReader(stream, HttpBounds.ForScrape(settings.BodyBytesMax)).ReadAsync(cancellationToken);
    }

    private static async Task<Stream> OpenAsync(ScrapeSettings settings, NetworkStream plain, CancellationToken cancellationToken)
    {
        if (settings.Url.Scheme != Uri.UriSchemeHttps)
        {
            return plain;
        }

        // The verdict is the runtime's: there is no setting to do without it.
        var secure = new SslStream(plain, leaveInnerStreamOpen: false);
        try
        {
            var trust = new TlsMaterial { Roots = settings.Roots, ClientCertificate = null, ClientChain = [] };
            await secure.AuthenticateAsClientAsync(TlsConnector.OptionsFor(settings.Url, trust), cancellationToken);
            return secure;
        }
        catch
        {
            await secure.DisposeAsync();
            throw;
        }
    }

    private static byte[] HeadOf(ScrapeSettings settings)
    {
        var url = settings.Url;
        var host = url.HostNameType == UriHostNameType.IPv6 ? $"[{url.IdnHost}]" : url.IdnHost;
        var head = new StringBuilder();
        head.Append(CultureInfo.InvariantCulture, $"GET {url.PathAndQuery} HTTP/1.1\r\nHost: {host}:{url.Port}\r\nUser-Agent: lm-agent/{AgentVersion.Text}\r\n");
        head.Append("Accept: text/plain;version=0.0.4;q=1,application/openmetrics-text;version=1.0.0;q=0.5,*/*;q=0.1\r\nConnection: close\r\n");
        head.Append(CultureInfo.InvariantCulture, $"X-Prometheus-Scrape-Timeout-Seconds: {settings.Timeout.TotalSeconds}\r\n");
        if (settings.Token is { } token)
        {
            head.Append(CultureInfo.InvariantCulture, $"Authorization: Bearer {token.Reveal()}\r\n");
        }

        return Encoding.ASCII.GetBytes(head.Append("\r\n").ToString());
    }
}
