using Lm.Platform;

namespace Lm.Collector.Query;

/// <summary>What a request of Loki's form asks of stored lines.</summary>
/// <param name="Ask">What other requests ask, too; its times are whole milliseconds.</param>
/// <param name="Start">The earliest time of lines.</param>
/// <param name="End">The first time of lines that no longer belongs to it.</param>
/// <param name="IntervalMs">How far lines are apart at least, milliseconds; 0: all are given.</param>
internal sealed record LokiAsk(LogAsk Ask, LokiTime Start, LokiTime End, long IntervalMs)
{
    /// <summary>Reads a request over a range; null when a fault is noted in it.</summary>
    public static LokiAsk? ReadRange(ApiRequest request, UnixMillis now)
    {
        var interval = request.Duration("interval") ?? 0;
        if (interval < 0)
        {
            request.Fail("interval", "it must not be negative");
        }

        var ask = LogAsk.ReadRange(request, now, LogAsk.LinesMax, endsOpen: false);
        return ask is null || request.Error is not null ? null : new LokiAsk(
            ask, LokiTime.Of(request, "start", ask.Start), LokiTime.Of(request, "end", ask.End), (interval + 999_999) / 1_000_000);
    }

    /// <summary>Of a request about one time.</summary>
    public static LokiAsk OfInstant(LogAsk ask) => new(ask, new LokiTime(ask.Start, 0), new LokiTime(ask.End, 0), 0);
}

/// <summary>A time as Loki's clients page by it.</summary>
/// <param name="Milliseconds">Since 1970-01-01T00:00:00Z.</param>
/// <param name="Nanoseconds">Behind them, 0 to 999,999.</param>
internal readonly record struct LokiTime(long Milliseconds, int Nanoseconds)
{
    /// <summary>A parameter's time, that was read before without a fault.</summary>
    public static LokiTime Of(ApiRequest request, string name, long otherwise) =>
        request.First(name) is { } text && LogTime.TryParse(text, out var milliseconds, out var nanoseconds) ? new LokiTime(milliseconds, nanoseconds) : new LokiTime(otherwise, 0);

    /// <summary>Whether it lies before another.</summary>
    public bool IsBefore(LokiTime other) => Milliseconds < other.Milliseconds || (Milliseconds == other.Milliseconds && Nanoseconds < other.Nanoseconds);
}
