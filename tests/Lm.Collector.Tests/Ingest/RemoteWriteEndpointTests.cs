using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Lm.Collector.Ingest;
using Lm.Platform;
using Lm.Protocol;
using Lm.TestKit;

namespace Lm.Collector.Tests.Ingest;

public sealed class RemoteWriteEndpointTests
{
    private const string Tokens = "[[tokens]]\nagent_id = \"prom\"\ntoken = \"token-of-prom\"\nremote_write = true\n";

    private static readonly CancellationToken Cancelled = TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("application/x-protobuf", "snappy")]
    [InlineData("application/x-protobuf; proto=prometheus.WriteRequest", "snappy")]
    [InlineData("application/x-protobuf;proto=\"prometheus.WriteRequest\"", "Snappy")]
    [InlineData(null, null)]
    public async Task What_remote_write_1_0_sends_is_stored_and_queried_as_sent(string? type, string? encoding)
    {
        await using var collector = await RunningCollector.StartAsync(tokens: Tokens);
        using var client = collector.Client();
        var now = UnixMillis.Now(collector.Time).Value;
        using var response = await client.SendAsync(Request(new WriteRequestMaker().Series("m", "node", now, 4.5).ToBody(), type: type, encoding: encoding), Cancelled);
        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);

        using var query = new HttpClient { BaseAddress = collector.Query };
        query.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "query-secret");
        using var answer = JsonDocument.Parse(await query.GetStringAsync("api/v1/query?query=m", Cancelled));
        var series = Assert.Single(answer.RootElement.GetProperty("data").GetProperty("result").EnumerateArray());
        Assert.Equal("""{"__name__":"m","job":"node"}""", series.GetProperty("metric").ToString());
        Assert.Equal("4.5", series.GetProperty("value")[1].GetString());
        using var agents = JsonDocument.Parse(await query.GetStringAsync("api/v1/agents", Cancelled));
        var sender = agents.RootElement.GetProperty("data").GetProperty("agents").EnumerateArray().Single(agent => agent.GetProperty("agent_id").GetString() == "prom");
        Assert.Equal("never", sender.GetProperty("state").GetString());
    }

    [Theory]
    [InlineData(401, ProblemCode.Unauthorized, null)]
    [InlineData(401, ProblemCode.Unauthorized, "token-of-nobody")]
    [InlineData(403, ProblemCode.RemoteWriteNotAllowed, "token-of-a1")]
    public async Task A_token_must_be_known_and_allow_it(int status, string code, string? token)
    {
        await using var collector = await RunningCollector.StartAsync(tokens: Tokens);
        using var client = collector.Client();
        using var response = await client.SendAsync(Request(new WriteRequestMaker().ToBody(), token), Cancelled);
        Assert.Equal((status, code), await ProblemOf(response));
    }

    [Theory]
    [InlineData("application/json", "snappy")]
    [InlineData("application/x-protobuf;proto=io.prometheus.write.v2.Request", "snappy")]
    [InlineData("application/x-protobuf", "gzip")]
    [InlineData("application/x-protobuf", "identity")]
    public async Task Other_messages_and_codings_are_415(string type, string encoding)
    {
        await using var collector = await RunningCollector.StartAsync(tokens: Tokens);
        using var client = collector.Client();
        using var response = await client.SendAsync(Request(new WriteRequestMaker().ToBody(), type: type, encoding: encoding), Cancelled);
        Assert.Equal((415, ProblemCode.UnsupportedMediaType), await ProblemOf(response));
    }

    [Fact]
    public async Task A_body_above_max_body_bytes_is_413_and_another_method_405()
    {
        await using var collector = await RunningCollector.StartAsync("max_body_bytes = 65536", tokens: Tokens);
        using var client = collector.Client();
        using var large = await client.SendAsync(Request(new byte[65_537]), Cancelled);
        Assert.Equal((413, ProblemCode.BodyTooLarge), await ProblemOf(large));
        var get = Request([]);
        get.Method = HttpMethod.Get;
        get.Content = null;
        using var wrong = await client.SendAsync(get, Cancelled);
        Assert.Equal(405, (int)wrong.StatusCode);
        Assert.Equal(["POST"], wrong.Content.Headers.Allow);
    }

    [Fact]
    public async Task Faulty_series_are_400_by_name_and_the_rest_is_stored_over_the_same_connection()
    {
        await using var collector = await RunningCollector.StartAsync(tokens: Tokens);
        using var client = collector.Client();
        var now = UnixMillis.Now(collector.Time).Value;
        var body = new WriteRequestMaker().Series("up", "lightmetrics", now, 1).Series("m", "node", now, 4.5).ToBody();
        using var response = await client.SendAsync(Request(body), Cancelled);
        Assert.Equal((400, ProblemCode.ReservedJob), await ProblemOf(response));
        Assert.NotEqual(true, response.Headers.ConnectionClose);
        using var query = new HttpClient { BaseAddress = collector.Query };
        query.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "query-secret");
        Assert.Contains("\"4.5\"", await query.GetStringAsync("api/v1/query?query=m", Cancelled), StringComparison.Ordinal);
        Assert.DoesNotContain("value", await query.GetStringAsync("api/v1/query?query=up", Cancelled), StringComparison.Ordinal);
        var metrics = await query.GetStringAsync("metrics", Cancelled);
        Assert.Contains("lm_collector_remote_write_samples_total 1\n", metrics, StringComparison.Ordinal);
        Assert.Contains("lm_collector_remote_write_dropped_total{reason=\"reserved_job\"} 1\n", metrics, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_collector_that_drains_or_is_full_answers_503_with_retry_after()
    {
        await using var collector = await RunningCollector.StartAsync(tokens: Tokens);
        using var client = collector.Client();
        var body = new WriteRequestMaker().Series("m", "node", UnixMillis.Now(collector.Time).Value, 1).ToBody();
        collector.Files.Fault = operation => operation.Kind == FileOperationKind.Create ? FileFault.NoSpace : null;
        using var full = await client.SendAsync(Request(body), Cancelled);
        Assert.Equal((503, ProblemCode.SpoolFull), await ProblemOf(full));
        Assert.NotNull(full.Headers.RetryAfter?.Delta);
        collector.Files.Fault = null;
        collector.Host.Drain();
        using var draining = await client.SendAsync(Request(body), Cancelled);
        Assert.Equal((503, ProblemCode.Draining), await ProblemOf(draining));
        Assert.NotNull(draining.Headers.RetryAfter?.Delta);
    }

    [Fact]
    public async Task A_client_certificate_of_another_agent_is_403()
    {
        await using var collector = await RunningCollector.StartAsync(
            tls: "client_auth = \"required\"\nclient_ca_file = \"ca.pem\"", tokens: Tokens);
        using var certificate = Lm.Collector.Tests.Settings.TestCertificates.NewLeaf(collector.Folder.Authority, "a1");
        using var client = collector.Client(certificate);
        using var response = await client.SendAsync(Request(new WriteRequestMaker().ToBody()), Cancelled);
        Assert.Equal((403, ProblemCode.AgentMismatch), await ProblemOf(response));
    }

    private static HttpRequestMessage Request(byte[] body, string? token = "token-of-prom", string? type = "application/x-protobuf", string? encoding = "snappy")
    {
        var request = new HttpRequestMessage(HttpMethod.Post, RemoteWriteEndpoint.Path) { Content = new ByteArrayContent(body) };
        request.Headers.Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token);
        if (type is not null)
        {
            request.Content.Headers.TryAddWithoutValidation("Content-Type", type);
        }

        if (encoding is not null)
        {
            request.Content.Headers.TryAddWithoutValidation("Content-Encoding", encoding);
        }

        return request;
    }

    private static async Task<(int Status, string Code)> ProblemOf(HttpResponseMessage response)
    {
        Assert.Equal(IngestProblem.MediaType, response.Content.Headers.ContentType?.MediaType);
        using var problem = JsonDocument.Parse(await response.Content.ReadAsStringAsync(Cancelled));
        return ((int)response.StatusCode, problem.RootElement.GetProperty("code").GetString()!);
    }
}
