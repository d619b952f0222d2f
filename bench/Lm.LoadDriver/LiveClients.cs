using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Lm.LoadDriver;

/// <summary>Many clients of the collector's live stream: they read whatever comes and count it.</summary>
/// <remarks>Bare sockets: what an HTTP client would spend on a thousand streams is not the collector's.</remarks>
internal sealed class LiveClients(Uri query, string token, string path)
{
    private static readonly byte[] LaggedEvent = "event: lagged"u8.ToArray();

    private long bytes;
    private long lagged;
    private int open;

    /// <summary>Listens until stopped.</summary>
    /// <param name="clients">How many.</param>
    /// <param name="stopping">Ends it.</param>
    /// <returns>What was heard, as one line of JSON.</returns>
    /// <exception cref="LoadException">A client was refused or cut off.</exception>
    public async Task<string> RunAsync(int clients, CancellationToken stopping)
    {
        var listening = Enumerable.Range(0, clients).Select(_ => ListenAsync(stopping)).ToArray();
        while (Volatile.Read(ref open) < clients && !stopping.IsCancellationRequested && !listening.Any(task => task.IsCompleted))
        {
            await Task.Delay(20, CancellationToken.None);
        }

        await Console.Error.WriteLineAsync($"{Volatile.Read(ref open)} listen");
        await Task.WhenAll(listening);
        return string.Create(CultureInfo.InvariantCulture, $$"""{"clients":{{clients}},"bytes":{{bytes}},"lagged":{{lagged}}}""");
    }

    private async Task ListenAsync(CancellationToken stopping)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        var buffer = new byte[16 << 10];
        try
        {
            await socket.ConnectAsync(query.Host, query.Port, stopping);
            await socket.SendAsync(Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: {query.Authority}\r\nAuthorization: Bearer {token}\r\nAccept: text/event-stream\r\n\r\n"), stopping);
            for (var isFirst = true; ; isFirst = false)
            {
                var read = await socket.ReceiveAsync(buffer, stopping);
                if (read == 0 || (isFirst && !buffer.AsSpan(0, read).StartsWith("HTTP/1.1 200"u8)))
                {
                    throw new LoadException($"a live client was {(read == 0 ? "cut off" : "refused: " + Encoding.ASCII.GetString(buffer, 0, Math.Min(read, 200)))}");
                }

                Interlocked.Add(ref open, isFirst ? 1 : 0);
                Interlocked.Add(ref bytes, read);
                Interlocked.Add(ref lagged, buffer.AsSpan(0, read).Count(LaggedEvent));
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // That is how it ends.
        }
    }
}
