using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Lm.Console.Tests;

/// <summary>A proxy that passes everything on but streams of events: those it gathers, as some do.</summary>
internal sealed class HoldingProxy : IAsyncDisposable
{
    private static readonly byte[] Mark = Encoding.ASCII.GetBytes("text/event-stream");

    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stopping = new();
    private readonly Task accepting;
    private readonly int port;

    /// <param name="port">Where it passes requests on to, on loopback.</param>
    public HoldingProxy(int port)
    {
        this.port = port;
        listener.Start();
        Address = new Uri($"http://{listener.LocalEndpoint}");
        accepting = AcceptAsync();
    }

    /// <summary>Its own address.</summary>
    public Uri Address { get; }

    /// <summary>Whether new streams are held back.</summary>
    public bool IsHolding { get; set; } = true;

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        listener.Dispose();
        await accepting;
        stopping.Dispose();
    }

    private async Task AcceptAsync()
    {
        List<Task> connections = [];
        try
        {
            while (true)
            {
                connections.Add(PassAsync(await listener.AcceptTcpClientAsync(stopping.Token)));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(connections);
        }
    }

    private async Task PassAsync(TcpClient client)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(stopping.Token);
        using (client)
        using (var server = new TcpClient())
        {
            try
            {
                await server.ConnectAsync(IPAddress.Loopback, port, ended.Token);
                await Task.WhenAny(CopyAsync(client.GetStream(), server.GetStream(), isAnswer: false, ended.Token), CopyAsync(server.GetStream(), client.GetStream(), isAnswer: true, ended.Token));
            }
            catch (Exception e) when (e is OperationCanceledException or IOException or SocketException)
            {
                // One of the two has gone.
            }

            await ended.CancelAsync();
        }
    }

    private async Task CopyAsync(NetworkStream from, NetworkStream to, bool isAnswer, CancellationToken cancellationToken)
    {
        var buffer = new byte[64 << 10];
        var isHeld = false;
        int count;
        while ((count = await from.ReadAsync(buffer, cancellationToken)) > 0)
        {
            isHeld |= isAnswer && IsHolding && buffer.AsSpan(0, count).IndexOf(Mark) >= 0;
            if (!isHeld)
            {
                await to.WriteAsync(buffer.AsMemory(0, count), cancellationToken);
            }
        }
    }
}
