using System.Net;
using Lm.Collector.Live;
using Lm.Collector.Spool;
using Lm.Collector.Tests.Query;
using Lm.Collector.Tests.Series;
using Lm.Journal;
using Lm.Platform;
using Lm.Protocol;
using Lm.Protocol.RemoteWrite;
using Lm.TestKit;

namespace Lm.Collector.Tests.Live;

public sealed class SseEndpointTests
{
    private const long Now = 1_767_225_600_000; // 2026-01-01

    [Fact]
    public async Task A_batch_is_told_with_its_samples_and_comes_last()
    {
        await using var listener = await PrivateListener.StartAsync();
        await using var stream = await EventStream.OpenAsync(listener);
        await stream.GreetedAsync();
        var batch = new BatchMaker("web1").With("node_load1", 0.5, Now, new Label("cpu", "all")).With("node_load5", 0.25, Now).Make();

        listener.Feed(batch);

        var first = await stream.NextAsync();
        Assert.Equal("text/event-stream", stream.Headers.ContentType!.MediaType);
        Assert.Equal("sample", first.Name);
        Assert.Equal("""{"metric":{"__name__":"node_load1","cpu":"all","instance":"web1","job":"lightmetrics"},"value":[1767225600,"0.5"]}""", first.Data.GetRawText());
        Assert.Equal($"{listener.Incarnation}:0.{batch.Position.Offset}.0", first.Id);
        Assert.Equal("node_load5", (await stream.NextAsync()).Metric);
        var told = await stream.NextAsync();
        Assert.Equal("batch", told.Name);
        Assert.Equal("web1", told.Text("agent"));
        Assert.Equal(2, told.Data.GetProperty("samples").GetInt32());
        Assert.Equal($"{listener.Incarnation}:0.{batch.Position.Offset}", told.Id);
    }

    [Fact]
    public async Task Selectors_agents_and_kinds_leave_out_the_rest()
    {
        await using var listener = await PrivateListener.StartAsync();
        await using var series = await EventStream.OpenAsync(listener, "?events=sample&match[]=node_load5&match[]={cpu=~\"a.*\"}");
        await using var agent = await EventStream.OpenAsync(listener, "?agent=web2&events=batch");
        await series.GreetedAsync();
        await agent.GreetedAsync();

        listener.Feed(new BatchMaker("web1").With("node_load1", 1, Now).With("node_load5", 2, Now).With("node_cpu", 3, Now, new Label("cpu", "all")).Make());
        listener.Feed(new BatchMaker("web2").With("node_load5", 4, Now).Make());

        Assert.Equal("node_load5", (await series.NextAsync()).Metric);
        Assert.Equal("node_cpu", (await series.NextAsync()).Metric);
        Assert.Equal("web2", (await series.NextAsync()).Data.GetProperty("metric").GetProperty("instance").GetString());
        Assert.Equal("web2", (await agent.NextAsync()).Text("agent"));
    }

    [Fact]
    public async Task The_collector_s_own_up_is_told_and_an_agent_s_is_not_taken_for_it()
    {
        await using var listener = await PrivateListener.StartAsync();
        await using var stream = await EventStream.OpenAsync(listener, "?match[]=up");
        await stream.GreetedAsync();

        listener.Feed(new BatchMaker("web1").With("up", 1, Now).Make()); // stored as exported_up
        listener.Feed(new AcceptedUps(new JournalPosition(0, long.MaxValue), new UnixMillis(Now), [new AgentUp("web1", 1000, false)], IsReplay: false));

        Assert.Equal("batch", (await stream.NextAsync()).Name);
        Assert.Equal("""{"metric":{"__name__":"up","instance":"web1","job":"lightmetrics"},"value":[1767225600,"0"]}""", (await stream.NextAsync()).Data.GetRawText());
    }

    [Fact]
    public async Task Remote_write_is_told_by_samples_alone()
    {
        await using var listener = await PrivateListener.StartAsync();
        await using var stream = await EventStream.OpenAsync(listener);
        await stream.GreetedAsync();
        var write = new DecodedWrite();
        var request = new WriteRequestMaker().Series("a", "j", Now, 1).Series("b", "j", Now, 2).Series([("__name__", "c")], (Now - 9000, 3), (Now, 4), (Now + 9000, 5));
        Assert.True(RemoteWriteDecoder.TryDecode(request.ToPayload(), WriteLimits.None, write, out var fault), fault);

        listener.Feed(new AcceptedWrite
        {
            Position = new JournalPosition(1, 0),
            ReceivedAt = new UnixMillis(Now),
            Sender = "prometheus",
            Write = write,
            Verdict = new WriteVerdict { OldestAccepted = new UnixMillis(Now - 1000), NewestAccepted = new UnixMillis(Now + 1000), SeriesEnd = 3, DroppedSeries = [0] },
        });

        Assert.Equal("""{"metric":{"__name__":"b","job":"j"},"value":[1767225600,"2"]}""", (await stream.NextAsync()).Data.GetRawText());
        var last = await stream.NextAsync();
        Assert.Equal("""{"metric":{"__name__":"c"},"value":[1767225600,"4"]}""", last.Data.GetRawText());
        Assert.Equal($"{listener.Incarnation}:1.0", last.Id);
    }

