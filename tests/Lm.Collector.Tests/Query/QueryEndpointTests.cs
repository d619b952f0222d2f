using System.Net;
using Lm.Collector.Tests.Series;
using Lm.TestKit;
using Lm.Tsdb;
using Label = Lm.Protocol.Label;

namespace Lm.Collector.Tests.Query;

public sealed class QueryEndpointTests
{
    private const long Now = 1_767_323_045_000; // ManualTime's start: 2026-01-02T03:04:05Z

    private static readonly double Stale = BitConverter.Int64BitsToDouble(StaleMarker.Bits);

    [Fact]
    public async Task An_instant_query_answers_in_Prometheus_shape()
    {
        await using var listener = await PrivateListener.StartAsync();
        listener.Feed(new BatchMaker("web2").With("node_load1", 0.25, Now - 1000).Make());
        listener.Feed(new BatchMaker("web1").With("node_load1", [(Now - 2000, 7), (Now - 500, 1e6)], new Label("note", "ä\"<b>\"\n")).With("other", 1, Now).Make());

        var (status, body) = await listener.GetAsync("/api/v1/query?query=sort_desc(node_load1)");

        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal(
            """{"status":"success","data":{"resultType":"vector","result":["""
            + """{"metric":{"__name__":"node_load1","instance":"web1","job":"lightmetrics","note":"ä\"<b>\"\n"},"value":[1767323045,"1000000"]},"""
            + """{"metric":{"__name__":"node_load1","instance":"web2","job":"lightmetrics"},"value":[1767323045,"0.25"]}]}}""",
            body);
    }

    [Fact]
    public async Task A_range_selector_answers_a_matrix_with_the_left_edge_left_out()
    {
        await using var listener = await PrivateListener.StartAsync();
        listener.Feed(new BatchMaker().With("x", [(1000, 1), (2000, 2), (3000, Stale), (4500, double.PositiveInfinity), (6000, double.NaN)]).Make());

        var (_, body) = await listener.GetAsync("/api/v1/query?query=x[5s]&time=6");

        Assert.Equal(
            """{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"x","instance":"web1","job":"lightmetrics"},"values":[[2,"2"],[4.500,"+Inf"],[6,"NaN"]]}]}}""",
            body);
    }

    [Fact]
    public async Task A_match_that_no_address_has_room_for_is_taken_as_a_form_by_label_values_too()
    {
        await using var listener = await PrivateListener.StartAsync();
        listener.Feed(new BatchMaker("web1").With("x", 1, Now, new Label("n", "a")).With("x", 1, Now, new Label("n", "b")).Make());
        using var form = new FormUrlEncodedContent([new("match[]", $"x{{n=~\"a|{string.Join('|', Enumerable.Range(0, 500).Select(i => $"host-{i}"))}\"}}")]);

        using var answer = await listener.SendAsync(HttpMethod.Post, "/api/v1/label/n/values", content: form);

        var body = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(body == """{"status":"success","data":["a"]}""", body);
    }

    [Theory]
    [InlineData(3, 300_000, 0)]
    [InlineData(3, 299_999, 1)]
    [InlineData(2, 300_000, 1)]
    [InlineData(2, 300_001, 0)]
    public async Task The_lookback_is_five_minutes_and_its_edge_follows_the_semantics(int semantics, int age, int expected)
    {
        await using var listener = await PrivateListener.StartAsync(change: settings => settings with { PromqlSemantics = semantics });
        listener.Feed(new BatchMaker().With("x", 1, Now - age).Make());

        var data = await listener.GetJsonAsync("/api/v1/query?query=x");

        Assert.Equal(expected, data.GetProperty("result").GetArrayLength());
    }

    [Fact]
    public async Task A_stale_marker_ends_a_series_and_offset_looks_back_before_it()
    {
        await using var listener = await PrivateListener.StartAsync();
        listener.Feed(new BatchMaker().With("x", [(Now - 60_000, 5), (Now - 30_000, Stale)]).Make());

        Assert.Equal(0, (await listener.GetJsonAsync("/api/v1/query?query=x")).GetProperty("result").GetArrayLength());
        Assert.Equal("5", (await listener.GetJsonAsync("/api/v1/query?query=x offset 45s")).GetProperty("result")[0].GetProperty("value")[1].GetString());
    }

