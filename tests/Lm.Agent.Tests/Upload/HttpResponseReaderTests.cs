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
    [InlineData("HTTP/1.0 200 OK\nContent-Length: 5\n\nhello", 200, "hello", false)]
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
        await Assert.ThrowsAsync<HttpFormatException>(() => ReadAsync("HTTP/1.1 200 OK\r\n\r\n" + new string('a', 70_000), 4096));
    }

    [Fact]
    public void No_bytes_make_it_fail_in_another_way() =>
        Prop.ForAll(
            Gen.Elements("HTTP/1.1 ", "200 ", "\r\n", "\n", "Content-Length: ", "Transfer-Encoding: chunked", "5", "0", "zz", ":", "\0", "ff").ArrayOf().ToArbitrary(),
            pieces =>
            {
                try
                {
                    return ReadAsync(string.Concat(pieces), 3).GetAwaiter().GetResult().Status >= 100;
                }
                catch (HttpFormatException)
                {
                    return true;
                }
            }).QuickCheckThrowOnFailure();

    private static Task<HttpResponse> ReadAsync(string text, int piece) =>
        new HttpResponseReader(new PieceStream(Encoding.Latin1.GetBytes(text), piece)).ReadAsync(CancellationToken.None);

    /// <summary>Hands out a few bytes at a time.</summary>
    private sealed class PieceStream(byte[] bytes, int piece) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(piece, buffer.Length)], cancellationToken);
    }
}
