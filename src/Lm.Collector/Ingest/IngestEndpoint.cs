using Lm.Collector.Agents;
using Lm.Collector.Listeners;
using Lm.Collector.Settings;
using Lm.Collector.Spool;
using Lm.Platform;
using Lm.Protocol;
using Microsoft.AspNetCore.Http.Features;

namespace Lm.Collector.Ingest;

/// <summary>All that answers on the ingest listener: <c>POST /ingest/v1/batch</c>, Prometheus remote write and a bare <c>GET /healthz</c>.</summary>
internal sealed class IngestEndpoint(IngestEndpointParts parts) : IHttpEndpoint
{
    private const string HealthPath = "/healthz";

    private readonly RemoteWriteEndpoint remoteWrite = new(parts);
    private volatile bool isDraining;

    /// <inheritdoc/>
    public bool IsQuick => true;

    /// <summary>From now on new batches are answered 503; those in hand are finished.</summary>
    public void Drain() => isDraining = true;

    /// <inheritdoc/>
    public async Task HandleAsync(HttpContext context)
    {
        try
        {
            await RouteAsync(context);
        }
        catch (BadHttpRequestException e)
        {
            // Kestrel found the body broken while it was read (an overflowing chunk size, a body that came too slowly): its status, never 500.
            await RefuseAsync(context, e.StatusCode is >= 400 and < 500 ? e.StatusCode : 400, CodeOf(e.StatusCode), e.Message);
        }
        catch (Exception e) when (context.RequestAborted.IsCancellationRequested || e is Microsoft.AspNetCore.Connections.ConnectionResetException)
        {
            context.Abort(); // the client went: there is nobody to answer
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            Interlocked.Increment(ref parts.Metrics.Faults);
            IngestLog.RequestFailed(parts.Logger, e);
            await RefuseAsync(context, 503, ProblemCode.StoreUnreachable, "the collector failed on this request; the fault is in its log");
        }
    }

    private Task RouteAsync(HttpContext context)
    {
        var (path, method) = (context.Request.Path.Value, context.Request.Method);
        return (path, method) switch
        {
            (BatchHeaders.Path, "POST") => TakeBatchAsync(context),
            (RemoteWriteEndpoint.Path, "POST") => TakeWriteAsync(context),
            (BatchHeaders.LimitsPath, "GET") => TellLimitsAsync(context),
            (HealthPath, "GET" or "HEAD") => WriteHealthAsync(context),
            (BatchHeaders.Path or RemoteWriteEndpoint.Path, _) => RefuseMethodAsync(context, "POST"),
            (BatchHeaders.LimitsPath, _) => RefuseMethodAsync(context, "GET"),
            (HealthPath, _) => RefuseMethodAsync(context, "GET, HEAD"),
            _ => RefuseAsync(context, 404, IngestMetrics.NotFound, $"this listener takes POST {BatchHeaders.Path}, POST {RemoteWriteEndpoint.Path} and GET {HealthPath}"),
        };
    }

    private static Task WriteHealthAsync(HttpContext context)
    {
        context.Response.ContentType = "text/plain; charset=utf-8";
        context.Response.ContentLength = 3;
        return HttpMethods.IsHead(context.Request.Method)
            ? Task.CompletedTask
            : context.Response.Body.WriteAsync("ok\n"u8.ToArray(), context.RequestAborted).AsTask();
    }

    private async Task TakeWriteAsync(HttpContext context)
    {
        if (await remoteWrite.TakeAsync(context, isDraining) is not { } refusal)
        {
            context.Response.StatusCode = StatusCodes.Status204NoContent;
            return;
        }

        IngestLog.RequestRefused(parts.Logger, refusal.Status, refusal.Code, refusal.Detail);
        if (refusal.IsPartial)
        {
            // Its body was read and taken like that of a request without a fault: the connection goes on.
            parts.Metrics.Refuse(refusal.Code);
            await IngestProblem.WriteAsync(context, refusal.Status, refusal.Code, refusal.Detail);
            return;
        }

        await RefuseAsync(context, refusal.Status, refusal.Code, refusal.Detail);
    }

    /// <summary>Who sends; null when that was refused.</summary>
    private async Task<TokenOwner?> IdentifyAsync(HttpContext context, IngestSettings current)
    {
        if (!current.Tokens.TryFind(RequestHeaders.BearerToken(context.Request.Headers), out var owner))
        {
            await RefuseAsync(context, 401, ProblemCode.Unauthorized, "Authorization must be Bearer with a token of the collector's token table");
            return null;
        }

        if (RefusalByIdentity(context, owner, current) is { } mismatch)
        {
            await RefuseAsync(context, 403, ProblemCode.AgentMismatch, mismatch);
            return null;
        }

        return owner;
    }

