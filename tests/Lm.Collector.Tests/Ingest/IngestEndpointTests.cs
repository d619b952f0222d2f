using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Lm.Collector.Ingest;
using Lm.Collector.Tests.Settings;
using Lm.Protocol;
using Lm.TestKit;

namespace Lm.Collector.Tests.Ingest;

public sealed class IngestEndpointTests
{
    private static readonly CancellationToken Cancelled = TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task A_batch_is_acknowledged_with_its_outcome_clock_and_limits(string version)
    {
        await using var collector = await RunningCollector.StartAsync();
        using var client = collector.Client();
        foreach (var expected in new[] { FrameOutcome.Accepted, FrameOutcome.Duplicate })
        {
            var request = collector.Request(7);
            (request.Version, request.VersionPolicy) = (Version.Parse(version), HttpVersionPolicy.RequestVersionExact);
            using var response = await client.SendAsync(request, Cancelled);
            Assert.Equal((HttpStatusCode.OK, Version.Parse(version)), (response.StatusCode, response.Version));
            Assert.True(IngestAck.TryDecode(await response.Content.ReadAsByteArrayAsync(Cancelled), out var ack));
            Assert.Equal((expected, new SequenceRange(7, 7)), (Assert.Single(ack.Frames).Outcome, ack.Frames[0].Sequences));
            Assert.Equal(new Limits(), ack.Limits);
            Assert.Equal(collector.Time.GetUtcNow().ToUnixTimeMilliseconds(), ack.CollectorTime.Value);
        }
    }

