using System.Buffers;
using System.Text.Json;
using Lm.Protocol;

namespace Lm.Collector.Ingest;

/// <summary>A refusal as <c>application/problem+json</c> (RFC 9457) with a stable <c>code</c>.</summary>
internal static class IngestProblem
{
    /// <summary>The media type.</summary>
    public const string MediaType = "application/problem+json";

    /// <summary>How long an agent should wait before it tries again, seconds; 0 where waiting does not help.</summary>
    public static int RetryAfterSeconds(string code) => code switch
    {
        ProblemCode.SpoolFull => 15,
        ProblemCode.ClockSuspect => 30,
        ProblemCode.StoreUnreachable => 5,
        ProblemCode.Draining => 5,
        ProblemCode.Rate => 1,
        _ => 0,
    };

    /// <summary>Answers with a problem.</summary>
    public static Task WriteAsync(HttpContext context, int status, string code, string detail)
    {
        var response = context.Response;
        response.StatusCode = status;
        response.ContentType = MediaType;
        if (RetryAfterSeconds(code) is > 0 and var seconds && status is 429 or 503)
        {
            response.Headers.RetryAfter = seconds.ToString(System.Globalization.CultureInfo.InvariantCulture);
        }

        if (status == 401)
        {
            response.Headers.WWWAuthenticate = "Bearer";
        }

        var body = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(body))
        {
            json.WriteStartObject();
            json.WriteString("type"u8, "about:blank"u8);
            json.WriteString("title"u8, TitleOf(status));
            json.WriteNumber("status"u8, status);
            json.WriteString("detail"u8, detail);
            json.WriteString("code"u8, code);
            json.WriteEndObject();
        }

        response.ContentLength = body.WrittenCount;
        return response.Body.WriteAsync(body.WrittenMemory, context.RequestAborted).AsTask();
    }

    private static string TitleOf(int status) => status switch
    {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        429 => "Too Many Requests",
        503 => "Service Unavailable",
        _ => "Error",
    };
}
