using System.Globalization;

namespace Lm.Agent.Upload;

/// <summary>Reads HTTP/1.1 answers from a stream: status line, headers, and a body by length, in chunks, or (a refusal's only) up to the end.</summary>
/// <remarks>Source: RFC 9112. Why not HttpClient: docs/decisions/0010-own-http-client.md. Every size is bounded before anything is kept.</remarks>
/// <param name="stream">Where they come from.</param>
/// <param name="bounds">How large an answer may be.</param>
internal sealed class HttpResponseReader(Stream stream, HttpBounds bounds)
{
    /// <summary>Header lines of an answer, and of its trailer.</summary>
    public const int HeaderCountMax = 100;

    /// <summary>Bytes of a collector's answer's body.</summary>
    public const int BodyBytesMax = 64 << 10;

    // What is set aside for a body before that much of it came: an answer may promise what it never sends.
    private const int TrustedBytes = 64 << 10;

    private const int InterimMax = 8; // 1xx answers before the real one
    private const int ChunkDigitsMax = 8;

    private readonly HttpInput input = new(stream, bounds.AnswerBytesMax);

    /// <summary>A reader of a collector's answers.</summary>
    public HttpResponseReader(Stream stream)
        : this(stream, HttpBounds.OfCollector)
    {
    }

    /// <summary>Whether any byte of the answer came.</summary>
    public bool HasBegun => input.HasBegun;

    /// <summary>Before a request is written: nothing of its answer is here yet.</summary>
    /// <returns>False when bytes are here that belong to no request: the other end and we disagree about where answers end.</returns>
    public bool TryBegin()
    {
        input.Begin();
        return input.IsEmpty;
    }

    /// <summary>Reads one answer.</summary>
    /// <exception cref="HttpFormatException">It is not one, is over a bound, or the connection ended within it.</exception>
    public async Task<HttpResponse> ReadAsync(CancellationToken cancellationToken)
    {
        input.Begin();
        for (var i = 0; i < InterimMax; i++)
        {
            var head = new HttpHead(await input.ReadLineAsync(cancellationToken));
            await ReadHeadersAsync(head, cancellationToken);
            if (!head.IsInterim)
            {
                return await ReadBodyOfAsync(head, cancellationToken);
            }

            if (head.Status == 101)
            {
                break;
            }
        }

        throw new HttpFormatException("the answer is only interim ones (1xx)");
    }

    private async Task<HttpResponse> ReadBodyOfAsync(HttpHead head, CancellationToken cancellationToken)
    {
        try
        {
            var body = await ReadBodyAsync(head, cancellationToken);
            var isKept = head.IsKept && (head.IsChunked || head.Length is not null || head.IsBodiless);
            return new HttpResponse(head.Status, head.ContentType, head.RetryAfter, isKept, body);
        }
        catch (Exception failure) when (failure is IOException or OperationCanceledException && head.Status != 200)
        {
            // The status says what to do, and a reset or an endless body does not unsay it. A 200 is nothing without its body.
            return new HttpResponse(head.Status, "", head.RetryAfter, IsKept: false, []);
        }
    }

    private async Task ReadHeadersAsync(HttpHead? head, CancellationToken cancellationToken)
    {
        for (var i = 0; i <= HeaderCountMax; i++)
        {
            var line = await input.ReadLineAsync(cancellationToken);
            if (line.Length == 0)
            {
                return;
            }

            if (head is null)
            {
                HttpHead.CheckTrailer(line);
            }
            else
            {
                head.Take(line);
            }
        }

        throw new HttpFormatException($"the answer has more than {HeaderCountMax} headers");
    }

    private async Task<byte[]> ReadBodyAsync(HttpHead head, CancellationToken cancellationToken)
    {
        if (head.IsBodiless)
        {
            return [];
        }

        if (head.IsChunked)
        {
            return await ReadChunksAsync(cancellationToken);
        }

        if (head.Length is { } length)
        {
            CheckBody(length);
            var body = new byte[Math.Min(length, TrustedBytes)];
            for (var done = 0; done < length; done = body.Length)
            {
                Array.Resize(ref body, (int)Math.Min(length, Math.Max(body.Length, 2L * done)));
                await input.ReadExactlyAsync(body.AsMemory(done), cancellationToken);
            }

            return body;
        }

        // Where only the connection's end marks the body's, an acknowledgement that was cut short would look whole.
        return head.Status == 200 && !bounds.TakesUnmarkedEnd
            ? throw new HttpFormatException("the answer is a 200 without Content-Length or chunks: nothing says that it is whole")
            : await input.ReadToEndAsync(bounds.BodyBytesMax, cancellationToken);
    }

    private async Task<byte[]> ReadChunksAsync(CancellationToken cancellationToken)
    {
        var body = new MemoryStream();
        while (true)
        {
            var size = ParseChunkSize(await input.ReadLineAsync(cancellationToken));
            if (size == 0)
            {
                await ReadHeadersAsync(head: null, cancellationToken);
                return body.ToArray();
            }

            CheckBody(body.Length + size);
            var chunk = new byte[Math.Min(size, TrustedBytes)];
            for (var left = size; left > 0; left -= chunk.Length)
            {
                chunk = left < chunk.Length ? chunk[..(int)left] : chunk;
                await input.ReadExactlyAsync(chunk, cancellationToken);
                body.Write(chunk);
            }

            if ((await input.ReadLineAsync(cancellationToken)).Length > 0)
            {
                throw new HttpFormatException("a chunk of the answer is longer than it says");
            }
        }
    }

    /// <summary>Hexadecimal digits, then nothing or an extension, which says nothing to us.</summary>
    private static long ParseChunkSize(string line)
    {
        var extension = line.IndexOf(';', StringComparison.Ordinal);
        var digits = extension < 0 ? line.AsSpan() : line.AsSpan(0, extension).TrimEnd(" \t");
        if (digits.Length > ChunkDigitsMax || !long.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var size))
        {
            throw new HttpFormatException("a chunk of the answer has no length");
        }

        return size;
    }

    private void CheckBody(long size)
    {
        if (size > bounds.BodyBytesMax)
        {
            throw new HttpFormatException($"the answer's body is longer than {bounds.BodyBytesMax} bytes");
        }
    }
}