    [Fact]
    public async Task The_listener_serves_its_two_paths_and_nothing_else()
    {
        await using var collector = await RunningCollector.StartAsync();
        using var client = collector.Client();
        Assert.Equal("ok\n", await client.GetStringAsync("healthz", Cancelled));
        foreach (var path in new[] { "", "api/v1/query?query=up", "metrics", "readyz", "healthz/", "HEALTHZ", "ingest/v1/batch/", "api/v1/session" })
        {
            using var response = await client.GetAsync(path, Cancelled);
            Assert.Equal((404, IngestMetrics.NotFound), await ProblemOf(response));
        }

        using var wrongMethod = await client.GetAsync(BatchHeaders.Path, Cancelled);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, wrongMethod.StatusCode);
        Assert.Equal("POST", Assert.Single(wrongMethod.Content.Headers.Allow));
        Assert.Empty(wrongMethod.Headers.Server);
    }

    [Fact]
    public async Task P7_the_private_listener_takes_no_batch()
    {
        await using var collector = await RunningCollector.StartAsync();
        using var client = new HttpClient { BaseAddress = collector.Query };
        using var response = await client.SendAsync(collector.Request(1), Cancelled);
        Assert.False(response.IsSuccessStatusCode);
        Assert.NotEqual(HttpStatusCode.InternalServerError, response.StatusCode);
        Assert.DoesNotContain(collector.Files.List("/spool/journal"), name => name.EndsWith(".seg", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(401, ProblemCode.Unauthorized, "Authorization", null)]
    [InlineData(401, ProblemCode.Unauthorized, "Authorization", "Bearer other")]
    [InlineData(401, ProblemCode.Unauthorized, "Authorization", "Basic token-of-a1")]
    [InlineData(401, ProblemCode.Unauthorized, "Authorization", "Bearer")]
    [InlineData(403, ProblemCode.AgentMismatch, BatchHeaders.Agent, null)]
    [InlineData(403, ProblemCode.AgentMismatch, BatchHeaders.Agent, "a2")]
    [InlineData(415, ProblemCode.UnsupportedMediaType, "Content-Type", null)]
    [InlineData(415, ProblemCode.UnsupportedMediaType, "Content-Type", "application/json")]
    [InlineData(415, ProblemCode.UnsupportedMediaType, "Content-Encoding", "gzip")]
    [InlineData(400, ProblemCode.MalformedBatch, BatchHeaders.SeqStart, null)]
    [InlineData(400, ProblemCode.MalformedBatch, BatchHeaders.SeqStart, "0")]
    [InlineData(400, ProblemCode.MalformedBatch, BatchHeaders.SeqEnd, "-1")]
    [InlineData(400, ProblemCode.MalformedBatch, BatchHeaders.SeqFloor, "1.5")]
    [InlineData(400, ProblemCode.MalformedBatch, BatchHeaders.SentAt, "yesterday")]
    public async Task A_wrong_header_is_refused_with_a_stable_code(int status, string code, string header, string? value)
    {
        await using var collector = await RunningCollector.StartAsync();
        using var client = collector.Client();
        var request = collector.Request(1);
        request.Headers.Remove(header.StartsWith("Content", StringComparison.Ordinal) ? "X-None" : header);
        if (header.StartsWith("Content", StringComparison.Ordinal))
        {
            request.Content!.Headers.Remove(header);
            if (value is not null)
            {
                request.Content.Headers.TryAddWithoutValidation(header, value);
            }
        }
        else if (value is not null)
        {
            request.Headers.TryAddWithoutValidation(header, value);
        }

        using var response = await client.SendAsync(request, Cancelled);
        Assert.Equal((status, code), await ProblemOf(response));
        Assert.Equal(status == 401, response.Headers.WwwAuthenticate.Count > 0);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_body_above_max_body_bytes_is_413(bool isChunked)
    {
        await using var collector = await RunningCollector.StartAsync(ingest: "max_body_bytes = 65536");
        using var client = collector.Client();
        var request = collector.Request(1, new byte[65_537]);
        request.Headers.TransferEncodingChunked = isChunked;
        using var response = await client.SendAsync(request, Cancelled);
        Assert.Equal((413, ProblemCode.BodyTooLarge), await ProblemOf(response));
    }

    [Fact]
    public async Task A_full_spool_is_503_with_retry_after()
    {
        await using var collector = await RunningCollector.StartAsync();
        using var client = collector.Client();
        collector.Files.Fault = operation => operation.Kind == FileOperationKind.Create ? FileFault.NoSpace : null;
        using var response = await client.SendAsync(collector.Request(1), Cancelled);
        Assert.Equal((503, ProblemCode.SpoolFull), await ProblemOf(response));
        Assert.NotNull(response.Headers.RetryAfter?.Delta);
        using var health = new HttpClient { BaseAddress = collector.Query };
        using var ready = await health.GetAsync("readyz", Cancelled);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.StatusCode);
        Assert.Contains("spool", await ready.Content.ReadAsStringAsync(Cancelled), StringComparison.Ordinal);
        collector.Files.Fault = null;
        using var again = await client.SendAsync(collector.Request(1), Cancelled);
        Assert.Equal(HttpStatusCode.OK, again.StatusCode);
    }

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task A_collector_that_drains_answers_503_with_retry_after_and_stores_nothing(string version)
    {
        await using var collector = await RunningCollector.StartAsync();
        using var client = collector.Client();
        using var before = await client.SendAsync(collector.Request(1), Cancelled);
        Assert.Equal(HttpStatusCode.OK, before.StatusCode);
        collector.Host.Drain();

        var request = collector.Request(2);
        (request.Version, request.VersionPolicy) = (Version.Parse(version), HttpVersionPolicy.RequestVersionExact);
        using var response = await client.SendAsync(request, Cancelled);

        Assert.Equal((503, ProblemCode.Draining), await ProblemOf(response));
        Assert.Equal(TimeSpan.FromSeconds(5), response.Headers.RetryAfter?.Delta);
        using var query = new HttpClient { BaseAddress = collector.Query };
        using var ready = await query.GetAsync("readyz", Cancelled);
        Assert.Equal(
            (HttpStatusCode.ServiceUnavailable, "stopping: no new batches are taken\n"), (ready.StatusCode, await ready.Content.ReadAsStringAsync(Cancelled)));
        using var metrics = new HttpRequestMessage(HttpMethod.Get, "metrics") { Headers = { Authorization = new("Bearer", "query-secret") } };
        using var counted = await query.SendAsync(metrics, Cancelled);
        var text = await counted.Content.ReadAsStringAsync(Cancelled);
        Assert.Contains("lm_collector_batches_accepted_total 1\n", text, StringComparison.Ordinal);
        Assert.Contains("lm_collector_refused_total{code=\"draining\"} 1\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Client_certificates_required_by_a_reload_are_required_of_standing_connections_too()
    {
        await using var collector = await RunningCollector.StartAsync(tls: "client_auth = \"none\"\nclient_ca_file = \"ca.pem\"");
        using var client = collector.Client();
        using var before = await client.SendAsync(collector.Request(1), Cancelled);
        Assert.Equal(HttpStatusCode.OK, before.StatusCode);
        collector.Folder.Write("server.toml", File.ReadAllText(collector.Folder["server.toml"]).Replace("\"none\"", "\"required\"", StringComparison.Ordinal));
        Assert.True(collector.Reload());

        using var refused = await client.SendAsync(collector.Request(2), Cancelled);

        Assert.Equal((403, ProblemCode.AgentMismatch), await ProblemOf(refused));
        Assert.True(refused.Headers.ConnectionClose);
    }

    [Fact]
    public async Task C26_a_suspect_clock_is_said_at_readyz()
    {
        await using var collector = await RunningCollector.StartAsync();
        using var client = collector.Client();
        using var response = await client.SendAsync(collector.Request(1), Cancelled);
        collector.Time.JumpWallClock(-TimeSpan.FromHours(1));
        using var health = new HttpClient { BaseAddress = collector.Query };
        using var ready = await health.GetAsync("readyz", Cancelled);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.StatusCode);
        Assert.Contains("clock_suspect", await ready.Content.ReadAsStringAsync(Cancelled), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Blocks_that_cannot_be_read_are_said_at_readyz_and_leave_the_collector_ready()
    {
        const string block = "/spool/blocks/01ARZ3NDEKTSV4RRFFQ69G5FAV";
        await using var collector = await RunningCollector.StartAsync(prepare: files =>
        {
            foreach (var folder in new[] { "/spool", "/spool/blocks", block })
            {
                files.CreateDirectory(folder);
            }

            files.Put(block + "/meta.json", "{"u8);
        });
        using var health = new HttpClient { BaseAddress = collector.Query };
        using var ready = await health.GetAsync("readyz", Cancelled);
        Assert.Equal(HttpStatusCode.OK, ready.StatusCode);
        Assert.Equal(
            "ok\nblocks_damaged: 1 block cannot be read and answers lack what is in there; the log of the start says why\n",
            await ready.Content.ReadAsStringAsync(Cancelled));
    }

    [Fact]
    public async Task C26_an_agents_wrong_clock_is_said_at_readyz_without_its_name_and_leaves_the_collector_ready()
    {
        await using var collector = await RunningCollector.StartAsync();
        using var client = collector.Client();
        var request = collector.Request(1);
        request.Headers.Add(BatchHeaders.SentAt, (collector.Time.GetUtcNow().ToUnixTimeMilliseconds() - 3_600_000).ToString(System.Globalization.CultureInfo.InvariantCulture));
        using var taken = await client.SendAsync(request, Cancelled);
        Assert.Equal(HttpStatusCode.OK, taken.StatusCode);
        using var health = new HttpClient { BaseAddress = collector.Query };
        using var ready = await health.GetAsync("readyz", Cancelled);
        Assert.Equal(HttpStatusCode.OK, ready.StatusCode);
        Assert.Equal(
            "ok\nclock_suspect: the clock of 1 agent differs from the collector's by more than max_future_seconds; /api/v1/agents and the console show which\n",
            await ready.Content.ReadAsStringAsync(Cancelled));
    }

    [Theory]
    [InlineData("FFFFFFFFFFFFFFFF\r\n")]
    [InlineData("-1\r\n")]
    [InlineData("zz\r\n")]
    public async Task A_broken_chunk_size_is_400_never_500(string chunk)
    {
        await using var collector = await RunningCollector.StartAsync();
        using var socket = new TcpClient("127.0.0.1", collector.Host.IngestEndPoint.Port);
        await using var tls = new SslStream(socket.GetStream());
        await tls.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions { TargetHost = "localhost", CertificateChainPolicy = collector.Trust }, Cancelled);
        await tls.WriteAsync(Encoding.ASCII.GetBytes(
            $"POST {BatchHeaders.Path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer token-of-a1\r\n{BatchHeaders.Agent}: a1\r\n{BatchHeaders.SeqStart}: 1\r\n"
            + $"{BatchHeaders.SeqEnd}: 1\r\nContent-Type: {IngestAck.MediaType}\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}"), Cancelled);
        using var reader = new StreamReader(tls, Encoding.ASCII);
        Assert.StartsWith("HTTP/1.1 400 ", await reader.ReadLineAsync(Cancelled), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_follows_a_body_of_doubtful_length_is_not_taken_for_a_request()
    {
        await using var collector = await RunningCollector.StartAsync();
        using var socket = new TcpClient("127.0.0.1", collector.Host.IngestEndPoint.Port);
        await using var tls = new SslStream(socket.GetStream());
        await tls.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions { TargetHost = "localhost", CertificateChainPolicy = collector.Trust }, Cancelled);
        await tls.WriteAsync(Encoding.ASCII.GetBytes(
            $"POST {BatchHeaders.Path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer token-of-a1\r\n{BatchHeaders.Agent}: a1\r\n{BatchHeaders.SeqStart}: 1\r\n"
            + $"{BatchHeaders.SeqEnd}: 1\r\nContent-Type: {IngestAck.MediaType}\r\nContent-Length: +5\r\n\r\nabcdeGET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"), Cancelled);
        using var reader = new StreamReader(tls, Encoding.ASCII);
        var answers = await reader.ReadToEndAsync(Cancelled);
        Assert.StartsWith("HTTP/1.1 400 ", answers, StringComparison.Ordinal);
        Assert.Equal(0, answers.LastIndexOf("HTTP/1.1 ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task With_required_client_certificates_only_the_operators_authority_counts()
    {
        await using var collector = await RunningCollector.StartAsync(tls: "client_auth = \"required\"\nclient_ca_file = \"ca.pem\"");
        using var none = collector.Client();
        await Assert.ThrowsAsync<HttpRequestException>(() => none.GetAsync("healthz", Cancelled));

        using var foreign = collector.Client(TestCertificates.NewLeaf(TestCertificates.NewAuthority(), "a1"));
        await Assert.ThrowsAsync<HttpRequestException>(() => foreign.GetAsync("healthz", Cancelled));

        using var right = collector.Client(TestCertificates.NewLeaf(collector.Folder.Authority, "a1"));
        using var taken = await right.SendAsync(collector.Request(1), Cancelled);
        Assert.Equal(HttpStatusCode.OK, taken.StatusCode);

        using var other = collector.Client(TestCertificates.NewLeaf(collector.Folder.Authority, "a2"));
        using var refused = await other.SendAsync(collector.Request(2), Cancelled);
        Assert.Equal((403, ProblemCode.AgentMismatch), await ProblemOf(refused));
    }

    [Fact]
    public async Task With_optional_client_certificates_one_that_is_shown_must_be_right()
    {
        await using var collector = await RunningCollector.StartAsync(tls: "client_auth = \"optional\"\nclient_ca_file = \"ca.pem\"");
        using var none = collector.Client();
        using var taken = await none.SendAsync(collector.Request(1), Cancelled);
        Assert.Equal(HttpStatusCode.OK, taken.StatusCode);
        using var foreign = collector.Client(TestCertificates.NewLeaf(TestCertificates.NewAuthority(), "a1"));
        await Assert.ThrowsAsync<HttpRequestException>(() => foreign.GetAsync("healthz", Cancelled));
    }

    [Fact]
    public async Task A_reload_gives_new_connections_the_new_certificate_and_ends_old_tokens()
    {
        await using var collector = await RunningCollector.StartAsync();
        using var client = collector.Client();
        using var before = await client.SendAsync(collector.Request(1), Cancelled);
        Assert.Equal(HttpStatusCode.OK, before.StatusCode);

        var renewed = TestCertificates.NewLeaf(collector.Folder.Authority, "localhost");
        collector.Folder.Write("cert.pem", renewed.ExportCertificatePem());
        collector.Folder.Write("key.pem", System.Security.Cryptography.X509Certificates.ECDsaCertificateExtensions.GetECDsaPrivateKey(renewed)!.ExportPkcs8PrivateKeyPem());
        collector.Folder.Write("ingest-tokens.toml", "[[tokens]]\nagent_id = \"a1\"\ntoken = \"rotated\"\n");
        Assert.True(collector.Reload());

        using var after = await client.SendAsync(collector.Request(2), Cancelled);
        Assert.Equal(HttpStatusCode.Unauthorized, after.StatusCode);
        var shown = "";
        using var fresh = collector.Client(seen: certificate => shown = certificate.Thumbprint);
        await fresh.GetStringAsync("healthz", Cancelled);
        Assert.Equal(renewed.Thumbprint, shown);
    }

    [Fact]
    public async Task A_stop_finishes_what_is_in_hand()
    {
        await using var collector = await RunningCollector.StartAsync();
        using var client = collector.Client();
        using var warm = await client.SendAsync(collector.Request(1), Cancelled);
        using var reached = new ManualResetEventSlim();
        using var goOn = new ManualResetEventSlim();
        collector.Files.Fault = operation =>
        {
            if (operation.Kind == FileOperationKind.Sync && !reached.IsSet)
            {
                reached.Set();
                goOn.Wait(Cancelled);
            }

            return null;
        };
        var inHand = client.SendAsync(collector.Request(2), Cancelled);
        await Task.Run(() => reached.Wait(Cancelled), Cancelled);
        var stop = collector.Host.StopAsync();
        Assert.False(stop.IsCompleted);
        goOn.Set();
        using var response = await inHand;
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        await stop;
    }

    private static async Task<(int, string)> ProblemOf(HttpResponseMessage response)
    {
        Assert.Equal(IngestProblem.MediaType, response.Content.Headers.ContentType?.MediaType);
        using var json = JsonDocument.Parse(await response.Content.ReadAsStringAsync(Cancelled));
        Assert.Equal((int)response.StatusCode, json.RootElement.GetProperty("status").GetInt32());
        Assert.NotEqual("", json.RootElement.GetProperty("detail").GetString());
        Assert.NotEqual("", json.RootElement.GetProperty("title").GetString());
        return ((int)response.StatusCode, json.RootElement.GetProperty("code").GetString()!);
    }
}
