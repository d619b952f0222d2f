using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Lm.Platform;
using Lm.Protocol;

namespace Lm.LoadDriver;

/// <summary>One kept-alive HTTP/1.1 connection over TLS that posts batches, one at a time. Written by hand because a general HTTP client
/// would cost more CPU than the server that is measured on the same two cores.</summary>
internal sealed class IngestConnection : IDisposable
{
    private const int AnswerSizeMax = 64 * 1024;

    private readonly Socket socket;
    private readonly SslStream tls;
    private readonly byte[] answer = new byte[AnswerSizeMax];
    private byte[] request = new byte[16 * 1024];

    private IngestConnection(Socket socket, SslStream tls)
    {
        this.socket = socket;
        this.tls = tls;
    }

    public static async Task<IngestConnection> OpenAsync(Uri address, X509Certificate2Collection authorities, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        SslStream? tls = null;
        try
        {
            await socket.ConnectAsync(new DnsEndPoint(address.Host, address.Port), cancellationToken);
            tls = new SslStream(new NetworkStream(socket, ownsSocket: true));
            var chain = new X509ChainPolicy { RevocationMode = X509RevocationMode.NoCheck, TrustMode = X509ChainTrustMode.CustomRootTrust };
            chain.CustomTrustStore.AddRange(authorities);
            await tls.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions { TargetHost = address.Host, CertificateChainPolicy = chain }, cancellationToken);
            return new IngestConnection(socket, tls);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            tls?.Dispose();
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Sends one batch and waits for the answer.</summary>
    /// <exception cref="IOException">The connection ended, or the answer is not HTTP.</exception>
    public async Task<IngestAnswer> SendAsync(
        SimulatedAgent agent, ulong sequence, ulong floor, UnixMillis now, ReadOnlyMemory<byte> frame, CancellationToken cancellationToken)
    {
        var head = WriteHead(agent, sequence, floor, now, frame.Length);
        return await ExchangeAsync(head, frame, cancellationToken);
    }

    /// <summary>Sends one remote-write request and waits for the answer.</summary>
    /// <exception cref="IOException">The connection ended, or the answer is not HTTP.</exception>
    public Task<IngestAnswer> WriteAsync(SimulatedAgent sender, ReadOnlyMemory<byte> body, CancellationToken cancellationToken)
    {
        Reserve(body.Length);
        System.Text.Unicode.Utf8.TryWrite(
            request,
            CultureInfo.InvariantCulture,
            $"POST /api/v1/write HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-protobuf\r\nContent-Encoding: snappy\r\nContent-Length: {body.Length}\r\nAuthorization: Bearer {sender.Token}\r\nUser-Agent: lm-load\r\n\r\n",
            out var head);
        return ExchangeAsync(head, body, cancellationToken);
    }

    public void Dispose()
    {
        tls.Dispose();
        socket.Dispose();
    }

    private int WriteHead(SimulatedAgent agent, ulong sequence, ulong floor, UnixMillis now, int length)
    {
        Reserve(length);
        if (!System.Text.Unicode.Utf8.TryWrite(
            request,
            CultureInfo.InvariantCulture,
            $"POST {BatchHeaders.Path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {IngestAck.MediaType}\r\nContent-Length: {length}\r\nAuthorization: Bearer {agent.Token}\r\n{BatchHeaders.Agent}: {agent.Id}\r\n{BatchHeaders.SeqStart}: {sequence}\r\n{BatchHeaders.SeqEnd}: {sequence}\r\n{BatchHeaders.SeqFloor}: {floor}\r\n{BatchHeaders.SentAt}: {now.Value}\r\n{BatchHeaders.Queue}: batches=1, bytes={length}, oldest_ms={now.Value}, dropped=0, rejected=0\r\nUser-Agent: lm-agent/0.1.0\r\n\r\n",
            out var written))
        {
            throw new InvalidOperationException($"the request's head does not fit in {request.Length} bytes");
        }

        return written;
    }

    private void Reserve(int length)
    {
        var needed = 1024 + length;
        if (request.Length < needed)
        {
            request = new byte[needed * 2];
        }
    }

    private async Task<IngestAnswer> ExchangeAsync(int head, ReadOnlyMemory<byte> body, CancellationToken cancellationToken)
    {
        body.Span.CopyTo(request.AsSpan(head));
        await tls.WriteAsync(request.AsMemory(0, head + body.Length), cancellationToken);
        return await ReadAnswerAsync(cancellationToken);
    }

    private async Task<IngestAnswer> ReadAnswerAsync(CancellationToken cancellationToken)
    {
        var have = 0;
        while (true)
        {
            var end = answer.AsSpan(0, have).IndexOf("\r\n\r\n"u8);
            if (end >= 0)
            {
                var (status, length) = ParseHead(Encoding.ASCII.GetString(answer, 0, end));
                var body = end + 4;
                if (body + length > AnswerSizeMax)
                {
                    throw new IOException($"the answer has {length} bytes; at most {AnswerSizeMax - body} are read");
                }

                while (have < body + length)
                {
                    have += await ReadSomeAsync(have, cancellationToken);
                }

                return new IngestAnswer(status, answer.AsMemory(body, length));
            }

            have += await ReadSomeAsync(have, cancellationToken);
        }
    }

    private async Task<int> ReadSomeAsync(int have, CancellationToken cancellationToken)
    {
        var count = have < AnswerSizeMax ? await tls.ReadAsync(answer.AsMemory(have), cancellationToken) : 0;
        return count > 0 ? count : throw new IOException("the connection ended before the answer did");
    }

    private static (int Status, int Length) ParseHead(string head)
    {
        var length = -1;
        foreach (var line in head.Split("\r\n"))
        {
            if (line.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase))
            {
                length = int.Parse(line.AsSpan(15).Trim(), NumberStyles.None, CultureInfo.InvariantCulture);
            }
        }

        if (length < 0 && head.StartsWith("HTTP/1.1 204 ", StringComparison.Ordinal))
        {
            length = 0;
        }

        if (!head.StartsWith("HTTP/1.1 ", StringComparison.Ordinal) || head.Length < 12 || length < 0)
        {
            throw new IOException($"not an answer with a Content-Length: {head.AsSpan(0, Math.Min(head.Length, 120))}");
        }

        return (int.Parse(head.AsSpan(9, 3), NumberStyles.None, CultureInfo.InvariantCulture), length);
    }
}

/// <summary>An answer; the body is valid until the next request of the connection.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Body">The body's bytes.</param>
internal readonly record struct IngestAnswer(int Status, ReadOnlyMemory<byte> Body)
{
    /// <summary>The answer in a few words, for a message.</summary>
    public string Describe() => $"status {Status}: {Encoding.UTF8.GetString(Body.Span[..Math.Min(Body.Length, 300)])}";
}
