using Lm.Collector.Console;
using Lm.Collector.Listeners;
using Lm.Collector.Query;

namespace Lm.Collector.Live;

/// <summary><c>/api/v1/live</c>: what comes in, as server-sent events.</summary>
internal sealed class SseEndpoint(PrivateServices services, LiveHub hub, RequestGuard guard)
{
    // A token that was replaced, or a session that ended, ends the stream within this time.
    private static readonly TimeSpan RightCheck = TimeSpan.FromSeconds(15);

    /// <summary>The answer where as many listen as may.</summary>
    public static readonly ApiError NoRoom = new(StatusCodes.Status503ServiceUnavailable, "unavailable",
        $"{LiveHub.ListenersMax} clients listen already, or the collector is stopping; try again later");

    /// <summary>Waits until a client has gone, may listen no longer, or the hub has let go of it; nothing more is written to it then.</summary>
    public static async Task StayAsync(HttpContext context, LiveListener listener, RequestGuard guard, TimeProvider time)
    {
        await using var gone = context.RequestAborted.Register(listener.End);
        await using var check = time.CreateTimer(
            _ =>
            {
                if (!guard.IsStillRight(context))
                {
                    listener.End();
                }
            },
            null,
            RightCheck,
            RightCheck);
        await listener.Done;
    }

    /// <summary>Answers one request, for as long as the client stays.</summary>
    public async Task HandleAsync(HttpContext context)
    {
        var (request, error) = await ApiRequest.ReadAsync(context.Request, services.Settings().PromqlSemantics, context.RequestAborted);
        var filter = request is null ? null : LiveRequest.Read(request);
        error ??= request!.Error;
        if (error is not null)
        {
            await error.WriteAsync(context.Response);
            return;
        }

        var response = context.Response;
        response.ContentType = "text/event-stream";
        response.Headers["X-Accel-Buffering"] = "no"; // a proxy that gathers would hold events back
        if (HttpMethods.IsHead(context.Request.Method))
        {
            return;
        }

        if (hub.TryListen(response.BodyWriter, filter!, LiveRequest.LastEventId(context.Request, request!)) is not { } listener)
        {
            response.ContentType = null;
            response.Headers.RetryAfter = "5";
            await NoRoom.WriteAsync(response);
            return;
        }

        await StayAsync(context, listener, guard, services.Time);
    }
}
