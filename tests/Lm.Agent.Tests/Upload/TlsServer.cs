using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Lm.Platform;
using Lm.Protocol;

namespace Lm.Agent.Tests.Upload;

/// <summary>Answers each request with the next answer; knows Content-Length bodies only.</summary>
internal sealed class TlsServer : IDisposable
{
    private readonly TcpListener listener;
    private readonly CancellationTokenSource stop = new();
    private readonly SslServerAuthenticationOptions options;
    private readonly Task accepting;

    public TlsServer(X509Certificate2 certificate, bool needsClient = false, IPEndPoint? address = null)
    {
        options = new SslServerAuthenticationOptions
        {
            ServerCertificateContext = SslStreamCertificateContext.Create(certificate, [], offline: true),
            ClientCertificateRequired = needsClient,
            RemoteCertificateValidationCallback = (_, client, _, _) =>
            {
                ClientName = client?.Subject["CN=".Length..];
                return !needsClient || (client is not null && IsTaken(ClientName!));
            },
        };
        listener = new TcpListener(address ?? new IPEndPoint(IPAddress.Loopback, 0));
        listener.Start();
        accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    public Queue<byte[]> Answers { get; } = new();

    public int AnswersPerConnection { get; init; } = int.MaxValue;

    /// <summary>Takes the place of answering whole requests.</summary>
    public Func<SslStream, CancellationToken, Task>? Talk { get; init; }

    /// <summary>Which client certificates are taken.</summary>
    public Predicate<string> IsTaken { get; init; } = _ => true;

    public List<string> Requests { get; } = [];

    public int ConnectionCount { get; private set; }

    public string? ClientName { get; private set; }

    /// <summary>An acknowledgement of no frames.</summary>
    public static byte[] Ok()
    {
        var body = new IngestAck([], new UnixMillis(1), new Limits()).Encode();
        return [.. Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Type: {IngestAck.MediaType}\r\nContent-Length: {body.Length}\r\n\r\n"), .. body];
    }

    public void Dispose()
    {
        stop.Cancel();
        listener.Dispose();
        accepting.GetAwaiter().GetResult();
        stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                using var socket = await listener.AcceptSocketAsync(stop.Token);
                // As servers do: an answer that Nagle's algorithm holds back until something is acknowledged is lost when the socket is closed.
                socket.NoDelay = true;
                ConnectionCount++;
                await using var stream = new SslStream(new NetworkStream(socket));
                await stream.AuthenticateAsServerAsync(options, stop.Token);
                await (Talk is null ? AnswerAsync(stream) : Talk(stream, stop.Token));
            }
            catch (Exception failure) when (failure is IOException or SocketException or System.Security.Authentication.AuthenticationException
                or OperationCanceledException or ObjectDisposedException)
            {
                // The client went away, or the test is over.
            }
        }
    }

    private async Task AnswerAsync(SslStream stream)
    {
        var text = "";
        var buffer = new byte[8192];
        for (var answers = 0; answers < AnswersPerConnection;)
        {
            var count = await stream.ReadAsync(buffer, stop.Token);
            if (count == 0)
            {
                return;
            }

            text += Encoding.Latin1.GetString(buffer, 0, count);
            if (text.EndsWith("abcdefg", StringComparison.Ordinal))
            {
                Requests.Add(text);
                text = "";
                answers++;
                await stream.WriteAsync(Answers.Dequeue(), stop.Token);
            }
        }
    }
}
