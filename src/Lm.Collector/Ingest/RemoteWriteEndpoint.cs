using Lm.Collector.Settings;
using Lm.Platform;
using Lm.Protocol;

namespace Lm.Collector.Ingest;

/// <summary>Prometheus remote write 1.0: <c>POST /api/v1/write</c>, a Snappy block with a <c>prometheus.WriteRequest</c>, for tokens with <c>remote_write</c>.</summary>
/// <remarks>What a sender does with the answer is the rule of the specification: 2xx is done, 4xx is never sent again, 5xx is sent again. 429 is given up by
/// Prometheus unless it is told otherwise (<c>retry_on_http_429</c>), so what shall come again is answered 503 here, where batches get 429 <c>rate</c>.</remarks>
internal sealed class RemoteWriteEndpoint(IngestEndpointParts parts)
{
    /// <summary>Where it is served.</summary>
    public const string Path = "/api/v1/write";

    private const string MediaType = "application/x-protobuf";
    private const string Message = "prometheus.WriteRequest";

    /// <summary>Takes a request.</summary>
    /// <param name="context">The request; this answers nothing.</param>
    /// <param name="isDraining">Whether new requests are put off.</param>
    /// <returns>Null when all of it is stored.</returns>
    public async ValueTask<WriteRefusal?> TakeAsync(HttpContext context, bool isDraining)
    {
        Interlocked.Increment(ref parts.Metrics.WriteRequests);
        var current = parts.Settings();
        if (!current.Tokens.TryFind(RequestHeaders.BearerToken(context.Request.Headers), out var owner))
        {
            return new WriteRefusal(401, ProblemCode.Unauthorized, "Authorization must be Bearer with a token of the collector's token table");
        }

        var receivedAt = UnixMillis.Now(parts.Time);
        if (RefusalBySender(context, owner, current) is { } refusal)
        {
            return refusal;
        }

        if (isDraining)
        {
            return new WriteRefusal(503, ProblemCode.Draining, "the collector is stopping; send this again");
        }

        if (parts.Hold() is { } reason)
        {
            return new WriteRefusal(503, ProblemCode.StoreUnreachable, reason);
        }

        var sizeMax = current.Limits.BodyBytesMax;
        if (context.Request.ContentLength > sizeMax)
        {
            return TooLarge(sizeMax);
        }

        using var body = new RequestBody(parts.Budget);
        switch (await body.ReadAsync(context.Request, sizeMax, context.RequestAborted))
        {
            case BodyStatus.TooLarge:
                return TooLarge(sizeMax);
            case BodyStatus.Broken:
                return new WriteRefusal(400, IngestMetrics.BadRequest, "the body's chunks cannot be read");
            case BodyStatus.NoRoom:
                return WriteRefusal.Overload;
            default:
                Interlocked.Add(ref parts.Metrics.BodyBytes, body.Bytes.Length);
                return await parts.Writes.ProcessAsync(owner.AgentId, receivedAt, body.Bytes, current);
        }
    }

    private static WriteRefusal? RefusalBySender(HttpContext context, in TokenOwner owner, IngestSettings current)
    {
        if (!owner.RemoteWrite)
        {
            return new WriteRefusal(
                403, ProblemCode.RemoteWriteNotAllowed, $"the token of {owner.AgentId} may not send remote write; remote_write = true in its entry of the token table allows it");
        }

        if (ClientNames.RefusalOf(context, owner.AgentId, current.Tls) is { } mismatch)
        {
            return new WriteRefusal(403, ProblemCode.AgentMismatch, mismatch);
        }

        return FaultOfType(context.Request) is { } fault ? new WriteRefusal(415, ProblemCode.UnsupportedMediaType, fault) : null;
    }

    // Senders older than the second version name no message, and some neither type nor coding; what they name must be right.
    private static string? FaultOfType(HttpRequest request)
    {
        var type = request.ContentType.AsSpan();
        var end = type.IndexOf(';');
        var essence = (end < 0 ? type : type[..end]).Trim(' ');
        if (!essence.IsEmpty && !essence.Equals(MediaType, StringComparison.OrdinalIgnoreCase))
        {
            return $"Content-Type must be {MediaType}, of the message {Message}";
        }

        for (var rest = end < 0 ? default : type[(end + 1)..]; !rest.IsEmpty;)
        {
            var next = rest.IndexOf(';');
            var parameter = (next < 0 ? rest : rest[..next]).Trim(' ');
            if (parameter.StartsWith("proto=", StringComparison.OrdinalIgnoreCase) && !parameter[6..].Trim('"').Equals(Message, StringComparison.Ordinal))
            {
                return $"Content-Type names a message that is not taken; {Message} is, which remote write 1.0 sends (protobuf_message in Prometheus' settings)";
            }

            rest = next < 0 ? default : rest[(next + 1)..];
        }

        var encoding = request.Headers.ContentEncoding;
        return encoding.Count == 0 || string.Equals(encoding.ToString(), "snappy", StringComparison.OrdinalIgnoreCase)
            ? null
            : "Content-Encoding must be snappy, its block format";
    }

    private static WriteRefusal TooLarge(int sizeMax) =>
        new(413, ProblemCode.BodyTooLarge, $"the body is longer than max_body_bytes, which is {sizeMax}; send fewer samples in a request");
}

/// <summary>Why a request is not stored, or not all of it.</summary>
/// <param name="Status">The answer's status.</param>
/// <param name="Code">Its stable code.</param>
/// <param name="Detail">What was found, where, and what is allowed.</param>
/// <param name="IsPartial">Whether what is not named in the detail is stored.</param>
internal sealed record WriteRefusal(int Status, string Code, string Detail, bool IsPartial = false)
{
    /// <summary>The memory for requests is in use.</summary>
    public static WriteRefusal Overload { get; } = new(503, ProblemCode.Rate, "too many requests are being taken at the moment; send this again");
}