    [Fact]
    public async Task Alert_records_are_told()
    {
        await using var listener = await PrivateListener.StartAsync();
        await using var stream = await EventStream.OpenAsync(listener, "?match[]=none");
        await stream.GreetedAsync();
        var batch = new BatchMaker("web1") { Alerts = { new AlertRecord(new UnixMillis(Now), 17, "queue_dropped", "3 <b>batches</b>\n", [new Label("count", "3")]) } };

        listener.Feed(batch.With("a", 1, Now).Make());

        var told = await stream.NextAsync();
        Assert.Equal("alert", told.Name);
        Assert.Equal("""{"agent":"web1","time_ms":1767225600000,"severity":17,"name":"queue_dropped","message":"3 <b>batches</b>\n","labels":{"count":"3"}}""", told.Data.GetRawText());
    }

    [Fact]
    public async Task What_the_verdict_leaves_out_is_not_told()
    {
        await using var listener = await PrivateListener.StartAsync();
        await using var stream = await EventStream.OpenAsync(listener);
        await stream.GreetedAsync();

        listener.Feed(new BatchMaker().With("a", 1, Now).With("b", [(Now - 5000, 2), (Now, 3)]).Make(oldestAccepted: Now - 1000, dropped: [0]));

        var told = await stream.NextAsync();
        Assert.Equal(("b", "3"), (told.Metric, told.Data.GetProperty("value")[1].GetString()));
        Assert.Equal("batch", (await stream.NextAsync()).Name);
    }

