using System.Net;
using Lm.Collector.Settings;
using Microsoft.Net.Http.Headers;

namespace Lm.Collector.Console;

/// <summary>Who may ask: Host headers, bearer tokens, session cookies, and where a browser's request came from.</summary>
internal sealed class RequestGuard(Func<QuerySettings> settings, SessionStore sessions)
{
    // Longer than any token or header that can be right; the check costs nothing then.
    private const int AuthorizationMax = 4096;

    private const string Scheme = "Bearer ";

    /// <summary>Whether the Host header names this collector. A foreign name that resolves here (DNS rebinding) would let a web page read
    /// answers as if they were its own.</summary>
    public bool IsKnownHost(HttpContext context)
    {
        var host = context.Request.Host.Host;
        if (host.Length == 0)
        {
            return false;
        }

        if (string.Equals(host, "localhost", StringComparison.OrdinalIgnoreCase))
        {
            return true;
        }

        if (IPAddress.TryParse(host, out var address))
        {
            // Of addresses: loopback, the one listened on, and the one the connection came to when that is any.
            var local = context.Connection.LocalIpAddress;
            if (IPAddress.IsLoopback(address) || address.Equals(settings().Listen.Address) || address.Equals(local)
                || (local is { IsIPv4MappedToIPv6: true } && address.Equals(local.MapToIPv4())))
            {
                return true;
            }
        }

        return settings().AllowedHosts.Contains(host, StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>By what right a request comes. Tokens are read from the Authorization header alone, never from a URL or a form.</summary>
    public RequestRight RightOf(HttpContext context)
    {
        if (BearerOf(context.Request) is { } token)
        {
            // A wrong token is wrong even beside a good cookie: no fallback that hides a mistake.
            return settings().Token.Matches(token) ? RequestRight.Token : RequestRight.WrongToken;
        }

        return CookieOf(context.Request) is { } cookie && sessions.Use(cookie, settings().Token) ? RequestRight.Session : RequestRight.None;
    }

    /// <summary>Whether a request that was let in, and goes on, would be let in now. Does not keep a session from going idle.</summary>
    public bool IsStillRight(HttpContext context) => BearerOf(context.Request) is { } token
        ? settings().Token.Matches(token)
        : CookieOf(context.Request) is { } cookie && sessions.IsOpen(cookie, settings().Token);

    /// <summary>The bearer token of the one Authorization header; null when there is none in this form.</summary>
    public static string? BearerOf(HttpRequest request)
    {
        var header = request.Headers.Authorization;
        return header is [{ Length: > 7 and <= AuthorizationMax } value] && value.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            ? value[Scheme.Length..].Trim(' ')
            : null;
    }

    /// <summary>The session cookie; null when there is none.</summary>
    public string? CookieOf(HttpRequest request) => request.Cookies.TryGetValue(CookieName(), out var value) ? value : null;

    /// <summary>The cookie's name. With TLS the prefix makes browsers insist on Secure (and on the path /, so that a neighbouring host cannot plant
    /// one); without, the port tells two collectors on one host apart, because cookies know no ports.</summary>
    public string CookieName()
    {
        var current = settings();
        return (current.Tls, current.BasePath) switch
        {
            (not null, "/") => "__Host-lm-session",
            (not null, _) => "__Secure-lm-session",
            _ => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"lm-session-{current.Listen.Port}"),
        };
    }

    /// <summary>The cookie's attributes.</summary>
    public CookieOptions CookieAttributes()
    {
        var current = settings();
        return new CookieOptions { HttpOnly = true, SameSite = Microsoft.AspNetCore.Http.SameSiteMode.Strict, Path = current.BasePath, Secure = current.Tls is not null, IsEssential = true };
    }

    /// <summary>Whether a browser's unsafe request came from a page of this collector: <c>Sec-Fetch-Site: same-origin</c>, or an Origin with
    /// the request's own host and port.</summary>
    public static bool IsSameOrigin(HttpRequest request)
    {
        var headers = request.Headers;
        if (headers["Sec-Fetch-Site"] is { Count: > 0 } site)
        {
            return site is ["same-origin"];
        }

        // The scheme is not compared: behind a proxy that ends TLS it differs by right.
        return headers.Origin is [{ } origin] && Uri.TryCreate(origin, UriKind.Absolute, out var uri)
            && string.Equals(uri.Authority, request.Host.Value, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>Whether the body is declared as JSON, which no HTML form can send.</summary>
    public static bool IsJson(HttpRequest request) =>
        MediaTypeHeaderValue.TryParse(request.ContentType, out var type) && type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase);
}

/// <summary>By what right a request comes.</summary>
internal enum RequestRight
{
    /// <summary>By none: 401.</summary>
    None,

    /// <summary>By none, with a token that is not the query token: 401, and counted.</summary>
    WrongToken,

    /// <summary>By the query token.</summary>
    Token,

    /// <summary>By a session cookie: unsafe methods need a same-origin check, too.</summary>
    Session,
}
