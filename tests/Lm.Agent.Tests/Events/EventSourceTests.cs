using Lm.Agent.Events;
using Lm.Agent.LogTail;
using Lm.Platform;
using Lm.Protocol;

namespace Lm.Agent.Tests.Events;

[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public sealed class EventSourceTests
{
    [Fact]
    public async Task An_event_is_a_log_record_of_the_input_events()
    {
        await using var bench = new EventBench();
        await bench.Tails.StartAsync();
        var now = UnixMillis.Now(bench.Tails.Time);
        bench.Source.Post(new AgentEvent(now, AgentEvent.Warning, "x_happened", "something\nhappened", new Label("a", "1"), new Label("b", new string('é', 1000))));

        var line = Assert.Single(await bench.EventsAsync());

        Assert.Equal(("something\nhappened", now.Value, 13), (line.Body, line.TimeMs, line.Severity));
        Assert.Equal(("events", "x_happened", "1"), (line.Attributes["input"], line.Attributes["event"], line.Attributes["a"]));
        Assert.InRange(System.Text.Encoding.UTF8.GetByteCount(line.Attributes["b"]), 200, 400);
        Assert.Equal(1, bench.Source.RecordCount);
    }

    [Fact]
    public async Task Events_are_kept_in_order_while_the_disk_fails_and_none_is_stored_twice()
    {
        await using var bench = new EventBench();
        bench.Tails.LogsPerBatchMax = 3;
        await bench.Tails.StartAsync();
        var failFrom = bench.Tails.Files.OperationCount;
        bench.Tails.Files.Fault = operation => operation.Index >= failFrom ? new Lm.TestKit.FileFault(28, false) : null;
        for (var i = 0; i < 8; i++)
        {
            Post(bench, $"{i}");
            await bench.Tails.ReadAsync();
        }

        bench.Tails.Files.Fault = null;
        await bench.Tails.ReadAsync();

        Assert.Equal(Enumerable.Range(0, 8).Select(i => $"{i}"), bench.Tails.Bodies());
    }

    [Fact]
    public async Task A_flood_is_bounded_and_what_was_dropped_is_told()
    {
        await using var bench = new EventBench();
        await bench.Tails.StartAsync();
        for (var i = 0; i < EventSource.CountMax + 100; i++)
        {
            Post(bench, $"{i}");
        }

        var lines = await bench.EventsAsync();

        Assert.Equal(EventSource.CountMax + 1, lines.Count);
        Assert.Equal(("events_dropped", "100"), (lines[^1].Attributes["event"], lines[^1].Attributes["count"]));
        Assert.Equal(100, bench.Source.DroppedCount);
        Post(bench, "next");
        Assert.Equal(["next"], (await bench.EventsAsync()).Select(line => line.Body));
    }

    [Fact]
    public async Task Large_texts_are_bounded_by_their_bytes()
    {
        await using var bench = new EventBench();
        await bench.Tails.StartAsync();
        for (var i = 0; i < 100; i++)
        {
            Post(bench, new string('x', 100_000));
        }

        Assert.InRange(bench.Source.DroppedCount, 90, 99);
        Assert.All((await bench.EventsAsync()).SkipLast(1), line => Assert.Equal("truncated", LineMarksOf(line.Body)));
    }

    [Fact]
    public async Task A_collector_that_takes_no_logs_gets_none_and_nothing_grows()
    {
        await using var bench = new EventBench();
        bench.Tails.Announced = new Limits { LogsPerBatchMax = 0 };
        await bench.Tails.StartAsync();
        for (var i = 0; i < 10_000; i++)
        {
            Post(bench, "x");
        }

        Assert.Empty(await bench.EventsAsync());
        Assert.Equal(10_000 - EventSource.CountMax, bench.Source.DroppedCount);
    }

    [Fact]
    public async Task The_last_words_are_stored_beside_lines_that_wait_in_their_files()
    {
        await using var bench = new EventBench();
        bench.Tails.AddInput("a.log");
        bench.Tails.Write("a.log", "line\n");
        await bench.Tails.StartAsync();
        Post(bench, "last");

        Assert.True(await bench.Tails.Tailer.StoreLastAsync(bench.Source));

        Assert.Equal(["last"], bench.Tails.Bodies());
        await bench.Tails.RestartAsync();
        Assert.Equal(["last", "line"], (await bench.EventsAsync()).Select(line => line.Body));
    }

    private static string LineMarksOf(string body)
    {
        var marks = LineMarks.None;
        LineText.Clean(System.Text.Encoding.UTF8.GetBytes(body + "x"), 16_384, ref marks);
        return LineText.NamesOf(marks);
    }

    private static void Post(EventBench bench, string body) =>
        bench.Source.Post(new AgentEvent(UnixMillis.Now(bench.Tails.Time), AgentEvent.Information, "test", body));
}
