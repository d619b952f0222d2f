using System.Globalization;
using System.Text;

namespace Lm.Agent.Upload;

/// <summary>Reads HTTP/1.1 answers from a stream: status line, headers, and a body by length, in chunks, or up to the end.</summary>
/// <remarks>Source: RFC 9112. Why not HttpClient: docs/decisions/0010-own-http-client.md. Every size is bounded before anything is kept.</remarks>
internal sealed class HttpResponseReader(Stream stream)
{
    /// <summary>Bytes of an answer's head (status line and headers), and of a chunk's line.</summary>
    public const int LineBytesMax = 4096;

    /// <summary>Header lines of an answer.</summary>
    public const int HeaderCountMax = 100;

    /// <summary>Bytes of an answer's body.</summary>
    public const int BodyBytesMax = 64 << 10;

    private const int InterimMax = 8; // 1xx answers before the real one

    private readonly byte[] buffer = new byte[LineBytesMax];
    private int start;
    private int end;

    /// <summary>Whether any byte of the answer came.</summary>
    public bool HasBegun { get; private set; }

    /// <summary>Before a request is written: nothing of its answer is here yet.</summary>
    /// <returns>False when bytes are here that belong to no request: the other end and we disagree about where answers end.</returns>
    public bool TryBegin()
    {
        HasBegun = false;
        return start == end;
    }

    /// <summary>Reads one answer.</summary>
    /// <exception cref="HttpFormatException">It is not one, is over a bound, or the connection ended within it.</exception>
    public async Task<HttpResponse> ReadAsync(CancellationToken cancellationToken)
    {
        for (var i = 0; i < InterimMax; i++)
        {
            var (status, isNewer) = ParseStatus(await ReadLineAsync(cancellationToken));
            var headers = new Headers { IsKept = isNewer };
            await ReadHeadersAsync(headers, cancellationToken);
            if (status is < 100 or >= 200)
            {
                var body = await ReadBodyAsync(status, headers, cancellationToken);
                return new HttpResponse(status, headers.RetryAfter, headers.IsKept, body);
            }

            if (status == 101)
            {
                break;
            }
        }

        throw new HttpFormatException("the answer is only interim ones (1xx)");
    }

    private static (int Status, bool IsNewer) ParseStatus(string line)
    {
        // HTTP/1.1 200 OK
        if (line.Length < 12 || !line.StartsWith("HTTP/1.", StringComparison.Ordinal) || line[8] != ' '
            || !int.TryParse(line.AsSpan(9, 3), NumberStyles.None, CultureInfo.InvariantCulture, out var status)
            || status < 100 || (line.Length > 12 && line[12] != ' '))
        {
            throw new HttpFormatException("the answer does not begin with an HTTP/1.1 status line");
        }

        return (status, line[7] != '0');
    }

    private async Task ReadHeadersAsync(Headers headers, CancellationToken cancellationToken)
    {
        for (var i = 0; i <= HeaderCountMax; i++)
        {
            var line = await ReadLineAsync(cancellationToken);
            if (line.Length == 0)
            {
                return;
            }

            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon <= 0)
            {
                throw new HttpFormatException("a header line of the answer has no name");
            }

            headers.Take(line[..colon], line[(colon + 1)..].Trim(' ', '\t'));
        }