    /// <summary>An acknowledgement of nothing, for one who asks whether its batches would be taken: it has the limits and the clock.</summary>
    private async Task TellLimitsAsync(HttpContext context)
    {
        var current = parts.Settings();
        if (await IdentifyAsync(context, current) is null)
        {
            return;
        }

        var ack = new IngestAck([], UnixMillis.Now(parts.Time), current.Limits).Encode();
        context.Response.ContentType = IngestAck.MediaType;
        context.Response.ContentLength = ack.Length;
        await context.Response.Body.WriteAsync(ack, context.RequestAborted);
    }

    private async Task TakeBatchAsync(HttpContext context)
    {
        Interlocked.Increment(ref parts.Metrics.Requests);
        var current = parts.Settings();
        var receivedAt = UnixMillis.Now(parts.Time);
        if (await IdentifyAsync(context, current) is not { } owner)
        {
            return;
        }

        // From here on the sender is known, so what it says about itself is kept whatever becomes of its batches.
        using var body = new RequestBody(parts.Budget);
        if (RefusalByHeaders(context, owner.AgentId, receivedAt, current.Limits, out var request) is not { } outcome)
        {
            outcome = await body.ReadAsync(context.Request, current.Limits.BodyBytesMax, context.RequestAborted) is var status and not BodyStatus.Ok
                ? Refused(RefusalByBody(status, current.Limits))
                : await parts.Pipeline.ProcessAsync(request, Counted(body.Bytes));
        }

        if (parts.Reports is { } reports)
        {
            reports.Report(ReportOf(context, owner.AgentId, receivedAt, outcome, request));
        }

        body.Dispose(); // the client may take its time over the answer
        await AnswerAsync(context, owner.AgentId, outcome, current);
    }

    private ReadOnlyMemory<byte> Counted(ReadOnlyMemory<byte> body)
    {
        Interlocked.Add(ref parts.Metrics.BodyBytes, body.Length);
        return body;
    }

    private IngestOutcome? RefusalByHeaders(HttpContext context, string agentId, UnixMillis receivedAt, Limits limits, out IngestRequest request)
    {
        request = default;
        if (RefusalByHeaders(context.Request, limits) is { } refusal)
        {
            return Refused(refusal);
        }

        if (RequestHeaders.TryRead(context.Request.Headers, agentId, receivedAt, out request) is { } fault)
        {
            return Refused(IngestOutcome.Refused(400, ProblemCode.MalformedBatch, fault));
        }

        if (isDraining)
        {
            return Refused(IngestOutcome.Refused(503, ProblemCode.Draining, "the collector is stopping; keep the batch and send it again"));
        }

        return parts.Hold() is { } reason ? Refused(IngestOutcome.Refused(503, ProblemCode.StoreUnreachable, reason)) : null;
    }

    private static IngestOutcome RefusalByBody(BodyStatus status, Limits limits) => status switch
    {
        BodyStatus.TooLarge => BodyTooLarge(limits),
        BodyStatus.Broken => IngestOutcome.Refused(400, IngestMetrics.BadRequest, "the body's chunks cannot be read"),
        _ => IngestOutcome.Refused(429, ProblemCode.Rate, "too many requests are being taken at the moment"),
    };

    private static string? RefusalByIdentity(HttpContext context, in TokenOwner owner, IngestSettings current)
    {
        var named = context.Request.Headers[BatchHeaders.Agent];
        if (named.Count != 1 || !string.Equals(named[0], owner.AgentId, StringComparison.Ordinal))
        {
            return named.Count == 0
                ? $"{BatchHeaders.Agent} is missing; it must name the agent that the token belongs to"
                : $"{BatchHeaders.Agent} names another agent than the one that the token belongs to";
        }

        return ClientNames.RefusalOf(context, owner.AgentId, current.Tls);
    }

    private static IngestOutcome? RefusalByHeaders(HttpRequest request, Limits limits)
    {
        if (!IsBatchType(request.ContentType))
        {
            return IngestOutcome.Refused(415, ProblemCode.UnsupportedMediaType, $"Content-Type must be {IngestAck.MediaType}");
        }

        var encoding = request.Headers.ContentEncoding;
        if (encoding.Count > 0 && !string.Equals(encoding.ToString(), "identity", StringComparison.OrdinalIgnoreCase))
        {
            return IngestOutcome.Refused(
                415, ProblemCode.UnsupportedMediaType, "Content-Encoding is not used here: a frame's own flag says that its payload is zstd");
        }

        return request.ContentLength > limits.BodyBytesMax ? BodyTooLarge(limits) : null;
    }

    private static bool IsBatchType(string? contentType)
    {
        var type = contentType.AsSpan();
        var parameters = type.IndexOf(';');
        return (parameters < 0 ? type : type[..parameters]).Trim(' ').Equals(IngestAck.MediaType, StringComparison.OrdinalIgnoreCase);
    }

    private static IngestOutcome BodyTooLarge(Limits limits) => IngestOutcome.Refused(
        413, ProblemCode.BodyTooLarge, $"the body is longer than max_body_bytes, which is {limits.BodyBytesMax}; send fewer frames in a request");

