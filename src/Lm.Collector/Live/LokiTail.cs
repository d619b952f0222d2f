using System.Globalization;
using System.IO.Pipelines;
using System.Net.WebSockets;
using Lm.Collector.Console;
using Lm.Collector.Listeners;
using Lm.Collector.Query;
using Lm.Logs.Query;
using Lm.Platform;
using Microsoft.AspNetCore.WebSockets;
using Microsoft.Extensions.Options;

namespace Lm.Collector.Live;

/// <summary><c>/loki/api/v1/tail</c>: the newest stored lines and then each that comes, over a WebSocket, for Grafana's Live button and <c>logcli --tail</c>.</summary>
/// <remarks>Source: https://grafana.com/docs/loki/latest/reference/loki-http-api/#stream-logs. Lines are told when they come: there are no ingesters whose lines
/// <c>delay_for</c> would have to wait for.</remarks>
internal sealed class LokiTail
{
    private const int DelayMax = 5; // seconds, Loki's own bound
    private const long HourMs = 3_600_000;
    private const long HeldBytesMax = 32L << 20;

    // A client that is this far behind is waited for, and misses what the live stream cannot keep meanwhile.
    private const long BytesAheadMax = 1L << 20;

    private static readonly TimeSpan CloseMax = TimeSpan.FromSeconds(2);

    private readonly PrivateServices services;
    private readonly LogSearch search;
    private readonly LiveHub hub;
    private readonly RequestGuard guard;
    private readonly WebSocketMiddleware sockets;

    /// <param name="services">The collector's parts.</param>
    /// <param name="search">Finds the lines there are.</param>
    /// <param name="hub">Tells those that come.</param>
    /// <param name="guard">Who may listen.</param>
    public LokiTail(PrivateServices services, LogSearch search, LiveHub hub, RequestGuard guard)
    {
        (this.services, this.search, this.hub, this.guard) = (services, search, hub, guard);
        var options = new WebSocketOptions { KeepAliveInterval = LiveHub.HeartbeatInterval, KeepAliveTimeout = 2 * LiveHub.HeartbeatInterval };
        sockets = new WebSocketMiddleware(AnswerAsync, Options.Create(options), services.Loggers);
    }

    /// <summary>Answers one request, for as long as the client stays.</summary>
    public Task HandleAsync(HttpContext context) => sockets.Invoke(context);

