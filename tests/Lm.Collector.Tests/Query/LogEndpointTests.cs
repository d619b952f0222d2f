using System.IO.Compression;
using System.Net;
using System.Text.Json;
using Lm.TestKit;

namespace Lm.Collector.Tests.Query;

public sealed class LogEndpointTests
{
    private const long Now = 1_767_323_045_000; // ManualTime's start: 2026-01-02T03:04:05Z
    private const string Id = ".00000000000000000000000000000007.";

    private static string All { get; } = Uri.EscapeDataString("{instance=~\".+\"}");

    [Fact]
    public async Task Lines_come_newest_first_with_all_that_is_known_of_them()
    {
        await using var listener = await PrivateListener.StartAsync();
        listener.Logs.Add(Now - 2000, """{"a":"<b>\u0001"}""", "instance=web1,severity=error", ("unit", "ssh")).Add(Now - 1000, "two", "instance=web2");

        var (status, body) = await listener.GetAsync("/api/v1/logs?query=" + Uri.EscapeDataString("{instance=~\".+\"} | json | drop __error__, __error_details__"));

        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal(
            """{"status":"success","data":{"resultType":"lines","result":["""
            + $$"""{"ts":1767323044000,"id":"1767323044000{{Id}}2.0.web2","stream":{"instance":"web2"},"attrs":{},"labels":{},"line":"two"},"""
            + $$"""{"ts":1767323043000,"id":"1767323043000{{Id}}1.0.web1","stream":{"instance":"web1","severity":"error"},"attrs":{"unit":"ssh"},"labels":{"a":"<b>\u0001"},"line":"{\"a\":\"<b>\\u0001\"}"}],"""
            + "\"cursor\":null,\"stats\":{\"lines_read\":2,\"bytes_read\":20}}}",
            body);
    }

    [Fact]
    public async Task Pages_lead_on_by_their_cursor_in_both_directions_while_lines_come_in()
    {
        foreach (var direction in (string[])["forward", "backward"])
        {
            await using var listener = await PrivateListener.StartAsync();
            foreach (var i in Enumerable.Range(0, 10))
            {
                listener.Logs.Add(Now - 5000 + (i / 4), $"line {i}");
            }

            var seen = new List<string>();
            for (string? cursor = ""; cursor is not null;)
            {
                var data = await listener.GetJsonAsync($"/api/v1/logs?query={All}&limit=3&direction={direction}&cursor={Uri.EscapeDataString(cursor)}");
                seen.AddRange(data.GetProperty("result").EnumerateArray().Select(line => line.GetProperty("line").GetString()!));
                cursor = data.GetProperty("cursor").GetString();
                listener.Logs.Add(direction == "forward" ? Now - 6000 : Now - 1000, "came later");
            }

            var expected = Enumerable.Range(0, 10).Select(i => $"line {i}");
            Assert.Equal(direction == "forward" ? expected : expected.Reverse(), seen);
        }
    }

