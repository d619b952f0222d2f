using System.Net.Http.Headers;
using System.Text.Json;
using Lm.Collector.Tests.Ingest;
using Lm.Platform;
using Lm.Protocol;

namespace Lm.Collector.Tests.LogRecords;

/// <summary>Log records through both real listeners of the whole collector.</summary>
public sealed class LogDeliveryTests
{
    private static readonly CancellationToken Cancelled = TestContext.Current.CancellationToken;

    // What a terminal, a browser, JSON, a log query or a line reader could take for something else than text.
    private static readonly string[] Hostile =
    [
        string.Concat(Enumerable.Range(0, 32).Select(code => (char)code)) + "\u007f\u0080\u009b",
        "\u001b[2J\u001b]0;owned\u0007\u001b[31mred\u001b[0m",
        "<script>alert(1)</script><img src=x onerror=alert(2)>&amp;'\"`",
        "\",\"body\":\"x\"}\n{\"ts\":\"1970-01-01T00:00:00.000Z\",\"instance\":\"other\"",
        "{\"a\":\"b\",\"instance\":\"other\"}\\u0000\\n\\",
        "${jndi:ldap://x} %s%n {{.}} $1 ' OR 1=1 --",
        "\u202egnp.exe \ufeff\u200b\u2028\u2029\uffff\ufffd 日本語 😀 e\u0301",
        "\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        "data: x\n\nevent: y\n\n",
        " ",
        "",
    ];

    [Fact]
    public async Task A_line_that_was_acknowledged_is_answered_with_its_labels_and_attributes()
    {
        await using var collector = await RunningCollector.StartAsync();
        await SendAsync(collector, 1, new LogRecord(UnixMillis.Now(collector.Time), 17, "connection timeout", [new Label("input", "syslog"), new Label("unit", "ssh")]));

        var data = await DataAsync(collector, "api/v1/logs?query=" + Uri.EscapeDataString("{instance=\"a1\",input=\"syslog\"} |= \"timeout\" | unit=\"ssh\""));

        var line = Assert.Single(data.GetProperty("result").EnumerateArray());
        Assert.Equal("connection timeout", line.GetProperty("line").GetString());
        Assert.Equal("""{"input":"syslog","instance":"a1","severity":"error","site":"lab"}""", line.GetProperty("stream").GetRawText());
        Assert.Equal("""{"unit":"ssh"}""", line.GetProperty("attrs").GetRawText());
        Assert.Equal(UnixMillis.Now(collector.Time).Value, line.GetProperty("ts").GetInt64());
    }

    [Fact]
    public async Task A_batch_that_comes_twice_is_answered_once()
    {
        await using var collector = await RunningCollector.StartAsync();
        var at = UnixMillis.Now(collector.Time);
        Assert.Equal(FrameOutcome.Accepted, await SendAsync(collector, 1, new LogRecord(at, 9, "once", [])));
        Assert.Equal(FrameOutcome.Duplicate, await SendAsync(collector, 1, new LogRecord(at, 9, "once", [])));

        Assert.Equal(["once"], await LinesAsync(collector));
    }

    [Fact]
    public async Task Hostile_lines_come_back_exactly_as_data_in_every_form()
    {
        await using var collector = await RunningCollector.StartAsync("max_log_message_bytes = 16777216");
        var at = UnixMillis.Now(collector.Time).Value;
        string[] bodies = [.. Hostile, string.Concat(Enumerable.Repeat("0123456789<\u001b\n\"\\é", 600_000))]; // the last has some 10 MB
        for (var i = 0; i < bodies.Length; i++)
        {
            await SendAsync(collector, (ulong)i + 1, new LogRecord(new UnixMillis(at - 1000 + i), 9, bodies[i], [new Label("note", Hostile[i % Hostile.Length][..Math.Min(30, Hostile[i % Hostile.Length].Length)])]));
        }

        Assert.Equal(bodies, await LinesAsync(collector));
        Assert.Equal(bodies, await StreamedAsync(collector));
        Assert.Equal(bodies, await LokiLinesAsync(collector));
    }

