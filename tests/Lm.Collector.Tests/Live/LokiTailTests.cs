using System.Buffers;
using System.Net;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Lm.Collector.Live;
using Lm.Collector.Tests.Query;
using Lm.Collector.Tests.Series;
using Lm.Logs;
using Lm.Logs.Query;
using Lm.Logs.Tests.Query;
using Lm.Platform;
using Lm.Protocol;
using Lm.TestKit;

namespace Lm.Collector.Tests.Live;

public sealed class LokiTailTests
{
    private const long Now = 1_767_323_045_000; // ManualTime's start: 2026-01-02T03:04:05Z

    [Fact]
    public async Task The_newest_stored_lines_come_first_and_then_each_that_comes()
    {
        await using var listener = await PrivateListener.StartAsync();
        listener.Logs.Add(Now - 3_700_000, "older than an hour").Add(Now - 3000, "one").Add(Now - 2000, "two", "instance=web1,severity=error").Add(Now - 1000, "three");
        using var tail = await ConnectAsync(listener, "?limit=2&query={instance=~\"web.*\"}");

        var first = await NextAsync(tail);
        listener.Feed(new BatchMaker("web2") { Logs = { Line("four\u001b[31m<b>"), Line("five") } }.With("a", 1, Now).Make());
        var second = await NextAsync(tail);

        Assert.Equal(["{\"detected_level\":\"error\",\"instance\":\"web1\",\"severity\":\"error\"} two", "{\"instance\":\"web1\"} three"], Lines(first));
        Assert.Equal(["four\u001b[31m<b>", "five"], Lines(second).Select(static line => line[(line.LastIndexOf('}') + 2)..]));
        Assert.Equal($"{Now}000000", second.GetProperty("streams")[0].GetProperty("values")[0][0].GetString());
        await tail.CloseAsync(WebSocketCloseStatus.NormalClosure, "", TestContext.Current.CancellationToken);
        Assert.Equal(WebSocketCloseStatus.NormalClosure, tail.CloseStatus);
    }