    [Theory]
    [InlineData("{__name__=~\"a|b\"}", "ab")]
    [InlineData("{__name__=~\"a|b\",site=\"\"}", "b")]
    [InlineData("{__name__=~\"a|b\",site!=\"lab\"}", "b")]
    [InlineData("{job=\"lightmetrics\",site=~\"l.+\"}", "a")]
    [InlineData("{job=\"lightmetrics\",site!~\"l.+\"}", "b")]
    [InlineData("{job=\"lightmetrics\",site=~\".*\"}", "ab")]
    [InlineData("a{instance=\"web2\"}", "")]
    public async Task Matchers_choose_series_and_a_missing_label_is_empty(string query, string expected)
    {
        await using var listener = await PrivateListener.StartAsync();
        listener.Feed(new BatchMaker().With("a", 1, Now, new Label("site", "lab")).With("b", 1, Now).Make());

        var data = await listener.GetJsonAsync("/api/v1/query?query=" + Uri.EscapeDataString(query));

        Assert.Equal(expected, string.Concat(data.GetProperty("result").EnumerateArray().Select(series => series.GetProperty("metric").GetProperty("__name__").GetString())));
    }

    [Fact]
    public async Task A_form_is_read_before_the_URL()
    {
        await using var listener = await PrivateListener.StartAsync();
        listener.Feed(new BatchMaker().With("a", 1, Now).With("b", 2, Now).Make());
        using var form = new FormUrlEncodedContent([new("query", "b"), new("time", "2026-01-02T03:04:05Z")]);

        using var answer = await listener.SendAsync(HttpMethod.Post, "/api/v1/query?query=a&time=7", content: form);

        Assert.Contains("\"value\":[1767323045,\"2\"]", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_limit_cuts_the_answer_and_says_so()
    {
        await using var listener = await PrivateListener.StartAsync();
        listener.Feed(new BatchMaker().With("a", 1, Now, new Label("n", "1")).With("a", 2, Now, new Label("n", "2")).Make());

        var (_, body) = await listener.GetAsync("/api/v1/query?query=a&limit=1");

        Assert.EndsWith(""","value":[1767323045,"1"]}]},"warnings":["results truncated due to limit"]}""", body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "unknown position: parse error: no expression found in input")]
    [InlineData("query=rate(x)", "1:6: parse error: expected type range vector in call to function \\\"rate\\\", got instant vector")]
    [InlineData("query=x&time=yesterday", "cannot parse \\\"yesterday\\\" to a valid timestamp")]
    [InlineData("query=x&timeout=fast", "cannot parse \\\"fast\\\" to a valid duration")]
    [InlineData("query=x&limit=-1", "limit must be non-negative")]
    [InlineData("query=x&limit=some", "strconv.Atoi: parsing \\\"some\\\": invalid syntax")]
    public async Task A_bad_parameter_is_bad_data(string parameters, string expected)
    {
        await using var listener = await PrivateListener.StartAsync();

        var (status, body) = await listener.GetAsync("/api/v1/query?" + parameters);

        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.StartsWith("""{"status":"error","errorType":"bad_data","error":"invalid parameter """, body, StringComparison.Ordinal);
        Assert.Contains(expected, body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task More_samples_than_allowed_is_an_execution_error()
    {
        await using var listener = await PrivateListener.StartAsync(change: settings => settings with { SamplesMax = 2 });
        listener.Feed(new BatchMaker().With("x", [(Now - 3, 1), (Now - 2, 2), (Now - 1, 3)]).Make());

        var (status, body) = await listener.GetAsync("/api/v1/query?query=x[1m]");

        Assert.Equal(HttpStatusCode.UnprocessableEntity, status);
        Assert.Contains("\"errorType\":\"execution\"", body, StringComparison.Ordinal);
        Assert.Contains("query processing would load too many samples into memory in query execution", body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_query_waits_for_what_was_acknowledged_before_it()
    {
        await using var listener = await PrivateListener.StartAsync();
        var applied = new TaskCompletionSource();
        listener.Wait = _ => new ValueTask(applied.Task);

        var asked = listener.GetJsonAsync("/api/v1/query?query=x");
        listener.Feed(new BatchMaker().With("x", 1, Now).Make());
        applied.SetResult();

        Assert.Equal(1, (await asked).GetProperty("result").GetArrayLength());
    }

    [Fact]
    public async Task A_query_that_takes_too_long_is_a_timeout()
    {
        var time = new ManualTime();
        await using var listener = await PrivateListener.StartAsync(time);
        var waits = new TaskCompletionSource();
        listener.Wait = async token =>
        {
            waits.SetResult();
            await Task.Delay(Timeout.Infinite, token);
        };

        var asked = listener.GetAsync("/api/v1/query?query=x&timeout=2s");
        await waits.Task;
        time.Advance(TimeSpan.FromSeconds(2));
        var (status, body) = await asked;

        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
        Assert.Equal("""{"status":"error","errorType":"timeout","error":"query timed out waiting for the batches that were acknowledged before it"}""", body);
    }

    [Fact]
    public async Task A_form_that_is_too_large_is_refused()
    {
        await using var listener = await PrivateListener.StartAsync();
        using var form = new FormUrlEncodedContent([new("query", new string('a', 300_000))]);

        using var answer = await listener.SendAsync(HttpMethod.Post, "/api/v1/query", content: form);

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.StatusCode);
    }

    [Fact]
    public async Task A_body_of_another_type_is_refused()
    {
        await using var listener = await PrivateListener.StartAsync();
        using var json = new StringContent("{}", System.Text.Encoding.UTF8, "application/json");

        using var answer = await listener.SendAsync(HttpMethod.Post, "/api/v1/query", content: json);

        Assert.Equal(HttpStatusCode.UnsupportedMediaType, answer.StatusCode);
    }

    [Fact]
    public async Task A_large_answer_arrives_whole()
    {
        await using var listener = await PrivateListener.StartAsync();
        var maker = new BatchMaker();
        for (var i = 0; i < 2000; i++)
        {
            maker.With("x", i, Now, new Label("n", $"{i:D4}{new string('v', 100)}"));
        }

        listener.Feed(maker.Make());

        var data = await listener.GetJsonAsync("/api/v1/query?query=x");

        Assert.Equal(Enumerable.Range(0, 2000).Select(i => $"{i}"), data.GetProperty("result").EnumerateArray().Select(series => series.GetProperty("value")[1].GetString()));
    }

    [Fact]
    public async Task Build_information_names_the_program()
    {
        await using var listener = await PrivateListener.StartAsync();

        var data = await listener.GetJsonAsync("/api/v1/status/buildinfo");

        Assert.Equal(("lightmetrics", "0.1.0"), (data.GetProperty("application").GetString(), data.GetProperty("version").GetString()));
    }

    [Fact]
    public async Task The_collectors_own_metrics_are_Prometheus_text()
    {
        await using var listener = await PrivateListener.StartAsync();
        listener.Feed(new BatchMaker().With("x", 1, Now).Make());
        await listener.GetAsync("/api/v1/query?query=x");

        var (_, body) = await listener.GetAsync("/metrics");

        Assert.StartsWith("# HELP lm_collector_batches_accepted_total Batches made durable.\n# TYPE lm_collector_batches_accepted_total counter\nlm_collector_batches_accepted_total 3\n", body, StringComparison.Ordinal);
        Assert.Contains("\nlm_collector_series 1\n", body, StringComparison.Ordinal);
        Assert.Contains("\nlm_collector_queries_total{result=\"success\"} 1\n", body, StringComparison.Ordinal);
        Assert.Contains("\nlm_collector_agents{state=\"up\"} 1\n", body, StringComparison.Ordinal);
        Assert.Contains("\nprocess_resident_memory_bytes ", body, StringComparison.Ordinal);
        Assert.Equal(body.Split('\n').Count(line => line.StartsWith("# TYPE", StringComparison.Ordinal)), body.Split('\n').Where(line => line.StartsWith("# TYPE", StringComparison.Ordinal)).Distinct().Count());
    }
}
