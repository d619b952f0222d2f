using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using System.Text.Json;
using Lm.Agent.Settings;
using Lm.Protocol;

namespace Lm.Agent.Upload;

/// <summary>Requests to one collector over one kept TLS connection. Not safe for concurrent use.</summary>
/// <remarks>A bounded HTTP/1.1 client of our own: docs/decisions/0010-own-http-client.md says why.</remarks>
internal sealed class UploadClient : IUploadClient
{
    /// <summary>How long name, connection and TLS may take together.</summary>
    public static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(15);

    /// <summary>How long a request may take until its answer is read.</summary>
    public static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(60);

    private readonly Uri url;
    private readonly Secret token;
    private readonly TimeProvider time;
    private readonly SslClientAuthenticationOptions options;
    private TlsConnection? connection;

    public UploadClient(Uri url, Secret token, TlsMaterial tls, TimeProvider time)
    {
        (this.url, this.token, this.time) = (url, token, time);
        options = TlsConnection.OptionsFor(url, tls);
    }

    public async Task<UploadAnswer> SendAsync(UploadRequest request, CancellationToken cancellationToken)
    {
        var step = $"the connection to {url.Authority}";
        using var timeout = new CancellationTokenSource(RequestTimeout, time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            connection ??= await ConnectAsync(linked.Token);
            step = $"the request to {url.Authority}";
            return Read(await ExchangeAsync(request, linked.Token));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            Drop();
            return new UploadAnswer.Failed($"{step} timed out.");
        }
        catch (Exception failure) when (failure is IOException or SocketException or AuthenticationException or ObjectDisposedException)
        {
            Drop();
            return new UploadAnswer.Failed($"{step} failed: {Describe(failure)}");
        }
        catch (OperationCanceledException)
        {
            Drop(); // half a request or answer is in it
            throw;
        }
    }

    public void Dispose() => Drop();

    private async Task<TlsConnection> ConnectAsync(CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(ConnectTimeout, time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        return await TlsConnection.OpenAsync(url, options, linked.Token);
    }

    private async Task<HttpResponse> ExchangeAsync(UploadRequest request, CancellationToken cancellationToken)
    {
        var kept = connection!;
        if (kept.IsUsed)
        {
            try
            {
                return await ExchangeAsync(kept, request, cancellationToken);
            }
            catch (IOException) when (!kept.Reader.HasBegun)
            {
                // The collector closed it while it was idle. Sending twice does no harm: batches are known by their numbers.
                Drop();
                connection = kept = await ConnectAsync(cancellationToken);
            }
        }

        return await ExchangeAsync(kept, request, cancellationToken);
    }

    private async Task<HttpResponse> ExchangeAsync(TlsConnection over, UploadRequest request, CancellationToken cancellationToken)
    {
        over.IsUsed = true;
        if (!over.Reader.TryBegin())
        {
            throw new HttpFormatException("bytes came that answer no request");
        }

        var head = Encoding.ASCII.GetBytes(HeadOf(request));
        if (request.Batches is [var only] && only.Frame.Length <= 64 << 10)
        {
            // One TLS record and one packet for a heartbeat.
            var whole = new byte[head.Length + only.Frame.Length];
            head.CopyTo(whole, 0);
            only.Frame.CopyTo(whole.AsMemory(head.Length));
            await over.WriteAsync(whole, cancellationToken);
        }
        else
        {
            await over.WriteAsync(head, cancellationToken);
            foreach (var batch in request.Batches)
            {
                await over.WriteAsync(batch.Frame, cancellationToken);
            }
        }

        await over.FlushAsync(cancellationToken);
        var response = await over.Reader.ReadAsync(cancellationToken);
        if (!response.IsKept)
        {
            Drop();
        }

        return response;
    }

    private string HeadOf(UploadRequest request)
    {
        var (sequences, status) = (request.Sequences, request.Status);
        var oldest = status.Oldest?.Value ?? request.SentAt.Value;
        var dropped = status.Counters.Dropped + status.Counters.Lost;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"""
            POST {BatchHeaders.Path} HTTP/1.1
            Host: {url.Authority}
            User-Agent: lm-agent/{AgentVersion.Text}
            Authorization: Bearer {token.Reveal()}
            Content-Type: {IngestAck.MediaType}
            Content-Length: {request.BodyBytes}
            {BatchHeaders.Agent}: {request.AgentId}
            {BatchHeaders.SeqStart}: {sequences.Start}
            {BatchHeaders.SeqEnd}: {sequences.End}
            {BatchHeaders.SeqFloor}: {status.Floor}
            {BatchHeaders.SentAt}: {request.SentAt.Value}
            {BatchHeaders.Queue}: batches={status.Batches}, bytes={status.SizeBytes}, oldest_ms={oldest}, dropped={dropped}, rejected={status.Counters.Rejected}


            """).ReplaceLineEndings("\r\n");
    }

    private UploadAnswer Read(HttpResponse response)
    {
        if (response.Status != 200)
        {
            var (code, detail) = ReadProblem(response.Body);
            return new UploadAnswer.Refused(response.Status, code, detail, ParseRetryAfter(response.RetryAfter));
        }

        return IngestAck.TryDecode(response.Body, out var ack)
            ? new UploadAnswer.Acknowledged(ack)
            : new UploadAnswer.Failed($"{url.Authority} answered 200 without an acknowledgement: it is no lm-collector, or one of another kind.");
    }

    /// <summary>Reads <c>application/problem+json</c>; what is no such thing gives empty texts.</summary>
    internal static (string Code, string Detail) ReadProblem(ReadOnlySpan<byte> body)
    {
        var (code, detail) = ("", "");
        try
        {
            var reader = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = 8 });
            while (reader.Read())
            {
                if (reader.TokenType != JsonTokenType.PropertyName || reader.CurrentDepth != 1)
                {
                    continue;
                }

                var isCode = reader.ValueTextEquals("code"u8);
                var isDetail = reader.ValueTextEquals("detail"u8);
                if (reader.Read() && reader.TokenType == JsonTokenType.String)
                {
                    code = isCode ? reader.GetString()! : code;
                    detail = isDetail ? reader.GetString()! : detail;
                }
                else
                {
                    reader.Skip();
                }
            }
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException)
        {
            return ("", "");
        }

        return (code.Length <= 64 ? code : "", detail.Length <= 1000 ? detail : detail[..1000]);
    }

    /// <summary>Seconds or a date (RFC 9110, 10.2.3); null for neither.</summary>
    private TimeSpan? ParseRetryAfter(string value)
    {
        if (int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds))
        {
            return TimeSpan.FromSeconds(seconds);
        }

        if (!DateTimeOffset.TryParseExact(value, "r", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var date))
        {
            return null;
        }

        var delay = date - time.GetUtcNow();
        return delay > TimeSpan.Zero ? delay : TimeSpan.Zero;
    }

    private string Describe(Exception failure) => failure is SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.TryAgain or SocketError.NoData }
        ? $"no address was found for the name {url.Host} ({failure.Message}): see ingest_url and this host's name service"
        : failure.InnerException is { } inner && failure is AuthenticationException or IOException
        ? $"{failure.Message} ({(failure.InnerException ?? failure).Message})"
        : failure.Message;

    private void Drop()
    {
        connection?.Dispose();
        connection = null;
    }
}
