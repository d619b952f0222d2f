using System.Net;
using System.Net.Sockets;
using System.Text;
using Lm.Agent.Gathering;
using Lm.Agent.Scrapes;
using Lm.Agent.Settings;
using Lm.Protocol;

namespace Lm.Agent.Tests.Scrapes;

/// <summary>Scrapes against a listener that answers whatever a test says.</summary>
public sealed class ScrapeTests : IDisposable
{
    private static readonly CancellationToken Cancelled = TestContext.Current.CancellationToken;

    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly RecordingLogger logger = new();
    private string request = "";

    public ScrapeTests() => listener.Start();

    public void Dispose() => listener.Dispose();

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\na 1\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\na \r\n2\r\n1\n\r\n0\r\n\r\n")]
    [InlineData("HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\na 1\n")]
    public async Task A_target_gives_its_samples_and_that_it_is_up(string answer)
    {
        var (fault, samples) = await ReadAsync(answer);

        Assert.Equal("", fault);
        Assert.Equal(["a=1", "up=1", "scrape_samples_scraped=1", "scrape_samples_post_metric_relabeling=1"], samples);
        Assert.StartsWith("GET /metrics?x=1 HTTP/1.1\r\nHost: 127.0.0.1:", request, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", "it answered 500")]
    [InlineData("HTTP/1.1 302 Found\r\nLocation: http://other/\r\nContent-Length: 0\r\n\r\n", "it answered 302")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>", "line 1: it does not begin with a metric's name")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\na 1\n", "the connection ended within the answer's body")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", "the answer's body is longer than 100000 bytes")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFF\r\n", "the answer's body is longer than 100000 bytes")]
    [InlineData("garbage\r\n\r\n", "the answer does not begin with an HTTP/1.1 status line")]
    [InlineData("", "the connection ended without an answer")]
    public async Task A_target_that_answers_otherwise_is_down_and_why_is_told(string answer, string expected)
    {
        var (fault, samples) = await ReadAsync(answer);

        Assert.Equal(expected, fault);
        Assert.Equal(["up=0", "scrape_samples_scraped=0", "scrape_samples_post_metric_relabeling=0"], samples);
    }

    [Fact]
    public async Task A_body_without_end_is_cut_off()
    {
        var serving = ServeAsync(async stream =>
        {
            await stream.WriteAsync("HTTP/1.1 200 OK\r\n\r\n"u8.ToArray(), Cancelled);
            var flood = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("a 1\n", 10_000)));
            for (var i = 0; i < 1000; i++)
            {
                await stream.WriteAsync(flood, Cancelled);
            }
        });

        Assert.Equal("the answer's body is longer than 100000 bytes", await NewScrape().ReadAsync(Cancelled));
        await Assert.ThrowsAnyAsync<IOException>(() => serving);
    }

    [Fact]
    public async Task A_target_that_hangs_is_given_up_after_its_time()
    {
        var serving = ServeAsync(stream => stream.ReadAsync(new byte[1], Cancelled).AsTask());
        var scrape = NewScrape(TimeSpan.FromMilliseconds(200));

        Assert.Equal("no whole answer within 200 ms", await scrape.ReadAsync(Cancelled));

        await serving;
        Assert.Equal(0, Assert.Single(scrape.Outlet.Last!.Samples, sample => sample.Metric.Name == "up").Value);
    }

    [Fact]
    public async Task A_target_that_nobody_listens_at_is_down()
    {
        var scrape = NewScrape();
        listener.Stop();

        Assert.Contains("refused", await scrape.ReadAsync(Cancelled), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Series_of_a_target_that_goes_down_end()
    {
        var scrape = NewScrape();
        await AnswerAsync("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\na 1\n", scrape);
        await AnswerAsync("HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", scrape);

        Assert.Equal(["a"], scrape.Outlet.Last!.Ended.Select(ended => ended.Metric.Name));
    }

    [Fact]
    public async Task An_answer_that_is_bad_in_its_last_line_makes_no_series_and_no_stale_markers_of_its_own()
    {
        var scrape = NewScrape();
        foreach (var request in new[] { "1", "2" })
        {
            var body = $"a{{request=\"{request}\"}} 1\n<html>\n";
            await AnswerAsync($"HTTP/1.1 200 OK\r\nContent-Length: {body.Length}\r\n\r\n{body}", scrape);

            var harvest = scrape.Outlet.Last!;
            Assert.DoesNotContain(harvest.Samples, sample => sample.Metric.Name == "a");
            Assert.Empty(harvest.Ended);
        }
    }

    [Fact]
    public async Task A_token_is_sent_and_never_told()
    {
        var settings = Settings() with { Token = new Secret("s3cret") };
        var scrape = new Scrape(settings, TimeProvider.System, logger);

        await AnswerAsync("HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n", scrape);

        Assert.Contains("Authorization: Bearer s3cret\r\n", request, StringComparison.Ordinal);
    }

    private async Task<(string Fault, List<string> Samples)> ReadAsync(string answer)
    {
        var scrape = NewScrape();
        var fault = await AnswerAsync(answer, scrape);
        return (fault, [.. scrape.Outlet.Last!.Samples.Where(sample => sample.Metric.Name != "scrape_duration_seconds").Select(sample => $"{sample.Metric.Name}={sample.Value}")]);
    }

    private async Task<string> AnswerAsync(string answer, Scrape scrape)
    {
        var serving = ServeAsync(stream => stream.WriteAsync(Encoding.ASCII.GetBytes(answer), Cancelled).AsTask());
        var fault = await scrape.ReadAsync(Cancelled);
        await serving;
        return fault;
    }

    private async Task ServeAsync(Func<NetworkStream, Task> answer)
    {
        using var client = await listener.AcceptTcpClientAsync(Cancelled);
        await using var stream = client.GetStream();
        var head = new byte[4096];
        request = Encoding.ASCII.GetString(head, 0, await stream.ReadAsync(head, Cancelled));
        await answer(stream);
    }

    private Scrape NewScrape(TimeSpan? timeout = null) => new(Settings() with { Timeout = timeout ?? TimeSpan.FromSeconds(30) }, TimeProvider.System, logger);

    private ScrapeSettings Settings() => new("app", new Uri($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/metrics?x=1"))
    {
        Interval = TimeSpan.FromMinutes(1),
        Timeout = TimeSpan.FromSeconds(30),
        BodyBytesMax = 100_000,
        Rules = new SeriesRules(1000, [new Label("scrape", "app")], []),
    };
}