    [Fact]
    public async Task A_stream_has_a_line_of_JSON_for_each_and_more_than_a_page()
    {
        await using var listener = await PrivateListener.StartAsync();
        foreach (var i in Enumerable.Range(0, 20_000))
        {
            listener.Logs.Add(Now - 100_000 + i, $"line-{i} end");
        }

        using var answer = await listener.SendAsync(HttpMethod.Get, $"/api/v1/logs?query={All}&limit=100000&start=0", headers: ("Accept", "application/x-ndjson"));

        var lines = (await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("application/x-ndjson", answer.Content.Headers.ContentType!.MediaType);
        Assert.Equal("nosniff", Assert.Single(answer.Headers.GetValues("X-Content-Type-Options")));
        Assert.Equal(20_000, lines.Length);
        Assert.Equal("line-19999 end", JsonDocument.Parse(lines[0]).RootElement.GetProperty("line").GetString());
        Assert.Equal(20_000, lines.Distinct().Count());
    }

    [Fact]
    public async Task A_stream_leaves_as_gzip_where_that_is_accepted()
    {
        await using var listener = await PrivateListener.StartAsync();
        listener.Logs.Add(Now - 1000, new string('x', 5000));

        using var answer = await listener.SendAsync(HttpMethod.Get, $"/api/v1/logs?query={All}", headers: [("Accept", "application/x-ndjson"), ("Accept-Encoding", "gzip")]);

        Assert.Equal("gzip", Assert.Single(answer.Content.Headers.ContentEncoding));
        await using var plain = new GZipStream(await answer.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken), CompressionMode.Decompress);
        using var reader = new StreamReader(plain);
        Assert.Contains(new string('x', 5000), await reader.ReadToEndAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1767323044", "1767323045", "b")]
    [InlineData("1767323044000000000", "1767323045000000000", "b")]
    [InlineData("1767323043999000001", "1767323044000000001", "b")]
    [InlineData("2026-01-02T03:04:04Z", "2026-01-02T03:04:05Z", "b")]
    [InlineData("1767323044.5", "1767323045.001", "c")]
    [InlineData("-1000", "1767323046", "cba")]
    [InlineData("0", "", "cba")]
    public async Task Times_are_seconds_nanoseconds_or_RFC_3339_and_the_end_is_left_out(string start, string end, string expected)
    {
        await using var listener = await PrivateListener.StartAsync();
        listener.Logs.Add(Now - 2000, "a").Add(Now - 1000, "b").Add(Now, "c");

        var data = await listener.GetJsonAsync($"/api/v1/logs?query={All}&start={start}" + (end.Length > 0 ? "&end=" + end : ""));

        Assert.Equal(expected, string.Concat(data.GetProperty("result").EnumerateArray().Select(line => line.GetProperty("line").GetString())));
    }

    [Fact]
    public async Task A_form_asks_too_and_numbers_come_as_a_matrix()
    {
        await using var listener = await PrivateListener.StartAsync();
        listener.Logs.Add(Now - 90_000, "a").Add(Now - 30_000, "b").Add(Now - 20_000, "c");
        using var form = new FormUrlEncodedContent(
            [new("query", "sum(count_over_time({instance=\"web1\"}[1m]))"), new("start", "1767322925"), new("end", "1767323045"), new("step", "60")]);

        using var answer = await listener.SendAsync(HttpMethod.Post, "/api/v1/logs", content: form);

        Assert.StartsWith(
            """{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1767322985,"1"],[1767323045,"2"]]}]""",
            await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("query={a=}", 400, "bad_data", "parse error at line 1, column 4: found '}', expected the value in quotes")]
    [InlineData("query={a=\"b\"}&limit=5001", 400, "bad_data", "a whole number from 1 to 5000 is allowed; more lines come in pages")]
    [InlineData("query={a=\"b\"}&limit=0", 400, "bad_data", "a whole number from 1 to 5000 is allowed")]
    [InlineData("query={a=\"b\"}&direction=up", 400, "bad_data", "backward (newest first) and forward are allowed")]
    [InlineData("query={a=\"b\"}&cursor=7", 400, "bad_data", "it is not one that this API gave")]
    [InlineData("query={a=\"b\"}&start=yesterday", 400, "bad_data", "'yesterday' is no time")]
    [InlineData("query={a=\"b\"}&start=7&end=5", 400, "bad_data", "end must not be before start")]
    [InlineData("query=rate({a=\"b\"}[1m])&step=0", 400, "bad_data", "at least a millisecond is allowed")]
    [InlineData("query=rate({a=\"b\"}[1m])&step=1&start=0", 400, "bad_data", "exceeded maximum resolution of 11000 points per timeseries")]
    [InlineData("query=sum_over_time({instance=\"web1\"}|json|unwrap x[1m])", 422, "execution", "a line cannot be calculated with: JSONParserErr")]
    public async Task What_cannot_be_answered_says_why(string parameters, int status, string type, string message)
    {
        await using var listener = await PrivateListener.StartAsync();
        listener.Logs.Add(Now - 30_000, "no json x", attributes: ("x", "1"));

        var (code, body) = await listener.GetAsync("/api/v1/logs?" + parameters.Replace("\"", "%22", StringComparison.Ordinal));

        var error = JsonDocument.Parse(body).RootElement;
        Assert.Equal(status, (int)code);
        Assert.Equal(type, error.GetProperty("errorType").GetString());
        Assert.Contains(message, error.GetProperty("error").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_the_token_gives_the_right_and_unknown_methods_are_told()
    {
        await using var listener = await PrivateListener.StartAsync();

        Assert.Equal(HttpStatusCode.Unauthorized, (await listener.GetAsync($"/api/v1/logs?query={All}", token: null)).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await listener.GetAsync("/loki/api/v1/labels", token: null)).Status);
        using var deleted = await listener.SendAsync(HttpMethod.Delete, "/api/v1/logs");
        Assert.Equal(HttpStatusCode.MethodNotAllowed, deleted.StatusCode);
    }

    [Fact]
    public async Task A_query_whose_time_is_over_is_503_and_so_is_a_store_that_cannot_be_read()
    {
        var time = new ManualTime();
        await using var listener = await PrivateListener.StartAsync(time);
        listener.Logs.Add(Now - 1000, "a");
        listener.Logs.BeforeLine = () => throw new IOException("the disk is gone");
        var (status, body) = await listener.GetAsync($"/api/v1/logs?query={All}");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
        Assert.DoesNotContain("disk", body, StringComparison.Ordinal);

        listener.Logs.BeforeLine = () => throw new OperationCanceledException();
        (status, body) = await listener.GetAsync($"/api/v1/logs?query={All}");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
        Assert.Contains("the query took longer than 60 s", body, StringComparison.Ordinal);
        Assert.Contains("lm_collector_log_queries_total{result=\"timeout\"} 1", (await listener.GetAsync("/metrics")).Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stream_that_breaks_is_cut_off_so_that_it_cannot_pass_for_whole()
    {
        await using var listener = await PrivateListener.StartAsync();
        foreach (var i in Enumerable.Range(0, 100))
        {
            listener.Logs.Add(Now - 1000 + i, new string('x', 2000));
        }

        var lines = 0;
        listener.Logs.BeforeLine = () => _ = ++lines > 90 ? throw new IOException("the disk is gone") : 0;

        await Assert.ThrowsAsync<HttpRequestException>(() => listener.SendAsync(HttpMethod.Get, $"/api/v1/logs?query={All}&limit=1000", headers: ("Accept", "application/x-ndjson")));
    }

    [Fact]
    public async Task Labels_and_values_are_those_of_streams()
    {
        await using var listener = await PrivateListener.StartAsync();
        listener.Logs.Add(Now - 1000, "a", "instance=web1,input=nginx").Add(Now - 1000, "b", "instance=web2,input=syslog");

        Assert.Equal("""["input","instance"]""", (await listener.GetJsonAsync("/api/v1/logs/labels")).GetRawText());
        Assert.Equal("""["nginx","syslog"]""", (await listener.GetJsonAsync("/api/v1/logs/label/input/values")).GetRawText());
        Assert.Equal("""["nginx"]""", (await listener.GetJsonAsync("/api/v1/logs/label/input/values?query=%7Binstance=%22web1%22%7D")).GetRawText());
        Assert.Equal("""[]""", (await listener.GetJsonAsync("/api/v1/logs/labels?end=5")).GetRawText());
    }

    [Fact]
    public async Task Volume_counts_lines_by_time_and_severity()
    {
        await using var listener = await PrivateListener.StartAsync();
        var start = Now - 60_000;
        listener.Logs.Add(start - 1, "before").Add(start, "a", "instance=web1,severity=error").Add(start + 9999, "b", "instance=web1,severity=error")
            .Add(start + 10_000, "c", "instance=web1,severity=info").Add(start + 59_999, "d", "instance=web1,severity=info").Add(start + 60_000, "after", "instance=web1,severity=info");

        var data = await listener.GetJsonAsync($"/api/v1/logs/volume?start={start / 1000}&end={Now / 1000}&step=10");

        Assert.Equal(
            """{"step":10,"resultType":"matrix","result":[{"metric":{"severity":"error"},"values":[[1767322985,"2"]]},{"metric":{"severity":"info"},"values":[[1767322995,"1"],[1767323035,"1"]]}]}""",
            data.GetRawText());
    }

    [Fact]
    public async Task Context_has_the_lines_around_one_and_fields_what_values_are_frequent()
    {
        await using var listener = await PrivateListener.StartAsync();
        foreach (var i in Enumerable.Range(0, 9))
        {
            listener.Logs.Add(Now - 9000 + i, $"n={i % 3}");
        }

        var middle = (await listener.GetJsonAsync($"/api/v1/logs?query={All}&limit=1&start=0&end=1767323036.005")).GetProperty("result")[0];
        Assert.Equal("n=1", middle.GetProperty("line").GetString());
        var around = await listener.GetJsonAsync($"/api/v1/logs/context?query={All}&id={middle.GetProperty("id").GetString()}&before=2&after=9");
        var fields = await listener.GetJsonAsync($"/api/v1/logs/fields?query={All}{Uri.EscapeDataString("|logfmt")}&limit=9");

        Assert.Equal("n=0 n=2", string.Join(' ', around.GetProperty("before").EnumerateArray().Select(line => line.GetProperty("line").GetString())));
        Assert.Equal("n=2 n=0 n=1 n=2", string.Join(' ', around.GetProperty("after").EnumerateArray().Select(line => line.GetProperty("line").GetString())));
        Assert.Equal(
            """{"lines":9,"fields":[{"name":"instance","count":9,"distinct":1,"top":[{"value":"web1","count":9}]},{"name":"n","count":9,"distinct":3,"top":[{"value":"0","count":3},{"value":"1","count":3},{"value":"2","count":3}]}]}""",
            fields.GetRawText());
    }

    [Fact]
    public async Task Hostile_lines_come_back_as_data()
    {
        await using var listener = await PrivateListener.StartAsync();
        string[] hostile = ["<script>alert(1)</script>", "\u001b[31mred\u0007\0", "a\"b\\c\r\n\t", "\u202eevil\ufffd\u2028", new string('ä', 300_000) + "\"" + new string('\u0001', 50_000)];
        for (var i = 0; i < hostile.Length; i++)
        {
            listener.Logs.Add(Now - 1000 + i, hostile[i]);
        }

        var page = await listener.GetJsonAsync($"/api/v1/logs?query={All}&direction=forward");
        var loki = await listener.GetJsonAsync($"/loki/api/v1/query_range?query={All}&direction=forward");

        Assert.Equal(hostile, page.GetProperty("result").EnumerateArray().Select(line => line.GetProperty("line").GetString()));
        Assert.Equal(hostile, loki.GetProperty("result")[0].GetProperty("values").EnumerateArray().Select(value => value[1].GetString()));
    }
}