    [Fact]
    public async Task The_query_s_stages_hold_for_stored_lines_and_new_ones()
    {
        await using var listener = await PrivateListener.StartAsync();
        listener.Logs.Add(Now - 2000, "status=200").Add(Now - 1000, "status=500");
        using var tail = await ConnectAsync(listener, "?query=" + Uri.EscapeDataString("{instance=\"web1\"} | logfmt | status >= 500 | line_format \"failed {{.status}}\""));

        var first = await NextAsync(tail);
        listener.Feed(new BatchMaker("web1") { Logs = { Line("status=404"), Line("status=503") } }.With("a", 1, Now).Make());

        Assert.EndsWith("failed 500", Assert.Single(Lines(first)), StringComparison.Ordinal);
        Assert.EndsWith("failed 503", Assert.Single(Lines(await NextAsync(tail))), StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_ends_when_the_collector_stops()
    {
        await using var listener = await PrivateListener.StartAsync();
        using var tail = await ConnectAsync(listener, "?query={instance=\"web1\"}");

        listener.Live.Stop();

        var answer = await tail.ReceiveAsync(new byte[16], TestContext.Current.CancellationToken);
        Assert.Equal(WebSocketMessageType.Close, answer.MessageType);
    }

    [Theory]
    [InlineData("?query={a}", HttpStatusCode.BadRequest)]
    [InlineData("?query=rate({a=\"b\"}[1m])", HttpStatusCode.BadRequest)]
    [InlineData("?query={a=\"b\"}&delay_for=6", HttpStatusCode.BadRequest)]
    [InlineData("?query={a=\"b\"}&limit=0", HttpStatusCode.BadRequest)]
    public async Task What_is_wrong_is_refused_before_the_connection_is_taken(string query, HttpStatusCode expected)
    {
        await using var listener = await PrivateListener.StartAsync();
        using var socket = new ClientWebSocket();
        socket.Options.CollectHttpResponseDetails = true;
        socket.Options.SetRequestHeader("Authorization", "Bearer " + PrivateListener.Token);

        await Assert.ThrowsAsync<WebSocketException>(() => socket.ConnectAsync(AddressOf(listener, query), TestContext.Current.CancellationToken));

        Assert.Equal(expected, socket.HttpStatusCode);
    }

    [Fact]
    public async Task A_request_that_is_no_WebSocket_is_told_so()
    {
        await using var listener = await PrivateListener.StartAsync();

        var (status, body) = await listener.GetAsync("/loki/api/v1/tail?query={a=\"b\"}");

        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Contains("Upgrade: websocket", body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, HttpStatusCode.Forbidden)]
    [InlineData("http://evil.example", HttpStatusCode.Forbidden)]
    [InlineData("http://127.0.0.1:1", HttpStatusCode.Forbidden)] // another port is another origin, though the cookie would come along
    [InlineData("own", HttpStatusCode.SwitchingProtocols)]
    public async Task With_a_session_s_cookie_it_is_for_the_console_s_own_pages(string? origin, HttpStatusCode expected)
    {
        await using var listener = await PrivateListener.StartAsync();
        using var socket = new ClientWebSocket();
        socket.Options.CollectHttpResponseDetails = true;
        socket.Options.SetRequestHeader("Cookie", await Console.SessionTests.CookieAsync(listener));
        if (origin is not null)
        {
            socket.Options.SetRequestHeader("Origin", origin == "own" ? listener.Address.GetLeftPart(UriPartial.Authority) : origin);
        }

        var connecting = socket.ConnectAsync(AddressOf(listener, "?query={a=\"b\"}"), TestContext.Current.CancellationToken);
        if (expected == HttpStatusCode.SwitchingProtocols)
        {
            await connecting;
        }
        else
        {
            await Assert.ThrowsAsync<WebSocketException>(() => connecting);
        }

        Assert.Equal(expected, socket.HttpStatusCode);
    }

    [Fact]
    public void A_line_that_was_found_and_told_as_well_is_in_one_message_alone_and_what_was_missed_is_said()
    {
        var logs = new MemoryLogs().Add(Now, "found").Add(Now, "both");
        Assert.True(LogQuery.TryParse("{instance=\"web1\"}", out var query, out _));
        var lines = new LogQueryEngine(logs, new LogQueryLimits()).Lines(query!, new LogRange { From = 0, Until = Now + 1, IsBackward = false }, new LogScanStatistics(), TestContext.Current.CancellationToken).ToList();
        using var message = new TailMessage(new ManualTime());
        message.Add(lines);
        var first = JsonElement.Parse(message.Take().Span);
        var told = ": connected\n\n" + Event("entry", lines[1].Position.ToString(), "both") + Event("entry", $"{Now}.new", "comes") + "event: lagged\ndata: {\"missed\":7,\"of\":\"events\"}\n\n" + "event: entry\ndata: {\"id\"";

        var rest = message.Add(new ReadOnlySequence<byte>(Encoding.UTF8.GetBytes(told)));
        var second = JsonElement.Parse(message.Take().Span);

        Assert.Equal(["found", "both"], Lines(first).Select(static line => line[(line.LastIndexOf('}') + 2)..]));
        Assert.Equal(["{} comes"], Lines(second));
        Assert.Equal("7", second.GetProperty("dropped_entries")[0].GetProperty("labels").GetProperty("missed").GetString());
        Assert.Equal("data: {\"id\"", told[rest.GetInteger()..]);
        Assert.True(message.Take().IsEmpty);
    }

    private static string Event(string name, string id, string line) => $"event: {name}\ndata: {{\"id\":\"{id}\",\"stream\":{{}},\"values\":[[\"1\",\"{line}\"]]}}\nid: 0\n\n";

    private static IEnumerable<string> Lines(JsonElement message) => message.GetProperty("streams").EnumerateArray()
        .SelectMany(static stream => stream.GetProperty("values").EnumerateArray().Select(value => $"{stream.GetProperty("stream").GetRawText()} {value[1].GetString()}"));

    private static LogRecord Line(string body) => new(new UnixMillis(Now), 9, body, []);

    private static Uri AddressOf(PrivateListener listener, string query) => new UriBuilder(new Uri(listener.Address, "/loki/api/v1/tail" + query)) { Scheme = "ws" }.Uri;

    private static async Task<ClientWebSocket> ConnectAsync(PrivateListener listener, string query)
    {
        var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("Authorization", "Bearer " + PrivateListener.Token);
        await socket.ConnectAsync(AddressOf(listener, query), TestContext.Current.CancellationToken);
        return socket;
    }

    private static async Task<JsonElement> NextAsync(ClientWebSocket socket)
    {
        var bytes = new ArrayBufferWriter<byte>();
        while (true)
        {
            var answer = await socket.ReceiveAsync(bytes.GetMemory(4096), TestContext.Current.CancellationToken);
            bytes.Advance(answer.Count);
            if (answer.EndOfMessage)
            {
                return JsonElement.Parse(bytes.WrittenSpan);
            }
        }
    }
}