    [Fact]
    public async Task Lokis_forms_are_answered_for_what_an_agent_sent()
    {
        await using var collector = await RunningCollector.StartAsync();
        var at = UnixMillis.Now(collector.Time);
        await SendAsync(collector, 1, new LogRecord(at.Add(TimeSpan.FromSeconds(-5)), 9, "one", []), new LogRecord(at.Add(TimeSpan.FromSeconds(-4)), 17, "two", []));

        var range = await DataAsync(collector, "loki/api/v1/query_range?direction=forward&query=" + Uri.EscapeDataString("{site=\"lab\"}"));
        var rate = await DataAsync(collector, "loki/api/v1/query?query=" + Uri.EscapeDataString("sum by (severity) (count_over_time({site=\"lab\"}[1m]))"));
        var labels = await DataAsync(collector, "loki/api/v1/labels");
        var values = await DataAsync(collector, "loki/api/v1/label/severity/values");
        var series = await DataAsync(collector, "loki/api/v1/series?match[]=" + Uri.EscapeDataString("{severity=\"error\"}"));

        var size = JsonElement.Parse(await GetAsync(collector, "loki/api/v1/index/stats?query=" + Uri.EscapeDataString("{severity=\"error\"}")));
        var none = await GetAsync(collector, "loki/api/v1/index/stats?query=" + Uri.EscapeDataString("{severity=\"fatal\"}"));

        Assert.Equal("streams", range.GetProperty("resultType").GetString());
        Assert.Equal(2, range.GetProperty("result").GetArrayLength());
        Assert.Equal(["1", "1"], rate.GetProperty("result").EnumerateArray().Select(static member => member.GetProperty("value")[1].GetString()));
        Assert.Equal("""["instance","severity","site"]""", labels.GetRawText());
        Assert.Equal((1, 1, 2), (size.GetProperty("streams").GetInt32(), size.GetProperty("chunks").GetInt32(), size.GetProperty("entries").GetInt32()));
        Assert.Equal("""{"streams":0,"chunks":0,"entries":0,"bytes":0}""", none);
        Assert.Equal("""["error","info"]""", values.GetRawText());
        Assert.Equal("""[{"instance":"a1","severity":"error","site":"lab"}]""", series.GetRawText());
    }

    private static async Task<FrameOutcome> SendAsync(RunningCollector collector, ulong sequence, params LogRecord[] logs)
    {
        var encoder = new BatchEncoder();
        encoder.Begin(UnixMillis.Now(collector.Time), 15_000, [new Label("site", "lab")]);
        foreach (var log in logs)
        {
            encoder.AddLog(log);
        }

        var frame = encoder.EncodeFrame(new BatchKey("a1", FrameMaker.Queue, new SequenceRange(sequence, sequence))).ToArray();
        using var client = collector.Client();
        using var answer = await client.SendAsync(collector.Request(sequence, frame), Cancelled);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(Cancelled));
        Assert.True(IngestAck.TryDecode(await answer.Content.ReadAsByteArrayAsync(Cancelled), out var ack));
        return Assert.Single(ack.Frames).Outcome;
    }

    private static async Task<string> GetAsync(RunningCollector collector, string path, string accept = "application/json")
    {
        using var client = new HttpClient { BaseAddress = collector.Query };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "query-secret");
        client.DefaultRequestHeaders.Accept.ParseAdd(accept);
        using var answer = await client.GetAsync(path, Cancelled);
        var body = await answer.Content.ReadAsStringAsync(Cancelled);
        Assert.True(answer.IsSuccessStatusCode, body);
        return body;
    }

    private static async Task<JsonElement> DataAsync(RunningCollector collector, string path) =>
        JsonElement.Parse(await GetAsync(collector, path)).GetProperty("data");

    private static string All => Uri.EscapeDataString("{instance=\"a1\"}");

    private static async Task<string[]> LinesAsync(RunningCollector collector)
    {
        var data = await DataAsync(collector, $"api/v1/logs?direction=forward&query={All}");
        return [.. data.GetProperty("result").EnumerateArray().Select(static line => line.GetProperty("line").GetString()!)];
    }

    private static async Task<string[]> StreamedAsync(RunningCollector collector)
    {
        var text = await GetAsync(collector, $"api/v1/logs?direction=forward&query={All}", "application/x-ndjson");
        return [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static line => JsonElement.Parse(line).GetProperty("line").GetString()!)];
    }

    private static async Task<string[]> LokiLinesAsync(RunningCollector collector)
    {
        var data = await DataAsync(collector, $"loki/api/v1/query_range?direction=forward&query={All}");
        return [.. data.GetProperty("result").EnumerateArray().SelectMany(static stream => stream.GetProperty("values").EnumerateArray())
            .OrderBy(static value => long.Parse(value[0].GetString()!, System.Globalization.CultureInfo.InvariantCulture)).Select(static value => value[1].GetString()!)];
    }
}