    [Fact]
    public async Task A_batch_that_comes_late_says_so()
    {
        await using var listener = await PrivateListener.StartAsync();
        await using var stream = await EventStream.OpenAsync(listener, "?events=batch");
        await stream.GreetedAsync();

        listener.Feed(new BatchMaker().With("a", 1, Now).Make(receivedAtMs: Now));
        listener.Feed(Late(new BatchMaker().With("a", 1, Now).Make(receivedAtMs: Now)));

        Assert.False((await stream.NextAsync()).Data.TryGetProperty("backlog", out _));
        Assert.True((await stream.NextAsync()).Data.GetProperty("backlog").GetBoolean());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task Who_comes_back_hears_what_followed_each_event_once(int heard)
    {
        await using var listener = await PrivateListener.StartAsync();
        var stream = await EventStream.OpenAsync(listener, "?events=sample");
        await stream.GreetedAsync();
        listener.Feed(new BatchMaker().With("a", 1, Now).With("b", 1, Now).Make());
        listener.Feed(new BatchMaker().With("c", 1, Now).With("d", 1, Now).Make());
        var names = new List<string>();
        for (var i = 0; i < heard; i++)
        {
            names.Add((await stream.NextAsync()).Metric);
        }

        await stream.DisposeAsync();
        listener.Feed(new BatchMaker().With("e", 1, Now).Make());
        await using var again = await EventStream.OpenAsync(listener, "?events=sample", stream.LastId);
        while (names.Count < 5)
        {
            names.Add((await again.NextAsync()).Metric);
        }

        Assert.Equal(["a", "b", "c", "d", "e"], names);
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("0f8fad5b-d9cb-469f-a165-70867728950e:0.1")]
    public async Task An_id_that_is_not_known_gets_a_reset_and_goes_on_from_now(string id)
    {
        await using var listener = await PrivateListener.StartAsync();
        await using var stream = await EventStream.OpenAsync(listener, "?events=batch&last_event_id=" + id);

        var reset = await stream.NextAsync();
        listener.Feed(new BatchMaker().With("a", 1, Now).Make());

        Assert.Equal("reset", reset.Name);
        Assert.StartsWith(listener.Incarnation.ToString(), reset.Id, StringComparison.Ordinal);
        Assert.Equal("batch", (await stream.NextAsync()).Name);
    }

    [Fact]
    public async Task An_id_whose_followers_are_no_longer_in_memory_gets_a_reset()
    {
        await using var listener = await PrivateListener.StartAsync();
        var stream = await EventStream.OpenAsync(listener, "?events=batch");
        await stream.GreetedAsync();
        listener.Feed(new BatchMaker().With("a", 1, Now).Make());
        var first = await stream.NextAsync();
        await stream.DisposeAsync();
        var label = new Label("text", new string('x', 400_000));
        for (var i = 0; i < (LiveRecorder.HistoryBytes / 400_000) + 2; i++)
        {
            listener.Feed(new BatchMaker().With("a", 1, Now, label).Make());
        }

        await using var again = await EventStream.OpenAsync(listener, "?events=batch", first.Id);

        Assert.Equal("reset", (await again.NextAsync()).Name);
    }

    [Fact]
    public async Task A_client_that_does_not_read_is_told_that_it_lags()
    {
        await using var listener = await PrivateListener.StartAsync();
        await using var stream = await EventStream.OpenAsync(listener, "?events=sample");
        await using var marker = await EventStream.OpenAsync(listener, "?match[]=last&events=sample");
        await stream.GreetedAsync();
        await marker.GreetedAsync();
        var label = new Label("text", new string('x', 100_000));
        for (var i = 0; i < 300; i++)
        {
            listener.Feed(new BatchMaker().With("a", i, Now, label).Make());
            if (i % 50 == 49)
            {
                // Paced by a client that reads, so that what is missed was missed by the other alone.
                listener.Feed(new BatchMaker().With("last", i, Now).Make());
                Assert.Equal("last", (await marker.NextAsync()).Metric);
            }
        }

        var seen = 0L;
        var missed = 0L;
        while (seen + missed < 306)
        {
            var next = await stream.NextAsync();
            seen += next.Name == "sample" ? 1 : 0;
            missed += next.Name == "lagged" ? next.Data.GetProperty("missed").GetInt64() : 0;
        }

        Assert.True(missed > 0, "nothing was missed");
        Assert.Equal(306, seen + missed);
    }

    [Fact]
    public async Task A_quiet_stream_shows_signs_of_life()
    {
        var time = new ManualTime();
        await using var listener = await PrivateListener.StartAsync(time);
        await using var stream = await EventStream.OpenAsync(listener);
        await stream.GreetedAsync();

        time.Advance(LiveHub.HeartbeatInterval + TimeSpan.FromSeconds(1));

        var line = await stream.LineAsync();
        while (line!.Length == 0)
        {
            line = await stream.LineAsync();
        }

        Assert.StartsWith(": ", line, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("?events=everything", "\"everything\" is no kind of event; there are batch, sample, log, alert")]
    [InlineData("?match[]={", "parse error")]
    [InlineData("?query={a=", "parse error at line 1, column 4")]
    [InlineData("?query=rate({a=\"b\"}[1m])", "a query for lines is expected here")]
    public async Task A_parameter_that_cannot_be_used_is_named(string query, string message)
    {
        await using var listener = await PrivateListener.StartAsync();

        var (status, body) = await listener.GetAsync("/api/v1/live" + query);

        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Contains(message.Replace("\"", "\\\"", StringComparison.Ordinal), body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_the_token_nothing_is_told()
    {
        await using var listener = await PrivateListener.StartAsync();

        Assert.Equal(HttpStatusCode.Unauthorized, (await listener.GetAsync("/api/v1/live", token: null)).Status);
    }

    [Fact]
    public async Task A_token_that_was_replaced_ends_the_stream()
    {
        var time = new ManualTime();
        await using var listener = await PrivateListener.StartAsync(time);
        await using var stream = await EventStream.OpenAsync(listener);
        await stream.GreetedAsync();

        listener.Settings = listener.Settings with { Token = new Collector.Settings.Secret("another-token-of-the-tests") };
        time.Advance(TimeSpan.FromSeconds(15));

        while (await stream.LineAsync() is not null)
        {
            // A sign of life may still come.
        }
    }

    [Fact]
    public async Task A_stopping_hub_ends_its_streams_and_takes_no_more()
    {
        await using var listener = await PrivateListener.StartAsync();
        await using var stream = await EventStream.OpenAsync(listener);
        await stream.GreetedAsync();

        listener.Live.Stop();

        while (await stream.LineAsync() is not null)
        {
            // What was under way.
        }

        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await listener.GetAsync("/api/v1/live")).Status);
    }

    private static AcceptedBatch Late(AcceptedBatch batch) => new()
    {
        Position = batch.Position,
        ReceivedAt = new UnixMillis(Now + 60_000),
        Batch = batch.Batch,
        Verdict = batch.Verdict,
        IsReplay = false,
        FrameBytes = batch.FrameBytes,
    };
}
