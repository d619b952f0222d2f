using System.Net;
using System.Net.Sockets;

namespace Lm.EndToEnd.Tests;

/// <summary>A TCP relay in front of the collector that can lose what the collector answers: the batch arrives, its acknowledgement does not.</summary>
internal sealed class LossyProxy : IAsyncDisposable
{
    // More than a client says in its handshake, less than a handshake and a batch: what the collector says after it is an answer (or
    // session tickets, which are not missed).
    private const int ClientBytesBeforeLoss = 1500;

    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stopping = new();
    private readonly Task accepting;
    private readonly Lock gate = new(); // guards lines
    private readonly List<CancellationTokenSource> lines = [];
    private volatile IPEndPoint target;
    private volatile bool losesAnswers;
    private volatile bool isCut;

    public LossyProxy(int targetPort)
    {
        target = new IPEndPoint(IPAddress.Loopback, targetPort);
        listener.Start();
        accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    /// <summary>Whether what the collector says after a batch was sent to it is swallowed; the line stays open, until it is cut.</summary>
    public void LoseAnswers() => losesAnswers = true;

    /// <summary>Cuts every line, and each new one at once.</summary>
    public void Cut()
    {
        isCut = true;
        lock (gate)
        {
            lines.ForEach(line => line.Cancel());
        }
    }

    /// <summary>New lines go to another port from now on.</summary>
    public void Target(int port) => target = new IPEndPoint(IPAddress.Loopback, port);

    /// <summary>Cuts every line; new ones pass.</summary>
    public void CutOnce()
    {
        Cut();
        isCut = false;
    }

    /// <summary>From now on everything passes.</summary>
    public void Heal()
    {
        losesAnswers = false;
        isCut = false;
    }

    /// <summary>Bytes of answers lost so far.</summary>
    public long LostBytes { get; private set; }

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
            if (isCut)
            {
                return;
            }

            await far.ConnectAsync(target, stopping.Token);
            using var ended = CancellationTokenSource.CreateLinkedTokenSource(stopping.Token);
            lock (gate)
            {
                lines.Add(ended);
            }

            var sent = new StrongCount();
            await Task.WhenAny(
                PumpAsync(near.GetStream(), far.GetStream(), count => sent.Value += count, () => false, ended.Token),
                PumpAsync(far.GetStream(), near.GetStream(), _ => { }, () => losesAnswers && sent.Value > ClientBytesBeforeLoss, ended.Token));
            lock (gate)
            {
                lines.Remove(ended);
            }

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
                    LostBytes += read;
                    continue;
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
