using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Lm.Collector.Tests.Recovery;

/// <summary>A TCP relay before an S3 server that behaves as bad servers and networks do.</summary>
internal sealed class StoreRelay : IAsyncDisposable
{
    // More than the head of an answer, and less than most answers: the body ends in its middle.
    private const int AnswerBytesBeforeCut = 500;

    // The same for requests that put something.
    private const int RequestBytesBeforeCut = 1200;

    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stopping = new();
    private readonly Uri target;
    private readonly Task accepting;
    private readonly Lock gate = new(); // guards mode, lines
    private readonly List<CancellationTokenSource> lines = [];
    private RelayMode mode;

    public StoreRelay(Uri target)
    {
        this.target = target;
        listener.Start();
        accepting = AcceptAsync();
    }

    public Uri Endpoint => new($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}");

    /// <summary>How it behaves; lines that are there are cut.</summary>
    public RelayMode Mode
    {
        set
        {
            lock (gate)
            {
                mode = value;
                lines.ForEach(static line => line.Cancel());
                lines.Clear();
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        listener.Stop();
        await accepting;
        stopping.Dispose();
        listener.Dispose();
    }

    private async Task AcceptAsync()
    {
        List<Task> connections = [];
        try
        {
            while (true)
            {
                var client = await listener.AcceptTcpClientAsync(stopping.Token);
                var line = CancellationTokenSource.CreateLinkedTokenSource(stopping.Token);
                lock (gate)
                {
                    lines.Add(line);
                    connections.Add(ServeAsync(client, mode, line.Token));
                }
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The test is over.
        }

        await Task.WhenAll(connections);
    }

    private async Task ServeAsync(TcpClient client, RelayMode how, CancellationToken cut)
    {
        await Task.Yield();
        using var both = client;
        client.LingerState = new LingerOption(true, 0); // a reset, not an end
        try
        {
            switch (how)
            {
                case RelayMode.IsAway:
                    return;
                case RelayMode.Hangs:
                    await Task.Delay(Timeout.Infinite, cut);
                    return;
                case RelayMode.Answers500:
                    await AnswerAsync(client, "500 Internal Server Error", cut);
                    return;
                case RelayMode.Answers503:
                    await AnswerAsync(client, "503 Slow Down", cut);
                    return;
                default:
                    await RelayAsync(client, how, cut);
                    return;
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or SocketException or ObjectDisposedException)
        {
            // Cut, or the other side went.
        }
    }

    private async Task RelayAsync(TcpClient client, RelayMode how, CancellationToken cut)
    {
        using var server = new TcpClient();
        await server.ConnectAsync(target.Host, target.Port, cut);
        server.LingerState = new LingerOption(true, 0);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cut);
        var up = CopyAsync(client, server, how == RelayMode.CutsRequests ? RequestBytesBeforeCut : long.MaxValue, how == RelayMode.Crawls, either.Token);
        var down = CopyAsync(server, client, how == RelayMode.CutsAnswers ? AnswerBytesBeforeCut : long.MaxValue, how == RelayMode.Crawls, either.Token);
        await Task.WhenAny(up, down);
        await either.CancelAsync();
        await Task.WhenAll(up, down);
    }

    private static async Task CopyAsync(TcpClient from, TcpClient to, long left, bool crawls, CancellationToken cut)
    {
        var buffer = new byte[crawls ? 1024 : 65_536];
        var (source, sink) = (from.GetStream(), to.GetStream());
        while (left > 0 && await source.ReadAsync(buffer, cut) is > 0 and var count)
        {
            await sink.WriteAsync(buffer.AsMemory(0, (int)Math.Min(count, left)), cut);
            left -= count;
            if (crawls)
            {
                await Task.Delay(1, cut);
            }
        }
    }

    // What the client sends is read first: a reset would come before the answer.
    private static async Task AnswerAsync(TcpClient client, string status, CancellationToken cut)
    {
        var stream = client.GetStream();
        var (buffer, text) = (new byte[65_536], new StringBuilder());
        long left = -1;
        while (left != 0 && await stream.ReadAsync(buffer, cut) is > 0 and var count)
        {
            if (left > 0)
            {
                left -= count;
                continue;
            }

            text.Append(Encoding.Latin1.GetString(buffer, 0, count));
            var head = text.ToString();
            if (head.IndexOf("\r\n\r\n", StringComparison.Ordinal) is >= 0 and var end)
            {
                var length = head.Split("\r\n").FirstOrDefault(static line => line.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase));
                var waits = head.Contains("100-continue", StringComparison.OrdinalIgnoreCase);
                left = waits || length is null ? 0 : Math.Max(0, long.Parse(length["Content-Length:".Length..].Trim()) - (head.Length - end - 4));
            }
        }

        client.LingerState = new LingerOption(false, 0);
        await stream.WriteAsync(Encoding.Latin1.GetBytes($"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"), cut);
    }
}

/// <summary>How a relay behaves.</summary>
internal enum RelayMode
{
    Passes,

    /// <summary>Connections are reset at once.</summary>
    IsAway,

    /// <summary>Connections are taken, and nothing comes.</summary>
    Hangs,

    Answers500,

    Answers503,

    /// <summary>Each connection is reset in the middle of an answer.</summary>
    CutsAnswers,

    /// <summary>Each connection is reset in the middle of what is put.</summary>
    CutsRequests,

    /// <summary>A few hundred kilobytes a second.</summary>
    Crawls,
}
