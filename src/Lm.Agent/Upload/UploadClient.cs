using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using Lm.Agent.Settings;
using Lm.Protocol;

namespace Lm.Agent.Upload;

/// <summary>Requests to one collector over one kept TLS connection. Not safe for concurrent use.</summary>
/// <remarks>A bounded HTTP/1.1 client of our own: docs/decisions/0010-own-http-client.md says why.</remarks>
internal sealed class UploadClient : IUploadClient
{
    /// <summary>How long a request may take until its answer is read.</summary>
    public static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(60);

    /// <summary>How long a connection is kept: so late, at most, another address of the collector's name is seen.</summary>
    public static readonly TimeSpan ConnectionLifeMax = TimeSpan.FromMinutes(10);

    // One TLS record and one packet or a few for a heartbeat; what is larger is not copied.
    private const int JoinedBytesMax = 64 << 10;

    private readonly Uri url;
    private readonly Secret token;
    private readonly TlsMaterial tls;
    private readonly TimeProvider time;
    private readonly Action connected;
    private readonly TlsConnector connector;
    private TlsConnection? connection;

    /// <summary>A client that looks its collector up in the DNS.</summary>
    /// <param name="url">The collector.</param>
    /// <param name="token">The agent's.</param>
    /// <param name="tls">Certificates; the client does not dispose them.</param>
    /// <param name="time">The clock.</param>
    /// <param name="connected">Called after each new connection.</param>
    public UploadClient(Uri url, Secret token, TlsMaterial tls, TimeProvider time, Action connected)
        : this(url, token, tls, time, connected, Dns.GetHostAddressesAsync)
    {
    }

    internal UploadClient(Uri url, Secret token, TlsMaterial tls, TimeProvider time, Action connected, NameLookup lookUp)
    {
        (this.url, this.token, this.tls, this.time, this.connected) = (url, token, tls, time, connected);
        connector = new TlsConnector(url, tls, lookUp, time);
    }

    public async Task<UploadAnswer> SendAsync(UploadRequest request, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(RequestTimeout, time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            return Read(await ExchangeAsync(request, linked.Token));
        }
        catch (ConnectException failure)
        {
            return new UploadAnswer.Failed($"the connection to {url.Authority} failed: {failure.Message}", failure.NeedsPerson);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            Drop();
            return new UploadAnswer.Failed($"the request to {url.Authority} had no answer within {RequestTimeout.TotalSeconds} s", NeedsPerson: false);
        }
        catch (Exception failure) when (failure is IOException or SocketException or AuthenticationException or ObjectDisposedException)
        {
            var answer = Describe(failure);
            Drop();
            return answer;
        }
        catch (OperationCanceledException)
        {
            Drop(); // half a request or answer is in it
            throw;
        }
    }

    public void Dispose() => Drop();

    private async Task<HttpResponse> ExchangeAsync(UploadRequest request, CancellationToken cancellationToken)
    {
        if (connection is { } old && (old.IsStale || time.GetElapsedTime(old.OpenedAt) >= ConnectionLifeMax))
        {
            Drop();
        }

        if (connection is { } kept)
        {
            try
            {
                return await ExchangeAsync(kept, request, cancellationToken);
            }
            catch (IOException) when (!kept.Reader.HasBegun)
            {
                // The collector closed it just now. Sending twice does no harm: batches are known by their numbers.
                Drop();
            }
        }

        connection = await connector.ConnectAsync(cancellationToken);
        connected();
        return await ExchangeAsync(connection, request, cancellationToken);
    }

    private async Task<HttpResponse> ExchangeAsync(TlsConnection over, UploadRequest request, CancellationToken cancellationToken)
    {
        if (!over.Reader.TryBegin())
        {
            throw new HttpFormatException("bytes came that answer no request");
        }

        // A heartbeat is in the socket's buffer before this returns; only what is larger than that has to be read for meanwhile.
        var sending = WriteAsync(over, request, cancellationToken);
        var response = sending.IsCompletedSuccessfully
            ? await over.Reader.ReadAsync(cancellationToken)
            : await ReadWhileSendingAsync(over, sending, cancellationToken);
        over.HasAnswered = true;
        if (!response.IsKept || !sending.IsCompletedSuccessfully)
        {
            Drop();
        }

        return response;
    }

    /// <summary>Reads the answer while the request is still being written. A refusal (413, 401) that comes before the whole body was taken counts,
    /// and so does one that was received before a reset; a reset may also destroy it on the way, and then there is none.</summary>
    private async Task<HttpResponse> ReadWhileSendingAsync(TlsConnection over, Task sending, CancellationToken cancellationToken)
    {
        var reading = over.Reader.ReadAsync(cancellationToken);
        try
        {
            return await reading;
        }
        catch (IOException failure) when (!over.Reader.HasBegun && (sending.IsFaulted || failure is not HttpFormatException))
        {
            // Why it could not be sent tells more than that nothing could be read.
            var cause = sending.Exception?.InnerException as IOException ?? failure;
            throw new IOException($"{ExceptionText.Of(cause)}; no answer came before that", cause);
        }
        finally
        {
            if (!sending.IsCompleted)
            {
                // Nobody wants the rest: closing the connection ends the write.
                Drop();
            }

            await sending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task WriteAsync(TlsConnection over, UploadRequest request, CancellationToken cancellationToken)
    {
        var head = HttpRequestHead.Encode(url, token, request);
        if (request.Batches is [var only] && only.Frame.Length <= JoinedBytesMax)
        {
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
    }

    private UploadAnswer.Failed Describe(Exception failure)
    {
        var refusal = TlsAlert.Describe(failure, tls);
        var hint = refusal.Length == 0 && connection is { HasAnswered: false, Reader.HasBegun: false }
            ? "; the connection was new, and a collector that asks for a client certificate, or refuses this agent's, may close it like that"
            : "";
        return new UploadAnswer.Failed(
            $"the request to {url.Authority} failed: {(refusal.Length > 0 ? refusal : ExceptionText.Of(failure))}{hint}", NeedsPerson: refusal.Length > 0);
    }

    private UploadAnswer Read(HttpResponse response)
    {
        if (response.Status != 200)
        {
            var (code, detail) = ProblemDocument.Read(response);
            return new UploadAnswer.Refused(response.Status, code, detail, ParseRetryAfter(response.RetryAfter));
        }

        return response.IsOf(IngestAck.MediaType) && IngestAck.TryDecode(response.Body, out var ack)
            ? new UploadAnswer.Acknowledged(ack)
            : new UploadAnswer.Failed(
                $"{url.Authority} answered 200 without an acknowledgement: it is no lm-collector, or one of another kind", NeedsPerson: false);
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

    private void Drop()
    {
        connection?.Dispose();
        connection = null;
    }
}
