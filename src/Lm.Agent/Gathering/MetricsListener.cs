using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Lm.Agent.Exposition;
using Microsoft.Extensions.Logging;

namespace Lm.Agent.Gathering;

/// <summary>Serves <c>GET /metrics</c> on a loopback address: the last tick, for pull-based set-ups.</summary>
/// <remarks>
/// One request a connection, at most <see cref="ConnectionsMax"/> at a time, each for at most <see cref="Patience"/>. A request must name this host or an address of it as its host,
/// so that no page in somebody's browser can read it through a name of its own. Source: RFC 9112.
/// </remarks>
internal sealed class MetricsListener : IAsyncDisposable
{
    /// <summary>Connections that are answered at a time; others wait to be accepted.</summary>
    public const int ConnectionsMax = 4;

    /// <summary>How long a client may take.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private const int HeadBytesMax = 8 << 10;

    private readonly Func<string> render;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly Socket listener;
    private readonly CancellationTokenSource stop = new();
    private readonly SemaphoreSlim room = new(ConnectionsMax);
    private readonly Task accepting;

    private MetricsListener(Socket listener, Func<string> render, TimeProvider time, ILogger logger)
    {
        (this.listener, this.render, this.time, this.logger) = (listener, render, time, logger);
        accepting = AcceptAsync();
    }

    /// <summary>Begins to listen.</summary>
    /// <param name="address">A loopback address.</param>
    /// <param name="render">Makes the text; called for each request.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Where events go.</param>
    /// <param name="fault">Why it cannot, when the result is null.</param>
    public static MetricsListener? TryStart(IPEndPoint address, Func<string> render, TimeProvider time, ILogger logger, out string fault)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(address);
            socket.Listen(ConnectionsMax);
            fault = "";
            return new MetricsListener(socket, render, time, logger);
        }
        catch (SocketException failure)
        {
            socket.Dispose();
            fault = failure.Message;
            return null;
        }
    }

    /// <summary>The address that it listens at.</summary>
    public IPEndPoint Address => (IPEndPoint)listener.LocalEndPoint!;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        listener.Dispose();
        await accepting;
        for (var i = 0; i < ConnectionsMax; i++)
        {
            await room.WaitAsync(CancellationToken.None); // each answer under way sees the stop at once
        }

        room.Dispose();
        stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await room.WaitAsync(stop.Token);
                Socket? client = null;
                try
                {
                    client = await listener.AcceptAsync(stop.Token);
                }
                finally
                {
                    if (client is null)
                    {
                        room.Release();
                    }
                }

                _ = AnswerAndReleaseAsync(client);
            }
            catch (Exception failure) when (failure is SocketException or OperationCanceledException or ObjectDisposedException && stop.IsCancellationRequested)
            {
                return;
            }
            catch (SocketException failure)
            {
                // Too many open files, or a client that went before it was accepted.
                GatherLog.AcceptFailed(logger, failure.Message);
                await Task.Delay(TimeSpan.FromMilliseconds(100), time, CancellationToken.None);
            }
        }
    }

    private async Task AnswerAndReleaseAsync(Socket client)
    {
        try
        {
            using (client)
            using (var timeout = new CancellationTokenSource(Patience, time))
            using (var linked = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, stop.Token))
            {
                await AnswerAsync(client, linked.Token);
            }
        }
        catch (Exception failure) when (failure is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // The client's loss.
        }
        finally
        {
            room.Release();
        }
    }

    private async Task AnswerAsync(Socket client, CancellationToken cancellationToken)
    {
        var head = await ReadHeadAsync(client, cancellationToken);
        var (status, isHead) = Judge(head, Address);
        var body = Encoding.UTF8.GetBytes(status == 200 ? render() : $"{status}\n");
        var type = status == 200 ? ExpositionWriter.MediaType : "text/plain; charset=utf-8";
        var answer = Encoding.ASCII.GetBytes(string.Create(
            CultureInfo.InvariantCulture,
            $"HTTP/1.1 {status} {ReasonOf(status)}\r\nContent-Type: {type}\r\nContent-Length: {body.Length}\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n"));
        await SendAsync(client, answer, cancellationToken);
        if (!isHead)
        {
            await SendAsync(client, body, cancellationToken);
        }

        client.Shutdown(SocketShutdown.Send);
        // Until the client has closed: what it sent and was not read would make this end's close a reset, which destroys the answer on its way.
        var rest = new byte[512];
        for (var left = HeadBytesMax; left > 0 && await client.ReceiveAsync(rest, cancellationToken) is > 0 and var count; left -= count)
        {
        }
    }

    private static async Task<string> ReadHeadAsync(Socket client, CancellationToken cancellationToken)
    {
        var buffer = new byte[HeadBytesMax];
        var length = 0;
        while (length < buffer.Length)
        {
            var count = await client.ReceiveAsync(buffer.AsMemory(length), cancellationToken);
            length += count;
            var end = buffer.AsSpan(0, length).IndexOf("\r\n\r\n"u8);
            if (end >= 0)
            {
                return Encoding.Latin1.GetString(buffer, 0, end);
            }

            if (count == 0)
            {
                break;
            }
        }

        return "";
    }

    /// <summary>What a request is answered with.</summary>
    /// <param name="head">Request line and headers, without the empty line; empty for one that is too long or cut.</param>
    /// <param name="address">The listener's.</param>
    internal static (int Status, bool IsHead) Judge(string head, IPEndPoint address)
    {
        var lines = head.Split("\r\n");
        var words = lines[0].Split(' ');
        if (words is not [var method, var target, "HTTP/1.1" or "HTTP/1.0"])
        {
            return (400, false);
        }

        var isHead = method == "HEAD";
        var hosts = lines.Skip(1).Where(line => line.StartsWith("Host:", StringComparison.OrdinalIgnoreCase)).Select(line => line["Host:".Length..].Trim()).ToList();
        if (hosts is not [var host] || !IsThisHost(host, address))
        {
            return (403, isHead);
        }

        var path = target.Split('?')[0];
        return path != "/metrics" ? (404, isHead) : method is "GET" or "HEAD" ? (200, isHead) : (405, isHead);
    }

    private static bool IsThisHost(string host, IPEndPoint address)
    {
        var colon = host.LastIndexOf(':');
        var name = colon > host.LastIndexOf(']') ? host[..colon] : host;
        return name.Equals("localhost", StringComparison.OrdinalIgnoreCase)
            || (IPAddress.TryParse(name.Trim('[', ']'), out var named) && (IPAddress.IsLoopback(named) || named.Equals(address.Address)));
    }

    private static string ReasonOf(int status) => status switch
    {
        200 => "OK",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        _ => "Method Not Allowed",
    };

    private static async Task SendAsync(Socket client, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[await client.SendAsync(bytes, cancellationToken)..];
        }
    }
}
