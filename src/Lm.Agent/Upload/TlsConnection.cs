using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace Lm.Agent.Upload;

/// <summary>One TLS connection to the collector.</summary>
internal sealed class TlsConnection : IDisposable
{
    private readonly Socket socket;
    private readonly SslStream stream;

    private TlsConnection(Socket socket, SslStream stream, long openedAt)
    {
        (this.socket, this.stream, OpenedAt) = (socket, stream, openedAt);
        Reader = new HttpResponseReader(stream);
    }

    public HttpResponseReader Reader { get; }

    /// <summary>When it was opened, a timestamp of the clock.</summary>
    public long OpenedAt { get; }

    /// <summary>Whether an answer came over it already: then the other end takes this agent's certificate.</summary>
    public bool HasAnswered { get; set; }

    /// <summary>When the collector's certificate ends.</summary>
    public DateTimeOffset CertificateEndsAt
    {
        get
        {
            using var certificate = stream.RemoteCertificate is { } shown ? new X509Certificate2(shown) : null;
            return certificate?.NotAfter.ToUniversalTime() ?? DateTimeOffset.MaxValue;
        }
    }

    /// <summary>Between requests: whether the other end closed it, or said something that no request asked for.</summary>
    public bool IsStale => socket.Poll(TimeSpan.Zero, SelectMode.SelectRead);

    /// <summary>Connects to one address and checks the collector's certificate.</summary>
    public static async Task<TlsConnection> OpenAsync(
        IPEndPoint address, SslClientAuthenticationOptions options, CertificateCheck check, TimeProvider time, CancellationToken cancellationToken)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        SslStream? stream = null;
        try
        {
            socket.NoDelay = true;
            await socket.ConnectAsync(address, cancellationToken);
            stream = new SslStream(new NetworkStream(socket, ownsSocket: true), leaveInnerStreamOpen: false, check.Validate);
            await stream.AuthenticateAsClientAsync(options, cancellationToken);
            return new TlsConnection(socket, stream, time.GetTimestamp());
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

    public async Task WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) =>
        await stream.WriteAsync(bytes, cancellationToken);

    public Task FlushAsync(CancellationToken cancellationToken) => stream.FlushAsync(cancellationToken);

    public void Dispose() => stream.Dispose();
}
