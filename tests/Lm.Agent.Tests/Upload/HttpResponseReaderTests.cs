using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Lm.Agent.Upload;

namespace Lm.Agent.Tests.Upload;

public sealed class HttpResponseReaderTests
{
    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello", true)]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nhe\r\n3\r\nllo\r\n0\r\nTrailer: 1\r\n\r\n", 200, "hello", true)]
    [InlineData("HTTP/1.1 503 \r\nConnection: close\r\n\r\nhello", 503, "hello", false)]
    [InlineData("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello", false)]
    [InlineData("HTTP/1.1 413 \r\nContent-Length: 9\r\n\r\nhello", 413, "", false)]
    [InlineData("HTTP/1.1 413 \r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", 413, "", false)]
    [InlineData("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", 204, "", true)]
    public async Task An_answer_is_read_whole_however_the_network_cuts_it(string text, int status, string body, bool isKept)
    {
        foreach (var piece in (int[])[1, 2, 7, 4096])
        {
            var response = await ReadAsync(text, piece);

            Assert.Equal((status, body, isKept), (response.Status, Encoding.Latin1.GetString(response.Body), response.IsKept));
        }
    }

    [Fact]
    public async Task A_second_answer_on_the_connection_begins_where_the_first_ended()
    {
        const string Answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab";
        var reader = new HttpResponseReader(new PieceStream(Encoding.Latin1.GetBytes(Answer + Answer.Replace("ab", "cd", StringComparison.Ordinal)), 64));

        Assert.Equal("ab", Encoding.Latin1.GetString((await reader.ReadAsync(CancellationToken.None)).Body));
        Assert.Equal("cd", Encoding.Latin1.GetString((await reader.ReadAsync(CancellationToken.None)).Body));
    }

    [Theory]
    [InlineData("", "ended without an answer")]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n", "status line")]
    [InlineData("HTTP/1.1 2x0 OK\r\n\r\n", "status line")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", "ended within")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "Content-Length")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "Content-Length")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 70000\r\n\r\n", "longer than 65536")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx", "Content-Length")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\nx", "Content-Length")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "both")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", "both")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "other than chunked")]
    [InlineData("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "other than chunked")]
    [InlineData("HTTP/1.1 200 OK\r\n\r\nhello", "without Content-Length")]
    [InlineData("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello", "without Content-Length")]
    [InlineData("HTTP/1.1 200 OK\nContent-Length: 5\r\n\r\nhello", "LF without CR")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5\n\r\nhello", "LF without CR")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\nhello", "LF without CR")]
    [InlineData("HTTP/1.1 200 OK\r\nA: b\rContent-Length: 5\r\n\r\nhello", "control character")]
    [InlineData("HTTP/1.1 200 OK\r\nA: b\0\r\n\r\n", "control character")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\nhello", "no name")]
    [InlineData("HTTP/1.1 200 OK\r\nA: b\r\n Content-Length: 5\r\n\r\nhello", "no name")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n", "LF without CR")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n 5\r\nhello\r\n0\r\n\r\n", "no length")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n000000005\r\nhello\r\n0\r\n\r\n", "no length")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "other than chunked")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "no length")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n", "longer than it says")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFF\r\n", "longer than 65536")]
    [InlineData("HTTP/1.1 200 OK\r\n: x\r\n\r\n", "no name")]
    [InlineData("HTTP/1.1 101 Switching\r\n\r\n", "interim")]
    public async Task What_is_no_bounded_answer_is_refused(string text, string expected)
    {
        var failure = await Assert.ThrowsAsync<HttpFormatException>(() => ReadAsync(text, 5));

        Assert.Contains(expected, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Endless_heads_and_bodies_are_cut_off()
    {
        await Assert.ThrowsAsync<HttpFormatException>(() => ReadAsync("HTTP/1.1 200 " + new string('a', 5000), 4096));
        await Assert.ThrowsAsync<HttpFormatException>(
            () => ReadAsync("HTTP/1.1 200 OK\r\n" + string.Concat(Enumerable.Repeat("a: b\r\n", 200)), 4096));
        Assert.Empty((await ReadAsync("HTTP/1.1 500 Oops\r\n\r\n" + new string('a', 70_000), 4096)).Body);
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 4000, "1;", "\r\nx\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", 4000, "t: ", "\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\n", 4000, "t: ", "\r\n")]
    public async Task However_it_is_framed_an_answer_takes_no_more_than_its_bytes(string head, int size, string before, string after)
    {
        var piece = before + new string('e', size) + after;
        var stream = new PieceStream(Encoding.Latin1.GetBytes(head + string.Concat(Enumerable.Repeat(piece, 100))), 4096);

        await Assert.ThrowsAsync<HttpFormatException>(() => new HttpResponseReader(stream).ReadAsync(CancellationToken.None));

        Assert.True(stream.Position <= HttpInput.AnswerBytesMax, $"{stream.Position} bytes");
    }

    [Fact]
    public void No_bytes_make_it_fail_in_another_way_or_read_on_beyond_its_bounds() =>
        Prop.ForAll(Answers.ToArbitrary(), Gen.Elements(1, 3, 1000, 5000).ToArbitrary(), (bytes, piece) =>
        {
            var stream = new PieceStream(bytes, piece);
            try
            {
                var response = new HttpResponseReader(stream).ReadAsync(CancellationToken.None).GetAwaiter().GetResult();
                Assert.InRange(response.Status, 100, 999);
                Assert.True(response.Body.Length <= HttpResponseReader.BodyBytesMax);
            }
            catch (HttpFormatException)
            {
                // Its own way to fail.
            }

            Assert.True(stream.Position <= HttpInput.AnswerBytesMax);
        }).QuickCheckThrowOnFailure();

    private static readonly string[] Fragments =
    [
        "HTTP/1.1 200 OK\r\n", "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.0 503 \r\n", "HTTP/1.1 ", "200 ", "\r\n", "\r\n\r\n", "\n", "\r", "Content-Length: ", "Content-Length: 5\r\n",
        "Transfer-Encoding: chunked\r\n", "Connection: close\r\n", "5", "0", "0\r\n\r\n", "1;x=y\r\nz\r\n", "ffff\r\n", "99999999999999999999", "-1", "zz", ":", "\0", "é", "hello",
        new('a', 4000), new('b', 70_000), string.Concat(Enumerable.Repeat("t: u\r\n", 90)),
    ];

    // Pieces of answers in any order, most behind a good beginning, and plain noise.
    private static readonly Gen<byte[]> Answers = Gen.Frequency(
        (4, Gen.Elements(Fragments).ArrayOf().Select(pieces => Encoding.Latin1.GetBytes("HTTP/1.1 200 OK\r\n" + string.Concat(pieces)))),
        (2, Gen.Elements(Fragments).ArrayOf().Select(pieces => Encoding.Latin1.GetBytes(string.Concat(pieces)))),
        (1, ArbMap.Default.GeneratorFor<byte[]>()));

    private static Task<HttpResponse> ReadAsync(string text, int piece) =>
        new HttpResponseReader(new PieceStream(Encoding.Latin1.GetBytes(text), piece)).ReadAsync(CancellationToken.None);

    /// <summary>Hands out a few bytes at a time.</summary>
    private sealed class PieceStream(byte[] bytes, int piece) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(piece, buffer.Length)], cancellationToken);
    }
}
