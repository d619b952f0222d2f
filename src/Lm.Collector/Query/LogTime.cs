using System.Globalization;
using Lm.Collector.Series;

namespace Lm.Collector.Query;

/// <summary>Times as log queries have them: Unix seconds, with decimals or up to ten digits; nanoseconds, more digits; RFC 3339.</summary>
/// <remarks>Source: https://grafana.com/docs/loki/latest/reference/loki-http-api/#timestamps.</remarks>
internal static class LogTime
{
    /// <summary>The latest time, milliseconds: the end of year 9999.</summary>
    public const long Max = 253_402_300_800_000;

    private const int SecondsDigitsMax = 10;
    private const long NanosecondsOfMillisecond = 1_000_000;

    /// <summary>Reads one.</summary>
    /// <param name="text">The text.</param>
    /// <param name="milliseconds">The first millisecond that is not before it, within 1970 to 9999.</param>
    public static bool TryParse(string text, out long milliseconds)
    {
        var found = TryParse(text, out milliseconds, out var rest);
        milliseconds = Clamp(milliseconds + (rest > 0 ? 1 : 0));
        return found;
    }

    /// <summary>Reads one with what nanoseconds have behind the millisecond; of the other forms that is rounded away.</summary>
    /// <param name="text">The text.</param>
    /// <param name="milliseconds">The millisecond that it lies in, within 1970 to 9999.</param>
    /// <param name="nanoseconds">How far behind its beginning, 0 to 999,999.</param>
    public static bool TryParse(string text, out long milliseconds, out int nanoseconds)
    {
        nanoseconds = 0;
        if (text.AsSpan().TrimStart('-').Length > SecondsDigitsMax && long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var all))
        {
            milliseconds = Clamp(Math.DivRem(all, NanosecondsOfMillisecond, out var rest));
            nanoseconds = all < 0 ? 0 : (int)rest;
            return true;
        }

        var found = PromNumber.TryParseTime(text, out milliseconds);
        milliseconds = Clamp(milliseconds);
        return found;
    }

    /// <summary>A parameter's time; notes a fault when it is none.</summary>
    public static long Of(ApiRequest request, string name, long otherwise)
    {
        if (request.First(name) is not { } text)
        {
            return Clamp(otherwise);
        }

        if (!TryParse(text, out var time))
        {
            request.Fail(name, $"'{(text.Length <= 64 ? text : text[..64] + "…")}' is no time: Unix seconds, Unix nanoseconds and RFC 3339 are allowed");
        }

        return time;
    }

    private static long Clamp(long milliseconds) => Math.Clamp(milliseconds, 0, Max);
}
