using System.IO.Compression;
using System.Net;
using System.Text;
using Lm.Collector.Listeners;
using Lm.Collector.Tests.Series;
using Microsoft.AspNetCore.Http;

namespace Lm.Collector.Tests.Query;

public sealed class GzipAnswersTests
{
    private const long Now = 1_767_323_045_000; // ManualTime's start

    [Theory]
    [InlineData("/api/v1/query_range?query=x&start=1767323045&end=1767323345&step=2")]
    [InlineData("/api/v1/agents")]
    [InlineData("/metrics")]
    public async Task What_a_client_accepts_as_gzip_is_the_same_when_inflated(string path)
    {
        await using var listener = await PrivateListener.StartAsync();
        listener.Feed(new BatchMaker("web1").With("x", 1.5, Now).Make(Now));

        var plain = await SendAsync(listener, path, null);
        var gzip = await SendAsync(listener, path, "br, gzip;q=0.5");

        Assert.Equal(("", "Accept-Encoding"), (plain.Encoding, plain.Vary));
        Assert.Equal(("gzip", "Accept-Encoding"), (gzip.Encoding, gzip.Vary));
        Assert.Equal(WithoutProcess(Encoding.UTF8.GetString(plain.Body)), WithoutProcess(Inflate(gzip.Body)));
    }

    [Fact]
    public async Task A_file_of_the_console_leaves_in_the_smallest_form_that_the_client_takes()
    {
        await using var listener = await PrivateListener.StartAsync();
        var path = PrivateListener.AssetPath(".js");

        var plain = await SendAsync(listener, path, null);
        var gzip = await SendAsync(listener, path, "gzip");
        var brotli = await SendAsync(listener, path, "gzip, deflate, br, zstd");

        Assert.Equal(("", "Accept-Encoding"), (plain.Encoding, plain.Vary));
        Assert.Equal(("gzip", "Accept-Encoding"), (gzip.Encoding, gzip.Vary));
        Assert.Equal(("br", "Accept-Encoding"), (brotli.Encoding, brotli.Vary));
        Assert.Equal(Encoding.UTF8.GetString(plain.Body), Inflate(gzip.Body));
        using var reader = new StreamReader(new BrotliStream(new MemoryStream(brotli.Body), CompressionMode.Decompress));
        Assert.Equal(Encoding.UTF8.GetString(plain.Body), await reader.ReadToEndAsync(TestContext.Current.CancellationToken));
        Assert.True(brotli.Body.Length < gzip.Body.Length);
    }

    [Theory]
    [InlineData("gzip;q=0")]
    [InlineData("identity")]
    [InlineData("br")]
    [InlineData("*, gzip;q=0")]
    [InlineData(";;;")]
    public async Task Who_does_not_accept_gzip_does_not_get_it(string accept)
    {
        await using var listener = await PrivateListener.StartAsync();

        Assert.Equal("", (await SendAsync(listener, "/metrics", accept)).Encoding);
    }

    [Theory]
    [InlineData("/healthz")]
    [InlineData("/readyz")]
    [InlineData("/api/v1/query?query=1")]
    [InlineData("/nothing")]
    public async Task A_short_answer_stays_plain(string path)
    {
        await using var listener = await PrivateListener.StartAsync();

        Assert.Equal("", (await SendAsync(listener, path, "gzip")).Encoding);
    }

    [Fact]
    public async Task A_file_that_the_browser_has_is_304_whichever_way_it_came()
    {
        await using var listener = await PrivateListener.StartAsync();
        using var first = await listener.SendAsync(HttpMethod.Get, PrivateListener.AssetPath(".css"), null, null, ("Accept-Encoding", "gzip"));

        using var again = await listener.SendAsync(HttpMethod.Get, PrivateListener.AssetPath(".css"), null, null, ("If-None-Match", first.Headers.ETag!.ToString()), ("Accept-Encoding", "gzip"));

        Assert.True(first.Headers.ETag.IsWeak);
        Assert.Equal(HttpStatusCode.NotModified, again.StatusCode);
        Assert.Empty(await again.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("application/json", true)]
    [InlineData("text/plain; version=0.0.4; charset=utf-8", true)]
    [InlineData("text/event-stream", false)]
    [InlineData("application/octet-stream", false)]
    [InlineData(null, false)]
    public void A_stream_of_events_is_never_compressed(string? type, bool expected)
    {
        var context = new DefaultHttpContext { Response = { ContentType = type } };
        context.Request.Headers.AcceptEncoding = "gzip";

        Assert.Equal(expected, new GzipAnswers().ShouldCompressResponse(context));
    }

    private static async Task<(string Encoding, string Vary, byte[] Body)> SendAsync(PrivateListener listener, string path, string? accept)
    {
        using var answer = accept is null
            ? await listener.SendAsync(HttpMethod.Get, path)
            : await listener.SendAsync(HttpMethod.Get, path, PrivateListener.Token, null, ("Accept-Encoding", accept));
        var body = await answer.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken);
        return (answer.Content.Headers.ContentEncoding.SingleOrDefault() ?? "", string.Join(',', answer.Headers.Vary), body);
    }

    private static string Inflate(byte[] body)
    {
        using var reader = new StreamReader(new GZipStream(new MemoryStream(body), CompressionMode.Decompress));
        return reader.ReadToEnd();
    }

    // Values that differ from one moment to the next.
    private static string WithoutProcess(string text) =>
        string.Join('\n', text.Split('\n').Where(line => !line.Contains("process_", StringComparison.Ordinal) && !line.Contains("lm_collector_", StringComparison.Ordinal)));
}