    private Task AnswerAsync(HttpContext context, string agentId, IngestOutcome outcome, IngestSettings current)
    {
        if (Array.Find(outcome.Frames, static frame => frame.Status == 409) is { } conflict)
        {
            IngestLog.SequenceConflict(parts.Logger, agentId, conflict.Detail);
        }

        if (!outcome.IsAck)
        {
            var first = outcome.Frames[0];
            IngestLog.RequestRefused(parts.Logger, first.Status, first.Code, first.Detail);
            CloseAfterRefusal(context, first.Status);
            return IngestProblem.WriteAsync(context, first.Status, first.Code, first.Detail);
        }

        var ack = new IngestAck(outcome.Frames, UnixMillis.Now(parts.Time), current.Limits).Encode();
        context.Response.ContentType = IngestAck.MediaType;
        context.Response.ContentLength = ack.Length;
        return context.Response.Body.WriteAsync(ack, context.RequestAborted).AsTask();
    }

    private AgentReport ReportOf(HttpContext context, string agentId, UnixMillis receivedAt, IngestOutcome outcome, in IngestRequest request)
    {
        var headers = context.Request.Headers;
        var (accepted, duplicates, refused, tooOld, overLimit, code) = (0, 0, 0, 0, 0, default(string));
        foreach (var frame in outcome.Frames)
        {
            accepted += frame.Outcome == FrameOutcome.Accepted ? 1 : 0;
            duplicates += frame.Outcome == FrameOutcome.Duplicate ? 1 : 0;
            refused += frame.Outcome == FrameOutcome.Refused ? 1 : 0;
            code = frame.Outcome == FrameOutcome.Refused ? frame.Code : code;
            tooOld += frame.DroppedTooOld;
            overLimit += frame.DroppedOverLimit;
        }

        IngestLog.RequestDone(parts.Logger, agentId, accepted, duplicates, refused, code);
        return new AgentReport
        {
            AgentId = agentId,
            ReceivedAt = receivedAt,
            SentAt = request.SentAt,
            QueueId = outcome.QueueId,
            UserAgent = RequestHeaders.UserAgent(headers),
            Queue = RequestHeaders.TryReadQueue(headers[BatchHeaders.Queue]),
            IntervalMs = outcome.IntervalMs,
            Accepted = accepted,
            Duplicates = duplicates,
            Refused = refused,
            LastRefusal = code,
            DroppedTooOld = tooOld,
            DroppedOverLimit = overLimit,
        };
    }

    private Task RefuseMethodAsync(HttpContext context, string allowed)
    {
        context.Response.Headers.Allow = allowed;
        return RefuseAsync(context, 405, IngestMetrics.BadRequest, $"allowed here is {allowed}");
    }

    private async Task RefuseAsync(HttpContext context, int status, string code, string detail)
    {
        parts.Metrics.Refuse(code);
        if (context.Response.HasStarted)
        {
            context.Abort(); // half an answer is no answer
            return;
        }

        CloseAfterRefusal(context, status);
        await IngestProblem.WriteAsync(context, status, code, detail);
    }

    private IngestOutcome Refused(IngestOutcome outcome)
    {
        parts.Metrics.Refuse(outcome.Frames[0].Code);
        return outcome;
    }

    // After a refusal of the request itself nobody knows whether sender and server agree where its body ends (Kestrel takes "Content-Length: +5",
    // others do not): what follows must not pass for the next request. What an agent meets in ordinary work, 409, 429 and 503, keeps the connection.
    private static void CloseAfterRefusal(HttpContext context, int status)
    {
        if (status is (>= 400 and < 409) or 413 or 415
            && context.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: true }
            && !HttpProtocol.IsHttp2(context.Request.Protocol))
        {
            context.Response.Headers.Connection = "close";
        }
    }

    private static string CodeOf(int status) => status switch
    {
        413 => ProblemCode.BodyTooLarge,
        _ => IngestMetrics.BadRequest,
    };
}

/// <summary>What the endpoint works with.</summary>
/// <param name="Settings">The settings as they are now.</param>
/// <param name="Pipeline">Where bodies of batches go.</param>
/// <param name="Writes">Where bodies of remote write go.</param>
/// <param name="Budget">Memory for bodies.</param>
/// <param name="Metrics">Its counters.</param>
/// <param name="Reports">Who hears about agents; null for nobody.</param>
/// <param name="Time">The clock.</param>
/// <param name="Logger">Its log.</param>
internal sealed record IngestEndpointParts(
    Func<IngestSettings> Settings, IngestPipeline Pipeline, RemoteWritePipeline Writes, MemoryBudget Budget, IngestMetrics Metrics, IAgentReports? Reports, TimeProvider Time,
    ILogger Logger)
{
    /// <summary>Why nothing may be taken yet; null when it may.</summary>
    public Func<string?> Hold { get; init; } = static () => null;
}
