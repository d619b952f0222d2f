using System.Net;
using System.Net.Sockets;
using System.Text;
using Lm.Agent.Gathering;

namespace Lm.Agent.Tests.Gathering;

public sealed class MetricsListenerTests
{
    private static readonly CancellationToken Cancelled = TestContext.Current.CancellationToken;
    private static readonly IPEndPoint Loopback = new(IPAddress.Loopback, 9101);

    private readonly RecordingLogger logger = new();

    [Fact]
    public async Task The_text_is_served_and_the_connection_closed()
    {
        await using var listener = Start();

        var answer = await AskAsync(listener, "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: 4\r\n", answer, StringComparison.Ordinal);
        Assert.EndsWith("\r\n\r\nup 1", answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:9101", 200, false)]
    [InlineData("GET /metrics?name=x HTTP/1.0\r\nhost: [::1]:9101", 200, false)]
    [InlineData("HEAD /metrics HTTP/1.1\r\nHost: LOCALHOST:1", 200, true)]
    [InlineData("GET / HTTP/1.1\r\nHost: localhost", 404, false)]
    [InlineData("POST /metrics HTTP/1.1\r\nHost: localhost", 405, false)]
    [InlineData("GET /metrics HTTP/1.1\r\nHost: evil.example", 403, false)]
    [InlineData("GET /metrics HTTP/1.1\r\nHost: localhost\r\nHost: evil.example", 403, false)]
    [InlineData("GET /metrics HTTP/1.1", 403, false)]
    [InlineData("GET /metrics HTTP/2", 400, false)]
    [InlineData("GET  /metrics HTTP/1.1\r\nHost: localhost", 400, false)]
    [InlineData("", 400, false)]
    public void A_request_is_judged_by_its_line_and_its_host(string head, int status, bool isHead) =>
        Assert.Equal((status, isHead), MetricsListener.Judge(head, Loopback));

    [Fact]
    public async Task Clients_that_say_nothing_or_too_much_hold_nobody_else_up_for_long()
    {
        await using var listener = Start();
        using var flood = await ConnectAsync(listener);
        await flood.SendAsync(new byte[20_000], Cancelled);
        using var silent = await ConnectAsync(listener);
        using var half = await ConnectAsync(listener);
        await half.SendAsync("GET /met"u8.ToArray(), Cancelled);

        var answer = await AskAsync(listener, "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");

        Assert.Contains("200 OK", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_address_that_is_taken_is_told()
    {
        await using var first = Start();

        Assert.Null(MetricsListener.TryStart(first.Address, () => "", TimeProvider.System, logger, out var fault));

        Assert.NotEqual("", fault);
    }

    private MetricsListener Start()
    {
        var listener = MetricsListener.TryStart(new IPEndPoint(IPAddress.Loopback, 0), () => "up 1", TimeProvider.System, logger, out var fault);
        Assert.Equal("", fault);
        return listener!;
    }

    private static async Task<Socket> ConnectAsync(MetricsListener listener)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(listener.Address, Cancelled);
        return socket;
    }

    private static async Task<string> AskAsync(MetricsListener listener, string request)
    {
        using var socket = await ConnectAsync(listener);
        await socket.SendAsync(Encoding.ASCII.GetBytes(request), Cancelled);
        socket.Shutdown(SocketShutdown.Send);
        var answer = new MemoryStream();
        var buffer = new byte[4096];
        while (await socket.ReceiveAsync(buffer, Cancelled) is > 0 and var count)
        {
            answer.Write(buffer, 0, count);
        }

        return Encoding.UTF8.GetString(answer.ToArray());
    }
}