    private async Task AnswerAsync(HttpContext context)
    {
        if (RefusalOf(context) is { } refusal)
        {
            await LokiAnswers.WriteErrorAsync(context, refusal);
            return;
        }

        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: BytesAheadMax, resumeWriterThreshold: BytesAheadMax / 2, useSynchronizationContext: false));
        LiveListener? listener = null;
        try
        {
            // It listens before it searches: what comes meanwhile is told, and left out where the search has found it already.
            var (_, found, error) = await search.RunAsync(context, Read, (ask, work) =>
            {
                listener = hub.TryListen(pipe.Writer, ask.Filter, null);
                return Task.FromResult(listener is null ? new Newest([]) : Find(ask, work));
            });
            if (error is not null)
            {
                await LokiAnswers.WriteErrorAsync(context, error);
            }
            else if (listener is null)
            {
                context.Response.Headers.RetryAfter = "5";
                await LokiAnswers.WriteErrorAsync(context, SseEndpoint.NoRoom);
            }
            else
            {
                using var socket = await context.WebSockets.AcceptWebSocketAsync();
                await TellAsync(context, socket, listener, pipe, found!);
            }
        }
        finally
        {
            if (listener is not null)
            {
                listener.End();
                await pipe.Reader.CompleteAsync();
                await listener.Done; // the hub writes no more
            }
        }
    }

    // A page of another origin may open a WebSocket with the session's cookie where its site is the same: unlike any other answer it could read this one.
    private ApiError? RefusalOf(HttpContext context) => context switch
    {
        { WebSockets.IsWebSocketRequest: false } => ApiError.BadData("this path takes WebSocket connections: send Upgrade: websocket; for server-sent events there is /api/v1/live"),
        _ when guard.RightOf(context) == RequestRight.Session && !RequestGuard.IsSameOrigin(context.Request) => new ApiError(
            StatusCodes.Status403Forbidden, "forbidden", "the request comes from another site: Origin must be this collector's address"),
        _ => null,
    };

    private TailAsk? Read(ApiRequest request)
    {
        var now = UnixMillis.Now(services.Time).Value;
        var start = LogTime.Of(request, "start", now - HourMs);
        var limit = LogAsk.ReadLimit(request, LogAsk.LinesMax);
        if (request.First("delay_for") is { } delay && !(int.TryParse(delay, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds <= DelayMax))
        {
            request.Fail("delay_for", $"whole seconds from 0 to {DelayMax} are allowed");
        }

        var query = LogAsk.ReadLinesQuery(request, request.First("query") ?? "");
        return request.Error is not null ? null : new TailAsk(
            query!, new LogRange { From = start, Until = LogTime.Max, IsBackward = true }, limit, new LiveFilter(LiveKinds.Entry, [], [], query!, $"tail\n{query}"));
    }

    private static Newest Find(TailAsk ask, LogWork work)
    {
        var (newest, bytes) = (new List<LogEntry>(), 0L);
        foreach (var entry in work.Engine.Lines(ask.Query, ask.Range, work.Statistics, work.CancellationToken).Take(ask.Limit))
        {
            bytes += entry.HeldBytes;
            if (bytes > HeldBytesMax && newest.Count > 0)
            {
                break; // fewer long lines to begin with
            }

            newest.Add(entry);
        }

        newest.Reverse();
        return new Newest(newest);
    }

    private async Task TellAsync(HttpContext context, WebSocket socket, LiveListener listener, Pipe pipe, Newest newest)
    {
        using var gone = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        var hearing = HearAsync(socket, gone);
        var staying = StayAsync(context, listener, pipe);
        try
        {
            await WriteAsync(socket, pipe.Reader, newest, gone.Token);
        }
        catch (Exception e) when (e is OperationCanceledException or WebSocketException or IOException or ObjectDisposedException)
        {
            // The client went away, in whichever way; there is nobody to tell.
        }

        listener.End();
        await pipe.Reader.CompleteAsync();
        await staying;
        await CloseAsync(socket);
        gone.CancelAfter(CloseMax); // the other side may say goodbye
        await hearing;
    }

    private async Task StayAsync(HttpContext context, LiveListener listener, Pipe pipe)
    {
        await SseEndpoint.StayAsync(context, listener, guard, services.Time);
        await pipe.Writer.CompleteAsync(); // by now nobody else writes
    }

    private async Task WriteAsync(WebSocket socket, PipeReader events, Newest newest, CancellationToken cancellationToken)
    {
        using var message = new TailMessage(services.Time);
        message.Add(newest.Lines);
        while (true)
        {
            if (message.Take() is { Length: > 0 } text)
            {
                await socket.SendAsync(text, WebSocketMessageType.Text, endOfMessage: true, cancellationToken);
            }

            var result = await events.ReadAsync(cancellationToken);
            var rest = message.Add(result.Buffer);
            events.AdvanceTo(rest, result.Buffer.End);
            if (result.IsCompleted)
            {
                return;
            }
        }
    }

    // Nothing that a client says is of interest but that it goes.
    private static async Task HearAsync(WebSocket socket, CancellationTokenSource gone)
    {
        var bytes = new byte[256];
        try
        {
            while ((await socket.ReceiveAsync(bytes.AsMemory(), gone.Token)).MessageType != WebSocketMessageType.Close)
            {
            }
        }
        catch (Exception e) when (e is OperationCanceledException or WebSocketException or IOException or ObjectDisposedException)
        {
            // As when it says so.
        }

        await gone.CancelAsync();
    }

    private static async Task CloseAsync(WebSocket socket)
    {
        using var deadline = new CancellationTokenSource(CloseMax);
        try
        {
            if (socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
            {
                await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, deadline.Token);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or WebSocketException or IOException or ObjectDisposedException)
        {
            // It is closed in any case.
        }
    }

    private sealed record Newest(IReadOnlyList<LogEntry> Lines);

    private sealed record TailAsk(LogQuery Query, LogRange Range, int Limit, LiveFilter Filter);
}
