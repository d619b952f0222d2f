using System.Globalization;
using Lm.Collector.Query;
using Lm.Collector.Settings;

namespace Lm.Collector.Console;

/// <summary><c>/api/v1/admin/sessions</c>: who is signed in, and ending a session.</summary>
internal sealed class SessionsEndpoint(Func<QuerySettings> settings, SessionStore sessions, RequestGuard guard)
{
    /// <summary>What the paths of single sessions begin with.</summary>
    public const string Prefix = "/api/v1/admin/sessions/";

    /// <summary>Answers with all of them.</summary>
    public async Task ListAsync(HttpContext context)
    {
        await using var json = ApiJson.Begin(context.Response);
        json.WriteStartArray();
        foreach (var session in sessions.List(guard.CookieOf(context.Request), settings().Token))
        {
            json.WriteStartObject();
            json.WriteNumber("id"u8, session.Number);
            json.WriteString("from"u8, session.From);
            json.WriteNumber("age_ms"u8, (long)session.Age.TotalMilliseconds);
            json.WriteNumber("idle_ms"u8, (long)session.Idle.TotalMilliseconds);
            json.WriteBoolean("is_this"u8, session.IsMine);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        await ApiJson.EndAsync(json, context.Response, context.RequestAborted);
    }

    /// <summary>Ends one.</summary>
    /// <param name="context">The request.</param>
    /// <param name="id">Its number.</param>
    public Task CloseAsync(HttpContext context, string id) => long.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && sessions.Close(number)
        ? ApiAnswer.WriteAsync(context, "null"u8).AsTask()
        : new ApiError(StatusCodes.Status404NotFound, "not_found", "there is no such session: it may have ended by itself").WriteAsync(context.Response);
}
