using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Lm.Agent.Queue;
using Lm.Agent.Settings;
using Lm.Agent.Upload;
using Lm.Platform;
using Lm.Protocol;

namespace Lm.Agent.Tests.Upload;

/// <summary>Real TLS over loopback.</summary>
public sealed class UploadClientTests : IDisposable
{
    private readonly X509Certificate2 root = MakeRoot("root");
    private readonly X509Certificate2 otherRoot = MakeRoot("other");

    public void Dispose()
    {
        root.Dispose();
        otherRoot.Dispose();
    }

    [Fact]
    public async Task A_request_carries_headers_and_frames_over_one_kept_connection_with_a_client_certificate()
    {
        using var server = new TlsServer(MakeLeaf("localhost", root), needsClient: true);
        using var client = ClientFor(server, root, MakeLeaf("agent", root));
        server.Answers.Enqueue(Ok());
        server.Answers.Enqueue(Ok());

        Assert.IsType<UploadAnswer.Acknowledged>(await SendAsync(client));
        Assert.IsType<UploadAnswer.Acknowledged>(await SendAsync(client));

        Assert.Equal(1, server.ConnectionCount);
        Assert.Equal("agent", server.ClientName);
        var request = server.Requests[0];
        Assert.StartsWith("POST /ingest/v1/batch HTTP/1.1\r\n", request, StringComparison.Ordinal);
        string[] expected =
        [
            $"Host: localhost:{server.Port}", "Authorization: Bearer s3cret", "Content-Type: application/x-protobuf", "Content-Length: 7",
            "X-Lightmetrics-Agent: a1", "X-Lightmetrics-Seq-Start: 5", "X-Lightmetrics-Seq-End: 6", "X-Lightmetrics-Seq-Floor: 3",
            "X-Lightmetrics-Sent-At: 1700000000123", "X-Lightmetrics-Queue: batches=4, bytes=999, oldest_ms=77, dropped=3, rejected=2",
        ];
        Assert.All(expected, line => Assert.Contains("\r\n" + line + "\r\n", request, StringComparison.Ordinal));
        Assert.EndsWith("\r\n\r\nabcdefg", request, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_connection_that_was_closed_while_idle_is_replaced_without_a_failure()
    {
        using var server = new TlsServer(MakeLeaf("localhost", root)) { AnswersPerConnection = 1 };
        using var client = ClientFor(server, root, null);
        server.Answers.Enqueue(Ok());
        server.Answers.Enqueue(Ok());
        await SendAsync(client);

        var answer = await SendAsync(client);

        Assert.IsType<UploadAnswer.Acknowledged>(answer);
        Assert.Equal(2, server.ConnectionCount);
    }

    [Fact]
    public async Task A_certificate_of_another_authority_or_for_another_name_is_refused()
    {
        using var foreign = new TlsServer(MakeLeaf("localhost", otherRoot));
        using var foreignClient = ClientFor(foreign, root, null);
        using var misnamed = new TlsServer(MakeLeaf("elsewhere", root));
        using var misnamedClient = ClientFor(misnamed, root, null);

        Assert.Contains("certificate", Assert.IsType<UploadAnswer.Failed>(await SendAsync(foreignClient)).Reason, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("certificate", Assert.IsType<UploadAnswer.Failed>(await SendAsync(misnamedClient)).Reason, StringComparison.OrdinalIgnoreCase);
        Assert.Empty(foreign.Requests);
        Assert.Empty(misnamed.Requests);
    }

    [Fact]
    public async Task A_problem_is_read_with_its_code_detail_and_delay()
    {
        using var server = new TlsServer(MakeLeaf("localhost", root));
        using var client = ClientFor(server, root, null);
        const string Body = """{"type":"about:blank","nested":{"code":"no"},"code":"spool_full","detail":"no room"}""";
        server.Answers.Enqueue(Encoding.ASCII.GetBytes($"HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: {Body.Length}\r\n\r\n{Body}"));

        Assert.Equal(new UploadAnswer.Refused(503, "spool_full", "no room", TimeSpan.FromSeconds(7)), await SendAsync(client));
    }

    [Fact]
    public async Task A_200_that_is_no_acknowledgement_acknowledges_nothing()
    {
        using var server = new TlsServer(MakeLeaf("localhost", root));
        using var client = ClientFor(server, root, null);
        server.Answers.Enqueue("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"u8.ToArray());

        Assert.Contains("no lm-collector", Assert.IsType<UploadAnswer.Failed>(await SendAsync(client)).Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("not json", "", "")]
    [InlineData("[]", "", "")]
    [InlineData("{\"code\":5,\"detail\":\"x\"}", "", "x")]
    [InlineData("{\"code\":\"rate\"", "", "")]
    public void Other_bodies_give_no_code(string body, string code, string detail) =>
        Assert.Equal((code, detail), UploadClient.ReadProblem(Encoding.UTF8.GetBytes(body)));

    private static UploadClient ClientFor(TlsServer server, X509Certificate2 root, X509Certificate2? certificate) => new(
        new Uri($"https://localhost:{server.Port}"), new Secret("s3cret"),
        new TlsMaterial { Roots = [root], ClientCertificate = certificate, ClientChain = [] }, TimeProvider.System);

    private static Task<UploadAnswer> SendAsync(UploadClient client) => client.SendAsync(
        new UploadRequest(
            "a1",
            [Batch(5, "abcd"u8.ToArray()), Batch(6, "efg"u8.ToArray())],
            new QueueStatus(4, 999, new UnixMillis(77), 3, new QueueCounters { Dropped = 1, Lost = 2, Rejected = 2 }, default),
            new UnixMillis(1_700_000_000_123)),
        TestContext.Current.CancellationToken);

    private static QueuedBatch Batch(ulong sequence, byte[] frame) => new(new BatchNumber(1, sequence), default, default, default, frame);

    private static byte[] Ok()
    {
        var body = new IngestAck([], new UnixMillis(1), new Limits()).Encode();
        return [.. Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Length: {body.Length}\r\n\r\n"), .. body];
    }

    private static X509Certificate2 MakeRoot(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request.CreateSelfSigned(DateTimeOffset.UnixEpoch.AddYears(50), DateTimeOffset.UnixEpoch.AddYears(100));
    }

    private static X509Certificate2 MakeLeaf(string name, X509Certificate2 issuer)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        using var signed = request.Create(issuer, DateTimeOffset.UnixEpoch.AddYears(51), DateTimeOffset.UnixEpoch.AddYears(99), RandomNumberGenerator.GetBytes(8));
        return signed.CopyWithPrivateKey(key);
    }

    /// <summary>Answers each request with the next answer; knows Content-Length bodies only.</summary>
    private sealed class TlsServer : IDisposable
    {
        private readonly TcpListener listener = new(IPAddress.Loopback, 0);
        private readonly CancellationTokenSource stop = new();
        private readonly SslServerAuthenticationOptions options;

        public TlsServer(X509Certificate2 certificate, bool needsClient = false)
        {
            options = new SslServerAuthenticationOptions
            {
                ServerCertificate = certificate,
                ClientCertificateRequired = needsClient,
                RemoteCertificateValidationCallback = (_, client, _, _) =>
                {
                    ClientName = client?.Subject["CN=".Length..];
                    return client is not null || !needsClient;
                },
            };
            listener.Start();
            _ = AcceptAsync();
        }

        public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

        public Queue<byte[]> Answers { get; } = new();

        public int AnswersPerConnection { get; init; } = int.MaxValue;

        public List<string> Requests { get; } = [];

        public int ConnectionCount { get; private set; }

        public string? ClientName { get; private set; }

        public void Dispose()
        {
            stop.Cancel();
            listener.Dispose();
            stop.Dispose();
        }

        private async Task AcceptAsync()
        {
            while (!stop.IsCancellationRequested)
            {
                try
                {
                    using var socket = await listener.AcceptSocketAsync(stop.Token);
                    ConnectionCount++;
                    await using var stream = new SslStream(new NetworkStream(socket));
                    await stream.AuthenticateAsServerAsync(options, stop.Token);
                    await AnswerAsync(stream);
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
}
