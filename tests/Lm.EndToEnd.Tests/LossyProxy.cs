using System.Net;
using System.Net.Sockets;

namespace Lm.EndToEnd.Tests;

/// <summary>A TCP relay in front of the collector that can lose what the collector answers: the batch arrives, its acknowledgement does not.</summary>
internal sealed class LossyProxy : IAsyncDisposable
{
    // A TLS 1.3 handshake's server flight is well under this; an answer to a batch comes in a record after it.
    private const int ClientBytesBeforeLoss = 3000;

    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stopping = new();
    private readonly IPEndPoint target;
    private readonly Task accepting;
    private volatile bool losesAnswers;

    public LossyProxy(int targetPort)
    {
        target = new IPEndPoint(IPAddress.Loopback, targetPort);
        listener.Start();
        accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    /// <summary>Whether a connection is cut when the collector speaks after a whole batch was sent to it.</summary>
    public bool LosesAnswers
    {
        get => losesAnswers;
        set => losesAnswers = value;
    }

    /// <summary>Answers lost so far.</summary>
    public int LostCount { get; private set; }

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
                connections.Add(RelayAsync(await listener.AcceptTcpClientAsync(stopping.Token)));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The test is over.
        }

        await Task.WhenAll(connections);
    }

    private async Task RelayAsync(TcpClient client)
    {
        using var near = client;
        using var far = new TcpClient();
        try
        {
            await far.ConnectAsync(target, stopping.Token);
            using var ended = CancellationTokenSource.CreateLinkedTokenSource(stopping.Token);
            var sent = new StrongCount();
            await Task.WhenAny(
                PumpAsync(near.GetStream(), far.GetStream(), count => sent.Value += count, () => false, ended.Token),
                PumpAsync(far.GetStream(), near.GetStream(), _ => { }, () => losesAnswers && sent.Value > ClientBytesBeforeLoss, ended.Token));
            await ended.CancelAsync();
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
        {
            // One side is gone; closing both is what a broken line does.
        }
    }

    private async Task PumpAsync(NetworkStream from, NetworkStream to, Action<int> count, Func<bool> isLost, CancellationToken cancellationToken)
    {
        var buffer = new byte[16 * 1024];
        try
        {
            while (await from.ReadAsync(buffer, cancellationToken) is var read and > 0)
            {
                if (isLost())
                {
                    LostCount++;
                    return;
                }

                count(read);
                await to.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // As above.
        }
    }

    private sealed class StrongCount
    {
        public long Value;
    }
}
