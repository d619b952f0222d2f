using System.Text;
using Lm.Agent.Upload;
using static Lm.Agent.Tests.Upload.Uploads;

namespace Lm.Agent.Tests.Upload;

/// <summary>Real TLS over loopback.</summary>
public sealed class UploadClientTests : IDisposable
{
    private readonly TestAuthority authority = new("root");

    public void Dispose() => authority.Dispose();

    [Fact]
    public async Task A_request_carries_headers_and_frames_over_one_kept_connection_with_a_client_certificate()
    {
        using var server = new TlsServer(authority.Issue("localhost"), needsClient: true);
        using var client = ClientFor(server.Port, authority.Certificate, authority.Issue("agent"));
        server.Answers.Enqueue(TlsServer.Ok());
        server.Answers.Enqueue(TlsServer.Ok());

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
    public async Task A_problem_is_read_with_its_code_detail_and_delay()
    {
        const string Body = """{"type":"about:blank","nested":{"code":"no"},"code":"spool_full","detail":"no room"}""";

        Assert.Equal(new UploadAnswer.Refused(503, "spool_full", "no room", TimeSpan.FromSeconds(7)),
            await AnswerAsync($"HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Type: application/problem+json; charset=utf-8\r\nContent-Length: {Body.Length}\r\n\r\n{Body}"));
    }

    [Theory]
    [InlineData("not json", "", "")]
    [InlineData("[]", "", "")]
    [InlineData("{\"code\":5,\"detail\":\"x\"}", "", "x")]
    [InlineData("{\"code\":\"rate\"", "", "")]
    public async Task Bodies_that_are_no_problem_give_no_code(string body, string code, string detail) =>
        Assert.Equal(new UploadAnswer.Refused(400, code, detail, null),
            await AnswerAsync($"HTTP/1.1 400 Bad\r\nContent-Type: application/problem+json\r\nContent-Length: {body.Length}\r\n\r\n{body}"));

    [Theory]
    [InlineData("")]
    [InlineData("Content-Type: application/json\r\n")]
    [InlineData("Content-Type: text/html\r\nContent-Type: application/problem+json\r\n")]
    public async Task A_code_in_a_body_of_another_type_is_not_the_collectors_word(string type)
    {
        const string Body = """{"code":"malformed_batch"}""";

        Assert.Equal(new UploadAnswer.Refused(400, "", "", null), await AnswerAsync($"HTTP/1.1 400 Bad\r\n{type}Content-Length: {Body.Length}\r\n\r\n{Body}"));
    }

    [Theory]
    [InlineData("Content-Type: application/x-protobuf\r\nContent-Length: 5\r\n\r\nhello")]
    [InlineData("Content-Type: text/html\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("Content-Length: 0\r\n\r\n")]
    public async Task A_200_that_is_no_acknowledgement_acknowledges_nothing(string answer) =>
        Assert.Contains("no lm-collector", Assert.IsType<UploadAnswer.Failed>(await AnswerAsync("HTTP/1.1 200 OK\r\n" + answer)).Reason, StringComparison.Ordinal);

    private async Task<UploadAnswer> AnswerAsync(string answer)
    {
        using var server = new TlsServer(authority.Issue("localhost"));
        using var client = ClientFor(server.Port, authority.Certificate);
        server.Answers.Enqueue(Encoding.ASCII.GetBytes(answer));
        return await SendAsync(client);
    }
}