        throw new HttpFormatException($"the answer has more than {HeaderCountMax} headers");
    }

    private async Task<byte[]> ReadBodyAsync(int status, Headers headers, CancellationToken cancellationToken)
    {
        if (status is 204 or 304)
        {
            return [];
        }

        if (headers.IsChunked)
        {
            return await ReadChunksAsync(cancellationToken);
        }

        if (headers.Length is { } length)
        {
            CheckBody(length);
            var body = new byte[length];
            await ReadExactlyAsync(body, cancellationToken);
            return body;
        }

        headers.IsKept = false;
        return await ReadToEndAsync(cancellationToken);
    }

    private async Task<byte[]> ReadChunksAsync(CancellationToken cancellationToken)
    {
        var body = new MemoryStream();
        while (true)
        {
            var line = await ReadLineAsync(cancellationToken);
            var digits = line.AsSpan();
            digits = digits[..(digits.IndexOf(';') is >= 0 and var at ? at : digits.Length)].Trim(' ');
            if (!long.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var size) || size < 0)
            {
                throw new HttpFormatException("a chunk of the answer has no length");
            }

            if (size == 0)
            {
                await ReadHeadersAsync(new Headers(), cancellationToken); // trailers
                return body.ToArray();
            }

            CheckBody(size);
            CheckBody(body.Length + size);
            var chunk = new byte[size];
            await ReadExactlyAsync(chunk, cancellationToken);
            body.Write(chunk);
            if ((await ReadLineAsync(cancellationToken)).Length > 0)
            {
                throw new HttpFormatException("a chunk of the answer is longer than it says");
            }
        }
    }

    private async Task<byte[]> ReadToEndAsync(CancellationToken cancellationToken)
    {
        var body = new MemoryStream();
        do
        {
            body.Write(buffer, start, end - start);
            start = end;
            CheckBody(body.Length);
        }
        while (await FillAsync(cancellationToken));
        return body.ToArray();
    }

    private async Task ReadExactlyAsync(Memory<byte> target, CancellationToken cancellationToken)
    {
        var buffered = Math.Min(target.Length, end - start);
        buffer.AsMemory(start, buffered).CopyTo(target);
        start += buffered;
        try
        {
            await stream.ReadExactlyAsync(target[buffered..], cancellationToken);
        }
        catch (EndOfStreamException)
        {
            throw new HttpFormatException("the connection ended within the answer's body");
        }
    }

    private async Task<string> ReadLineAsync(CancellationToken cancellationToken)
    {
        var searched = 0;
        while (true)
        {
            var at = buffer.AsSpan(start + searched, end - start - searched).IndexOf((byte)'\n');
            if (at >= 0)
            {
                var line = buffer.AsSpan(start, searched + at);
                start += searched + at + 1;
                return Encoding.Latin1.GetString(line is [.., (byte)'\r'] ? line[..^1] : line);
            }

            searched = end - start;
            if (searched == LineBytesMax)
            {
                throw new HttpFormatException($"a line of the answer's head is longer than {LineBytesMax} bytes");
            }

            if (!await FillAsync(cancellationToken))
            {
                throw new HttpFormatException(HasBegun ? "the connection ended within the answer" : "the connection ended without an answer");
            }
        }
    }

    private async Task<bool> FillAsync(CancellationToken cancellationToken)
    {
        if (start > 0)
        {
            buffer.AsSpan(start, end - start).CopyTo(buffer);
            (start, end) = (0, end - start);
        }

        var count = await stream.ReadAsync(buffer.AsMemory(end), cancellationToken);
        end += count;
        HasBegun |= count > 0;
        return count > 0;
    }

    private static void CheckBody(long size)
    {
        if (size > BodyBytesMax)
        {
            throw new HttpFormatException($"the answer's body is longer than {BodyBytesMax} bytes");
        }
    }

    /// <summary>The headers that matter here.</summary>
    private sealed class Headers
    {
        public bool IsKept { get; set; }

        public bool IsChunked { get; private set; }

        public long? Length { get; private set; }

        public string RetryAfter { get; private set; } = "";

        public void Take(string name, string value)
        {
            if (name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase))
            {
                if (!long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var length) || (Length ?? length) != length)
                {
                    throw new HttpFormatException("the answer's Content-Length is no single number");
                }

                Length = length;
            }
            else if (name.Equals("Transfer-Encoding", StringComparison.OrdinalIgnoreCase))
            {
                IsChunked = value.Equals("chunked", StringComparison.OrdinalIgnoreCase)
                    ? true
                    : throw new HttpFormatException("the answer has a Transfer-Encoding other than chunked");
            }
            else if (name.Equals("Connection", StringComparison.OrdinalIgnoreCase))
            {
                IsKept &= !value.Contains("close", StringComparison.OrdinalIgnoreCase);
            }
            else if (name.Equals("Retry-After", StringComparison.OrdinalIgnoreCase))
            {
                RetryAfter = value;
            }
        }
    }
}
