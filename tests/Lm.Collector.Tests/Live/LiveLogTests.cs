using Lm.Collector.Tests.Query;
using Lm.Collector.Tests.Series;
using Lm.Platform;
using Lm.Protocol;

namespace Lm.Collector.Tests.Live;

public sealed class LiveLogTests
{
    private const long Now = 1_767_225_600_000; // 2026-01-01
    private const string Hostile = "<b>\u001b[31m\u202e\0</b>";

    [Fact]
    public async Task A_line_is_told_as_a_search_would_give_it()
    {
        await using var listener = await PrivateListener.StartAsync();
        await using var stream = await EventStream.OpenAsync(listener, "?query={input=\"syslog\"}");
        await stream.GreetedAsync();
        var batch = new BatchMaker("web1") { CommonLabels = [new Label("site", "b")], Logs = { Line(Hostile, new Label("input", "syslog"), new Label("pid", "7")) } }.With("a", 1, Now).Make();

        listener.Feed(batch);

        var told = await stream.NextAsync();
        Assert.Equal("log", told.Name);
        Assert.Equal(
            $$$"""{"ts":{{{Now}}},"id":"{{{Now}}}.{{{batch.Batch.Key.QueueId}}}.1.0.web1","stream":{"input":"syslog","instance":"web1","severity":"info","site":"b"},"attrs":{"pid":"7"},"labels":{},"line":""",
            told.Data.GetRawText()[..told.Data.GetRawText().IndexOf("\"<b>", StringComparison.Ordinal)]);
        Assert.Equal(Hostile, told.Text("line"));
        Assert.Equal("batch", (await stream.NextAsync()).Name); // and no sample: nobody asked for one
    }

    [Fact]
    public async Task Lines_pass_the_whole_query()
    {
        await using var listener = await PrivateListener.StartAsync();
        await using var stream = await EventStream.OpenAsync(listener, "?query=" + Uri.EscapeDataString("{instance=\"web1\"} |= \"timeout\" | json | status >= 500 | line_format \"{{.status}}\""));
        await stream.GreetedAsync();

        listener.Feed(new BatchMaker("web2") { Logs = { Line("{\"m\":\"timeout\",\"status\":503}") } }.Make(Now));
        listener.Feed(new BatchMaker("web1") { Logs = { Line("{\"m\":\"timeout\"}"), Line("{\"m\":\"timeout\",\"status\":404}"), Line("{\"m\":\"timeout\",\"status\":503}"), Line("{\"status\":503}") } }.Make(Now));

        Assert.Equal("batch", (await stream.NextAsync()).Name);
        var told = await stream.NextAsync();
        Assert.Equal("503", told.Text("line"));
        Assert.Equal("timeout", told.Data.GetProperty("labels").GetProperty("m").GetString());
        Assert.Equal("batch", (await stream.NextAsync()).Name);
    }

    [Fact]
    public async Task Lines_that_the_verdict_leaves_out_are_not_told()
    {
        await using var listener = await PrivateListener.StartAsync();
        await using var stream = await EventStream.OpenAsync(listener, "?events=log");
        await stream.GreetedAsync();

        listener.Feed(new BatchMaker { Logs = { Line("dropped"), Line("taken"), Line("too old") with { Time = new UnixMillis(Now - 5000) }, Line("last") } }
            .Make(Now, oldestAccepted: Now - 1000, droppedLogs: [0]));

        Assert.Equal("taken", (await stream.NextAsync()).Text("line"));
        Assert.Equal("last", (await stream.NextAsync()).Text("line"));
    }

    [Theory]
    [InlineData("", true, true)]
    [InlineData("?match[]=a", true, false)]
    [InlineData("?query={instance=\"web1\"}", false, true)]
    [InlineData("?query={instance=\"web1\"}&match[]=a", true, true)]
    public async Task Who_names_lines_or_series_alone_is_not_told_the_others(string query, bool samples, bool lines)
    {
        await using var listener = await PrivateListener.StartAsync();
        await using var stream = await EventStream.OpenAsync(listener, query);
        await stream.GreetedAsync();

        listener.Feed(new BatchMaker("web1") { Logs = { Line("hello") } }.With("a", 1, Now).Make());

        var told = new List<string>();
        do
        {
            told.Add((await stream.NextAsync()).Name);
        }
        while (told[^1] != "batch");
        Assert.Equal((samples, lines), (told.Contains("sample"), told.Contains("log")));
    }

    [Fact]
    public async Task Who_comes_back_within_a_batch_hears_its_other_lines_once()
    {
        await using var listener = await PrivateListener.StartAsync();
        var stream = await EventStream.OpenAsync(listener, "?events=log&query={instance=\"web1\"}|=\"x\"");
        await stream.GreetedAsync();
        listener.Feed(new BatchMaker("web1") { Logs = { Line("x1"), Line("y"), Line("x2"), Line("x3") } }.With("a", 1, Now).Make());
        Assert.Equal("x1", (await stream.NextAsync()).Text("line"));
        await stream.DisposeAsync();

        await using var again = await EventStream.OpenAsync(listener, "?events=log&query={instance=\"web1\"}|=\"x\"", stream.LastId);

        Assert.Equal("x2", (await again.NextAsync()).Text("line"));
        Assert.Equal("x3", (await again.NextAsync()).Text("line"));
    }

    [Fact]
    public async Task What_a_query_makes_of_a_batch_is_bounded_and_the_rest_is_told_as_missed()
    {
        await using var listener = await PrivateListener.StartAsync();
        var query = "{instance=\"web1\"} | line_format \"{{ repeat 50000 `x` }}\"";
        await using var stream = await EventStream.OpenAsync(listener, "?events=log,batch&query=" + Uri.EscapeDataString(query));
        await stream.GreetedAsync();

        var batch = new BatchMaker("web1");
        batch.Logs.AddRange(Enumerable.Repeat(Line("short"), 3000));
        listener.Feed(batch.Make(Now));

        var lines = 0;
        var told = await stream.NextAsync();
        for (; told.Name == "log"; told = await stream.NextAsync())
        {
            lines++;
        }

        Assert.Equal("batch", told.Name);
        told = await stream.NextAsync();
        Assert.Equal(("lagged", "lines"), (told.Name, told.Text("of")));
        Assert.InRange(lines, 10, 100);
        Assert.Equal(3000, lines + told.Data.GetProperty("missed").GetInt32());
    }

    private static LogRecord Line(string body, params Label[] attributes) => new(new UnixMillis(Now), 9, body, attributes);
}
