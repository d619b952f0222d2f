using System.Globalization;
using System.Text;
using Lm.Collector.Query;
using Lm.Collector.Tests.Series;
using Lm.TestKit;
using Microsoft.AspNetCore.Http;
using Label = Lm.Protocol.Label;

namespace Lm.Collector.Tests.Query;

public sealed class QuickQueriesTests
{
    [Theory]
    [InlineData("GET", "/api/v1/query", "?query=x", true)]
    [InlineData("GET", "/base/api/v1/query", "?query=x", true)]
    [InlineData("GET", "/api/v1/query", "?query=x&time=1767323045", true)]
    [InlineData("GET", "/api/v1/query", "?query=x&time=1767312246.5", true)]
    [InlineData("GET", "/api/v1/query", "?query=x&time=1767312245", false)] // three hours
    [InlineData("GET", "/api/v1/query", "?query=x&time=2026-01-02T03:04:05Z", false)]
    [InlineData("GET", "/api/v1/query", "?query=y", false)]
    [InlineData("GET", "/api/v1/query", "?query=long", false)]
    [InlineData("GET", "/api/v1/query", "", false)]
    [InlineData("POST", "/api/v1/query", "?query=x", false)]
    [InlineData("GET", "/api/v1/query_range", "?query=x", false)]
    public void Known_are_instant_queries_of_recent_times_that_were_quick(string method, string path, string query, bool expected)
    {
        var quick = new QuickQueries(new ManualTime());
        quick.Note("x", TimeSpan.FromMicroseconds(200));
        quick.Note("y", TimeSpan.FromMicroseconds(100));
        quick.Note("y", TimeSpan.FromMicroseconds(201));
        var text = new string('x', 513);
        quick.Note(text, TimeSpan.Zero);
        var context = new DefaultHttpContext { Request = { Method = method, Path = path, QueryString = new QueryString(query.Replace("long", text, StringComparison.Ordinal)) } };

        Assert.Equal(expected, quick.Has(context.Request));
    }

    [Fact]
    public void No_more_than_a_thousand_or_so_are_remembered()
    {
        var quick = new QuickQueries(new ManualTime());
        for (var i = 0; i < 1025; i++)
        {
            quick.Note($"x{i}", TimeSpan.Zero);
        }

        Assert.Equal([1024], Enumerable.Range(0, 1025).Where(i => quick.Has(new DefaultHttpContext { Request = { Method = "GET", Path = "/api/v1/query", QueryString = new QueryString($"?query=x{i}") } }.Request)));
    }

    [Fact]
    public async Task What_was_quick_is_answered_where_its_bytes_came_in_and_what_has_become_slow_is_not()
    {
        await using var listener = await PrivateListener.StartAsync(TimeProvider.System);
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
        listener.Feed(new BatchMaker().With("x", 1, now).Make());
        var isElsewhere = false;
        listener.Wait = _ =>
        {
            isElsewhere = Thread.CurrentThread.IsThreadPoolThread;
            return ValueTask.CompletedTask;
        };

        Assert.True(SpinWait.SpinUntil(() => (Ask(listener), isElsewhere) == ("1", false), TimeSpan.FromSeconds(20)), "it was never answered in place"); // the first ones take longer: code is being compiled

        const int many = 60_000;
        for (var i = 0; i < many; i += 100)
        {
            var batch = new BatchMaker($"web{i + 2}");
            for (var j = 0; j < 100; j++)
            {
                batch.With("x", 1, now, new Label("n", $"{j}"));
            }

            listener.Feed(batch.Make());
        }

        Assert.Equal((many + 1).ToString(CultureInfo.InvariantCulture), Ask(listener, out var hasLeft));
        Assert.False(isElsewhere); // it was still taken for quick, and begun in place
        Assert.True(hasLeft);
        Ask(listener);
        Assert.True(isElsewhere);
    }

    /// <summary>Asks on a thread that is not the pool's, as those that wait for sockets are not.</summary>
    private static string Ask(PrivateListener listener) => Ask(listener, out _);

    private static string Ask(PrivateListener listener, out bool isWrittenElsewhere)
    {
        var body = new WatchedStream();
        var context = new DefaultHttpContext
        {
            Request = { Method = "GET", Path = "/api/v1/query", QueryString = new QueryString("?query=sum(x)"), Host = new HostString("127.0.0.1", 18080), Headers = { Authorization = "Bearer " + PrivateListener.Token } },
            Response = { Body = body },
        };
        var thread = new Thread(() => listener.Endpoints.HandleAsync(context).Wait());
        thread.Start();
        thread.Join();
        var text = Encoding.UTF8.GetString(body.ToArray());
        Assert.Equal(200, context.Response.StatusCode);
        isWrittenElsewhere = body.IsFromPool;
        return System.Text.Json.JsonDocument.Parse(text).RootElement.GetProperty("data").GetProperty("result")[0].GetProperty("value")[1].GetString()!;
    }

    private sealed class WatchedStream : MemoryStream
    {
        public bool IsFromPool { get; private set; }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            IsFromPool = Thread.CurrentThread.IsThreadPoolThread;
            return base.WriteAsync(buffer, cancellationToken);
        }
    }
}
