using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Lm.Agent.Settings;

namespace Lm.Agent.Upload;

/// <summary>One TLS connection to the collector.</summary>
internal sealed class TlsConnection : IDisposable
{
    private readonly SslStream stream;

    private TlsConnection(SslStream stream)
    {
        this.stream = stream;
        Reader = new HttpResponseReader(stream);
    }

    public HttpResponseReader Reader { get; }

    /// <summary>Whether a request went over it already: then it may have been closed at the other end meanwhile.</summary>
    public bool IsUsed { get; set; }

    /// <summary>Connects and checks the collector's certificate against the host's name.</summary>
    public static async Task<TlsConnection> OpenAsync(Uri url, SslClientAuthenticationOptions options, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        SslStream? stream = null;
        try
        {
            await socket.ConnectAsync(url.IdnHost, url.Port, cancellationToken);
            stream = new SslStream(new NetworkStream(socket, ownsSocket: true));
            await stream.AuthenticateAsClientAsync(options, cancellationToken);
            return new TlsConnection(stream);
        }
        catch
        {
            if (stream is null)
            {
                socket.Dispose();
            }
            else
            {
                await stream.DisposeAsync();
            }

            throw;
        }
    }

    /// <summary>How to talk TLS with these settings.</summary>
    public static SslClientAuthenticationOptions OptionsFor(Uri url, TlsMaterial tls)
    {
        var options = new SslClientAuthenticationOptions
        {
            TargetHost = url.IdnHost,
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        };
        if (tls.Roots is { } roots)
        {
            // The private CA alone: the system's roots are not even loaded.
            options.CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
                DisableCertificateDownloads = true,
            };
            options.CertificateChainPolicy.CustomTrustStore.AddRange(roots);
        }

        if (tls.ClientCertificate is { } certificate)
        {
            // With its chain, or a collector that knows only the root could not check it; offline, or building it would ask the network.
            options.ClientCertificateContext = SslStreamCertificateContext.Create(certificate, tls.ClientChain, offline: true);
        }

        return options;
    }

    public async Task WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) =>
        await stream.WriteAsync(bytes, cancellationToken);

    public Task FlushAsync(CancellationToken cancellationToken) => stream.FlushAsync(cancellationToken);

    public void Dispose() => stream.Dispose();
}
