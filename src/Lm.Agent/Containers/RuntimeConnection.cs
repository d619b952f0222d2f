using System.Net.Sockets;
using System.Text;
using Lm.Agent.Upload;

namespace Lm.Agent.Containers;

/// <summary>A connection to a runtime's socket, made when it is needed and kept for as long as the runtime keeps it.</summary>
internal sealed class RuntimeConnection(string socketPath) : IDisposable
{
    /// <summary>Bytes of one answer's body: a list has one to three thousand a container.</summary>
    public const int BodyBytesMax = 8 << 20;

    private NetworkStream? stream;
    private HttpResponseReader? reader;

    /// <summary>Asks for one page.</summary>
    /// <param name="path">The page, in ASCII.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="IOException">The connection broke, or the answer is none that we take.</exception>
    /// <exception cref="SocketException">Nobody listens there, or we may not.</exception>
    public async Task<HttpResponse> GetAsync(string path, CancellationToken cancellationToken)
    {
        if (reader is null || !reader.TryBegin())
        {
            await ConnectAsync(cancellationToken);
        }

        var head = Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: lm-agent/{AgentVersion.Text}\r\nAccept: application/json\r\n\r\n");
        await stream!.WriteAsync(head, cancellationToken);
        var answer = await reader!.ReadAsync(cancellationToken);
        if (!answer.IsKept)
        {
            Dispose();
        }

        return answer;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        stream?.Dispose();
        (stream, reader) = (null, null);
    }

    private async Task ConnectAsync(CancellationToken cancellationToken)
    {
        Dispose();
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(socketPath), cancellationToken);
            stream = new NetworkStream(socket, ownsSocket: true);
            reader = new HttpResponseReader(stream, HttpBounds.ForScrape(BodyBytesMax) with { TakesUnmarkedEnd = false });
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
