using System.Net;
using Lm.Logs.Tests.Query;

namespace Lm.Collector.Tests.Query;

public sealed class LokiEndpointTests
{
    private const long Now = 1_767_323_045_000; // ManualTime's start: 2026-01-02T03:04:05Z

    private static string Logfmt { get; } = Uri.EscapeDataString("{instance=\"web1\"} | logfmt");

    [Fact]
    public async Task Lines_come_in_streams_one_for_each_set_of_labels()
    {
        await using var listener = await PrivateListener.StartAsync();
        Fill(listener.Logs);

        var (status, body) = await listener.GetAsync($"/loki/api/v1/query_range?query={Logfmt}");

        Assert.Equal(HttpStatusCode.OK, status);
        Assert.StartsWith(
            """{"status":"success","data":{"resultType":"streams","result":["""
            + """{"stream":{"instance":"web1","level":"error"},"values":[["1767323044000000000","level=error again"],["1767323042000000000","level=error"]]},"""
            + """{"stream":{"instance":"web1","level":"info","unit":"ssh"},"values":[["1767323043000000000","level=info"]]}],"stats":{"summary":{""",
            body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Labels_stand_apart_where_the_client_asks_for_it()
    {
        await using var listener = await PrivateListener.StartAsync();
        Fill(listener.Logs);

        using var answer = await listener.SendAsync(
            HttpMethod.Get, $"/loki/api/v1/query_range?query={Logfmt}&direction=FORWARD&limit=2", headers: ("X-Loki-Response-Encoding-Flags", "categorize-labels"));

        Assert.StartsWith(
            """{"status":"success","data":{"resultType":"streams","encodingFlags":["categorize-labels"],"result":[{"stream":{"instance":"web1"},"values":["""
            + """["1767323042000000000","level=error",{"parsed":{"level":"error"}}],"""
            + """["1767323043000000000","level=info",{"structuredMetadata":{"unit":"ssh"},"parsed":{"level":"info"}}]]}],""",
            await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("query_range?query=sum by (level) (count_over_time({instance=\"web1\"} | logfmt [2s]))&start=1767323043&end=1767323045&step=2s", "\"resultType\":\"matrix\",\"result\":[{\"metric\":{\"level\":\"error\"},\"values\":[[1767323043,\"1\"],[1767323045,\"1\"]]},{\"metric\":{\"level\":\"info\"},\"values\":[[1767323043,\"1\"]]}]")]
    [InlineData("query?query=sum(bytes_over_time({instance=\"web1\"}[1m]))", "\"resultType\":\"vector\",\"result\":[{\"metric\":{},\"value\":[1767323045,\"38\"]}]")]
    [InlineData("query?query=vector(1)%2Bvector(1)&time=4000000000", "\"resultType\":\"vector\",\"result\":[{\"metric\":{},\"value\":[4000000000,\"2\"]}]")]
    [InlineData("query?query=1%2B1&time=1767323045000000000", "\"resultType\":\"scalar\",\"result\":[1767323045,\"2\"]")]
    [InlineData("query?query=topk(1, count_over_time({instance=\"nothing\"}[1m]))", "\"resultType\":\"vector\",\"result\":[]")]
    public async Task Numbers_come_in_Prometheus_shape(string path, string expected)
    {
        await using var listener = await PrivateListener.StartAsync();
        Fill(listener.Logs);

        var (_, body) = await listener.GetAsync("/loki/api/v1/" + path.Replace("\"", "%22", StringComparison.Ordinal));

        Assert.Contains(expected, body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("labels", """["instance","severity"]""")]
    [InlineData("label?start=0&end=5", "[]")]
    [InlineData("label/severity/values", """["warning"]""")]
    [InlineData("label/nothing/values", "[]")]
    [InlineData("series?match[]={severity=\"warning\"}&match[]={instance=\"web1\"}", """[{"instance":"web1"},{"instance":"web2","severity":"warning"}]""")]
    [InlineData("format_query?query={ a = \"b\" }|=`c`", "\"{a=\\\"b\\\"} |= \\\"c\\\"\"")]
    public async Task Streams_can_be_asked_for(string path, string expected)
    {
        await using var listener = await PrivateListener.StartAsync();
        Fill(listener.Logs);

        Assert.Equal(expected, (await listener.GetJsonAsync("/loki/api/v1/" + path.Replace("\"", "%22", StringComparison.Ordinal))).GetRawText());
    }

    [Theory]
    [InlineData("query_range?query={a}", 400, "parse error at line 1, column 3: found '}', expected one of = != =~ !~")]
    [InlineData("query_range?query=", 400, "parse error at line 1, column 1: found the end of the query")]
    [InlineData("query?query={a=\"b\"}", 400, "log queries are not supported as an instant query type")]
    [InlineData("query_range?query={a=\"b\"}&limit=6000", 400, "a whole number from 1 to 5000 is allowed")]
    [InlineData("query?query=sum_over_time({instance=\"web1\"}|logfmt|unwrap level[1m])", 400, "a line cannot be calculated with: SampleExtractionErr: level is no number: ")]
    [InlineData("tail", 400, "this path takes WebSocket connections")]
    [InlineData("rules", 404, "nothing is served at this path")]
    public async Task Errors_are_plain_text(string path, int status, string expected)
    {
        await using var listener = await PrivateListener.StartAsync();
        Fill(listener.Logs);

        var (code, body) = await listener.GetAsync("/loki/api/v1/" + path.Replace("\"", "%22", StringComparison.Ordinal));

        Assert.Equal(status, (int)code);
        Assert.Contains(expected, body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_moves_with_the_base_path_takes_forms_and_HEAD_and_says_its_version()
    {
        await using var listener = await PrivateListener.StartAsync(change: settings => settings with { BasePath = "/lm/" });
        Fill(listener.Logs);
        using var form = new FormUrlEncodedContent([new("query", "{instance=\"web1\"}"), new("limit", "1")]);

        using var posted = await listener.SendAsync(HttpMethod.Post, "/lm/loki/api/v1/query_range", content: form);
        using var head = await listener.SendAsync(HttpMethod.Head, "/lm/loki/api/v1/labels");

        Assert.Contains("level=error again", await posted.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, head.StatusCode);
        Assert.StartsWith("{\"version\":\"0.", (await listener.GetAsync("/lm/loki/api/v1/status/buildinfo")).Body, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await listener.GetAsync("/loki/api/v1/labels")).Status);
    }

    private static void Fill(MemoryLogs logs) => logs
        .Add(Now - 3000, "level=error")
        .Add(Now - 2000, "level=info", attributes: ("unit", "ssh"))
        .Add(Now - 1000, "level=error again")
        .Add(Now - 1000, "x", "instance=web2,severity=warning");
}
