using System.Net;
using System.Text.Json;

namespace Lm.Collector.Tests.Query;

/// <summary>Requests in the forms that Grafana's Loki data source and logcli send, and what they must find in the answers.</summary>
public sealed class LokiClientTests
{
    private const long Now = 1_767_323_045_000; // ManualTime's start: 2026-01-02T03:04:05Z
    private const string Span = "start=1767319445000000000&end=1767323045000000000";

    [Fact]
    public async Task Grafanas_query_for_lines_has_nanoseconds_a_level_and_attributes_apart()
    {
        await using var listener = await StartAsync();

        using var answer = await listener.SendAsync(
            HttpMethod.Get, $"/loki/api/v1/query_range?direction=backward&end=1767323045000000000&limit=1000&query={Uri.EscapeDataString("{instance=~\"web.*\"} | logfmt")}&start=1767319445000000000&step=2000ms",
            headers: [("X-Loki-Response-Encoding-Flags", "categorize-labels"), ("X-Query-Tags", "Source=logsample"), ("Accept-Encoding", "gzip"), ("X-Scope-OrgID", "1")]);
        using var document = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));

        var data = document.RootElement.GetProperty("data");
        Assert.Equal("streams", data.GetProperty("resultType").GetString());
        Assert.Equal("categorize-labels", data.GetProperty("encodingFlags")[0].GetString());
        var values = data.GetProperty("result").EnumerateArray().SelectMany(static stream => stream.GetProperty("values").EnumerateArray()).Select(static value => value.GetRawText());
        Assert.Equal(
            [
                """["1767323044000000000","level=warn status=500",{"structuredMetadata":{"unit":"ssh","detected_level":"error"},"parsed":{"level":"warn","status":"500"}}]""",
                """["1767323042000000001","took=1.5s",{"parsed":{"took":"1.5s"}}]""",
                """["1767323042000000000","{\"a\":{\"b\":1}}",{}]""",
            ],
            values.Order(StringComparer.Ordinal).Reverse());
    }

    [Theory]
    [InlineData("query?direction=backward&time=1767323045000000000&query=vector(1)%2Bvector(1)", "[{\"metric\":{},\"value\":[1767323045,\"2\"]}]")] // Grafana's check of a data source
    [InlineData("query_range?direction=backward&limit=1000000&step=1800000ms&" + Span + "&query=sum by (level, detected_level) (count_over_time({instance=~\"web.*\"} | drop __error__[1h]))", "[{\"metric\":{},\"values\":[[1767323045,\"2\"]]},{\"metric\":{\"detected_level\":\"error\"},\"values\":[[1767323045,\"1\"]]}]")] // its log volume
    [InlineData("query_range?" + Span + "&step=3600&query=max by (detected_level) (count_over_time({instance=\"web2\"}[1h]))", "[{\"metric\":{\"detected_level\":\"error\"},\"values\":[[1767323045,\"1\"]]}]")]
    [InlineData("query_range?" + Span + "&step=3600&query=count_over_time({instance=\"web2\"}[1h])", "[{\"metric\":{\"instance\":\"web2\",\"severity\":\"error2\",\"unit\":\"ssh\"},\"values\":[[1767323045,\"1\"]]}]")]
    [InlineData("index/volume?" + Span + "&query={instance=~\"web.*\"}&limit=5000", "[{\"metric\":{\"instance\":\"web1\"},\"value\":[1767323045,\"22\"]},{\"metric\":{\"instance\":\"web2\"},\"value\":[1767323045,\"21\"]}]")]
    [InlineData("index/volume?" + Span + "&query={}&aggregateBy=labels", "[{\"metric\":{\"instance\":\"\"},\"value\":[1767323045,\"43\"]},{\"metric\":{\"severity\":\"\"},\"value\":[1767323045,\"21\"]}]")]
    [InlineData("index/volume?" + Span + "&query={instance=~\".%2B\"}&targetLabels=severity", "[{\"metric\":{\"severity\":\"error2\"},\"value\":[1767323045,\"21\"]}]")]
    [InlineData("index/volume_range?" + Span + "&query={instance=\"web2\"}&step=1800", "[{\"metric\":{\"instance\":\"web2\"},\"values\":[[1767323044.999,\"21\"]]}]")]
    public async Task Numbers_are_those_of_Loki(string path, string expected)
    {
        await using var listener = await StartAsync();

        Assert.Equal(expected, (await listener.GetJsonAsync("/loki/api/v1/" + path.Replace("\"", "%22", StringComparison.Ordinal))).GetProperty("result").GetRawText());
    }

    [Theory]
    [InlineData("detected_labels?" + Span, """{"detectedLabels":[{"label":"instance","cardinality":2},{"label":"severity","cardinality":1}]}""")]
    [InlineData("detected_labels?query={instance=\"web1\"}&" + Span, """{"detectedLabels":[{"label":"instance","cardinality":1}]}""")]
    [InlineData("detected_fields?limit=1000&query={instance=~\"web.*\"}&" + Span, """{"fields":[{"label":"a_b","type":"int","cardinality":1,"parsers":["json"]},{"label":"detected_level","type":"string","cardinality":1,"parsers":null},{"label":"level","type":"string","cardinality":1,"parsers":["logfmt"]},{"label":"status","type":"int","cardinality":1,"parsers":["logfmt"]},{"label":"took","type":"duration","cardinality":1,"parsers":["logfmt"]},{"label":"unit","type":"string","cardinality":1,"parsers":null}],"limit":1000}""")]
    [InlineData("detected_fields?limit=1&query={instance=\"web2\"} | json | line_format \"x\" | drop detected_level&" + Span, """{"fields":[{"label":"unit","type":"string","cardinality":1,"parsers":null}],"limit":1}""")]
    [InlineData("detected_field/status/values?limit=1000&query={instance=\"web2\"}&" + Span, """{"values":["500"],"limit":1000}""")]
    [InlineData("detected_field/nothing/values?" + Span, """{"values":[],"limit":1000}""")]
    public async Task What_Grafana_proposes_is_bare_JSON(string path, string expected)
    {
        await using var listener = await StartAsync();

        var (status, body) = await listener.GetAsync("/loki/api/v1/" + path.Replace("\"", "%22", StringComparison.Ordinal));

        Assert.Equal((HttpStatusCode.OK, expected), (status, body));
    }

    [Theory]
    [InlineData("index/volume?query={a}", 400, "parse error at line 1, column 3")]
    [InlineData("index/volume?query={}&aggregateBy=x", 400, "series and labels are allowed")]
    [InlineData("index/volume_range?query={}&step=1ms&" + Span, 400, "at most 11000 steps")]
    [InlineData("detected_fields?query=rate({a=\"b\"}[1m])", 400, "a query for lines is expected here")]
    [InlineData("query_range?query={a=\"b\"}&interval=-1s", 400, "invalid parameter")]
    [InlineData("patterns?query={a=\"b\"}", 404, "")]
    [InlineData("drilldown-limits", 404, "")]
    public async Task What_is_not_there_is_said_with_a_status_that_clients_cope_with(string path, int status, string expected)
    {
        await using var listener = await StartAsync();

        var (code, body) = await listener.GetAsync("/loki/api/v1/" + path.Replace("\"", "%22", StringComparison.Ordinal));

        Assert.Equal(status, (int)code);
        Assert.Contains(expected, body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Lines_around_one_are_found_by_its_nanoseconds()
    {
        await using var listener = await StartAsync();

        var behind = await LinesAsync(listener, "direction=forward&limit=10&start=1767323042000000001&end=1767323045000000000");
        var before = await LinesAsync(listener, "direction=backward&limit=10&start=1767319445000000000&end=1767323042000000001");

        Assert.Equal(["took=1.5s", "level=warn status=500"], behind);
        Assert.Equal(["{\"a\":{\"b\":1}}"], before);
    }

    [Fact]
    public async Task A_line_that_has_a_level_itself_keeps_it_and_a_query_may_filter_and_take_away()
    {
        await using var listener = await PrivateListener.StartAsync();
        listener.Logs.Add(Now - 3000, "one", "instance=web1,severity=info", ("detected_level", "own")).Add(Now - 2000, "two", "instance=web1,severity=info").Add(Now - 1000, "three", "instance=web1");

        Assert.Equal(["one"], await LinesAsync(listener, Span, "{instance=\"web1\"} | detected_level=\"own\""));
        Assert.Equal(["two"], await LinesAsync(listener, Span, "{instance=\"web1\"} | detected_level=\"info\""));
        Assert.Equal(["three"], await LinesAsync(listener, Span, "{instance=\"web1\"} | detected_level=\"\""));
        Assert.Equal(["info two"], await LinesAsync(listener, Span, "{instance=\"web1\"} |= \"two\" | line_format \"{{.detected_level}} {{__line__}}\""));
        var (_, body) = await listener.GetAsync($"/loki/api/v1/query_range?{Span}&query={Uri.EscapeDataString("{instance=\"web1\"} | drop detected_level")}");
        Assert.DoesNotContain("detected_level", body, StringComparison.Ordinal);
    }

    private static async Task<IEnumerable<string>> LinesAsync(PrivateListener listener, string parameters, string query = "{instance=~\"web.*\"}")
    {
        var data = await listener.GetJsonAsync($"/loki/api/v1/query_range?{parameters}&query={Uri.EscapeDataString(query)}");
        var isForward = parameters.Contains("forward", StringComparison.Ordinal);
        var lines = data.GetProperty("result").EnumerateArray().SelectMany(static stream => stream.GetProperty("values").EnumerateArray()).OrderBy(static value => value[0].GetString(), StringComparer.Ordinal)
            .Select(static value => value[1].GetString()!);
        return isForward ? lines : lines.Reverse();
    }

    private static async Task<PrivateListener> StartAsync()
    {
        var listener = await PrivateListener.StartAsync();
        listener.Logs.Add(Now - 3000, "{\"a\":{\"b\":1}}").Add(Now - 3000, "took=1.5s").Add(Now - 1000, "level=warn status=500", "instance=web2,severity=error2", ("unit", "ssh"));
        return listener;
    }
}
