using System.Globalization;
using Lm.Collector.Query;

namespace Lm.Collector.Console;

/// <summary>Answers a wrong token, the same at sign-in and at every other path: 401, and 429 once an address has sent too many.</summary>
internal sealed class WrongTokens(WrongTokenLimiter limiter, ILogger<WrongTokens> logger)
{
    /// <summary>Counts a wrong token and says what to answer.</summary>
    /// <returns>Null while the address has not sent too many; <c>Retry-After</c> is set when it has.</returns>
    public ApiError? Count(HttpContext context)
    {
        var source = context.Connection.RemoteIpAddress;
        var failures = limiter.Failed(source, out var windowLeft);
        if (failures <= WrongTokenLimiter.FailuresMax)
        {
            return null;
        }

        var seconds = (int)Math.Ceiling(windowLeft.TotalSeconds);
        if (failures == WrongTokenLimiter.FailuresMax + 1)
        {
            ConsoleLog.TooManyWrongTokens(logger, source, WrongTokenLimiter.FailuresMax, seconds); // once a window
        }

        context.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        return new ApiError(StatusCodes.Status429TooManyRequests, "too_many_requests",
            $"more than {WrongTokenLimiter.FailuresMax} wrong tokens within a minute came from your address, and this is another one; wait {seconds} s, or send the right one");
    }
}
