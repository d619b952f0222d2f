using Lm.Collector.Query;
using Lm.Collector.Settings;

namespace Lm.Collector.Console;

/// <summary><c>/api/v1/session</c>: sign in with the query token once, then by cookie; who am I; sign out.</summary>
internal sealed class SessionEndpoint(Func<QuerySettings> settings, SessionStore sessions, WrongTokens wrongTokens, RequestGuard guard, ConsoleMetrics metrics, ILogger<SessionEndpoint> logger)
{
    /// <summary>Answers one request.</summary>
    public Task HandleAsync(HttpContext context)
    {
        var request = context.Request;
        if (HttpMethods.IsPost(request.Method))
        {
            return SignInAsync(context);
        }

        return HttpMethods.IsDelete(request.Method) ? SignOutAsync(context) : DescribeAsync(context);
    }

    private Task SignInAsync(HttpContext context)
    {
        var request = context.Request;
        if (RefusalOf(request) is { } refusal)
        {
            return refusal.WriteAsync(context.Response);
        }

        var source = context.Connection.RemoteIpAddress;
        var token = RequestGuard.BearerOf(request);
        if (token is null || !settings().Token.Matches(token))
        {
            return RefuseSignInAsync(context, token is not null);
        }

        if (guard.CookieOf(request) is { } previous)
        {
            sessions.Close(previous); // a new id at every sign-in: one that was planted or seen before is worth nothing
        }

        context.Response.Cookies.Append(guard.CookieName(), sessions.Open(token, source?.ToString() ?? ""), guard.CookieAttributes());
        metrics.SignedIn();
        ConsoleLog.SignedIn(logger, source);
        return WriteStateAsync(context, isSignedIn: true);
    }

    private Task RefuseSignInAsync(HttpContext context, bool hasToken)
    {
        if (hasToken && wrongTokens.Count(context) is { } tooMany)
        {
            metrics.SignInLimited();
            return tooMany.WriteAsync(context.Response);
        }

        metrics.SignInRefused();
        ConsoleLog.SignInRefused(logger, context.Connection.RemoteIpAddress);
        context.Response.Headers.WWWAuthenticate = "Bearer";
        return new ApiError(StatusCodes.Status401Unauthorized, "unauthorized", hasToken
            ? "this is not the query token"
            : "no token: send the header Authorization: Bearer <query token>").WriteAsync(context.Response);
    }

    private Task SignOutAsync(HttpContext context)
    {
        if (RefusalOf(context.Request) is { } refusal)
        {
            return refusal.WriteAsync(context.Response);
        }

        if (guard.CookieOf(context.Request) is { } cookie)
        {
            sessions.Close(cookie);
            ConsoleLog.SignedOut(logger, context.Connection.RemoteIpAddress);
        }

        context.Response.Cookies.Delete(guard.CookieName(), guard.CookieAttributes());
        return WriteStateAsync(context, isSignedIn: false);
    }

    private Task DescribeAsync(HttpContext context)
    {
        var right = guard.RightOf(context);
        return right == RequestRight.WrongToken && wrongTokens.Count(context) is { } tooMany
            ? tooMany.WriteAsync(context.Response)
            : WriteStateAsync(context, right is RequestRight.Token or RequestRight.Session);
    }

    // A page elsewhere can make a browser send a POST, but neither with this content type nor as same-origin.
    private static ApiError? RefusalOf(HttpRequest request)
    {
        if (!RequestGuard.IsJson(request))
        {
            return new ApiError(StatusCodes.Status415UnsupportedMediaType, "bad_data", "Content-Type must be application/json; the body is not read");
        }

        // Programs send neither header; a browser always sends one.
        var isBrowser = request.Headers.Origin.Count > 0 || request.Headers["Sec-Fetch-Site"].Count > 0 || RequestGuard.BearerOf(request) is null;
        return isBrowser && !RequestGuard.IsSameOrigin(request)
            ? new ApiError(StatusCodes.Status403Forbidden, "forbidden", "the request comes from another site: Sec-Fetch-Site must be same-origin, or Origin this collector's address")
            : null;
    }

    private static async Task WriteStateAsync(HttpContext context, bool isSignedIn)
    {
        await using var writer = ApiJson.Begin(context.Response);
        writer.WriteStartObject();
        writer.WriteBoolean("signed_in"u8, isSignedIn);
        writer.WriteStartArray("scopes"u8);
        if (isSignedIn)
        {
            // One token, all rights; tokens with fewer come with later versions.
            writer.WriteStringValue("read"u8);
            writer.WriteStringValue("write"u8);
            writer.WriteStringValue("admin"u8);
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
        await ApiJson.EndAsync(writer, context.Response, context.RequestAborted);
    }
}
