using System.Globalization;
using Lm.Logs.Query;
using Lm.Platform;

namespace Lm.Collector.Query;

/// <summary>What a request asks of stored lines.</summary>
internal record LogAsk
{
    /// <summary>Most lines in an answer that is held in memory before it is sent.</summary>
    public const int LinesMax = 5000;

    /// <summary>Most lines in an answer that is sent as it is found.</summary>
    public const int StreamedLinesMax = 1_000_000;

    /// <summary>How many lines without a limit.</summary>
    public const int LinesUsual = 100;

    /// <summary>The query for all lines.</summary>
    public const string AllLines = "{instance=~\".+\"}";

    /// <summary>How many steps of a metric query without a step.</summary>
    private const int StepsUsual = 250;

    private const long HourMs = 3_600_000;

    /// <summary>The query.</summary>
    public required LogQuery Query { get; init; }

    /// <summary>The earliest time, milliseconds.</summary>
    public required long Start { get; init; }

    /// <summary>The first time that no longer belongs to it; the last time of a metric query.</summary>
    public required long End { get; init; }

    /// <summary>How many lines.</summary>
    public required int Limit { get; init; }

    /// <summary>Newest first.</summary>
    public required bool IsBackward { get; init; }

    /// <summary>Between two times of a metric query, milliseconds.</summary>
    public required long StepMs { get; init; }

    /// <summary>Where the page before ended; null for the first.</summary>
    public LogPosition? After { get; init; }

    /// <summary>The part of all lines that is meant.</summary>
    public LogRange Range => new() { From = Start, Until = End, IsBackward = IsBackward, After = After };

    /// <summary>Reads a request over a range; null when a fault is noted in it.</summary>
    /// <param name="request">The parameters.</param>
    /// <param name="now">The time.</param>
    /// <param name="linesMax">Most lines.</param>
    /// <param name="endsOpen">Without an end everything up to the newest is meant, also what a host's fast clock puts into the future.</param>
    public static LogAsk? ReadRange(ApiRequest request, UnixMillis now, int linesMax, bool endsOpen)
    {
        var hasEnd = request.First("end") is not null;
        var end = LogTime.Of(request, "end", endsOpen ? LogTime.Max : now.Value);
        var since = request.Duration("since") is { } nanoseconds ? nanoseconds / 1_000_000 : HourMs;
        var start = LogTime.Of(request, "start", (hasEnd ? end : now.Value) - since);
        if (request.Error is null && end < start)
        {
            request.Fail("end", "end must not be before start");
        }

        var query = ReadQuery(request);
        if (query is not null && query.IsMetric && end == LogTime.Max)
        {
            end = Math.Max(start, now.Value); // numbers are calculated for times, and there is none behind now
        }

        var step = ReadStep(request, end - start);
        if (request.Error is null && query!.IsMetric && (end - start) / step >= LogQueryEngine.StepsMax)
        {
            request.Fail("step", $"exceeded maximum resolution of {LogQueryEngine.StepsMax} points per timeseries; a step of {(end - start) / (LogQueryEngine.StepsMax * 1000) + 1}s would do");
        }

        var isBackward = ReadDirection(request);
        var after = ReadCursor(request);
        var limit = query is { IsMetric: true } ? linesMax : ReadLimit(request, linesMax); // of lines: numbers have limits of their own
        return request.Error is not null ? null : new LogAsk
        {
            Query = query!,
            Start = start,
            End = end,
            Limit = limit,
            IsBackward = isBackward,
            StepMs = step,
            After = after,
        };
    }

    /// <summary>Reads a query's text; null when a fault is noted.</summary>
    public static LogQuery? ReadQuery(ApiRequest request) => ReadQuery(request, request.First("query") ?? "");

    /// <summary>Reads the text of a query that must be one for lines; null when a fault is noted.</summary>
    /// <param name="request">The request.</param>
    /// <param name="text">The query.</param>
    public static LogQuery? ReadLinesQuery(ApiRequest request, string text)
    {
        var query = ReadQuery(request, text);
        if (query is not { IsMetric: true })
        {
            return query;
        }

        request.Fail("query", "a query for lines is expected here, this one gives numbers");
        return null;
    }

    /// <summary>Reads a selector that may be missing, and then selects all; null when a fault is noted.</summary>
    public static LogSelector? ReadSelector(ApiRequest request, string? text)
    {
        if (text is null)
        {
            return LogSelector.All;
        }

        if (!LogSelector.TryParse(text, out var selector, out var fault))
        {
            request.Fail(ApiError.BadData($"parse error at {fault}"));
        }

        return selector;
    }

    /// <summary>How many lines; a number above the most allowed is a fault.</summary>
    public static int ReadLimit(ApiRequest request, int most, string name = "limit", int usual = LinesUsual)
    {
        if (request.First(name) is not { } text)
        {
            return Math.Min(usual, most);
        }

        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) || limit < 1 || limit > most)
        {
            request.Fail(name, most == LinesMax
                ? $"a whole number from 1 to {LinesMax} is allowed; more lines come in pages, or from /api/v1/logs with Accept: application/x-ndjson"
                : $"a whole number from 1 to {most} is allowed");
        }

        return limit;
    }

    private static LogQuery? ReadQuery(ApiRequest request, string text)
    {
        if (!LogQuery.TryParse(text, out var query, out var fault))
        {
            request.Fail(ApiError.BadData($"parse error at {fault}"));
        }

        return query;
    }

    /// <summary>The step of a metric query over a range, milliseconds.</summary>
    public static long ReadStep(ApiRequest request, long range)
    {
        if (request.Duration("step") is not { } nanoseconds)
        {
            return Math.Max(1000, range / StepsUsual / 1000 * 1000);
        }

        if (nanoseconds < 1_000_000)
        {
            request.Fail("step", "at least a millisecond is allowed");
        }

        return Math.Max(1, nanoseconds / 1_000_000);
    }

    private static bool ReadDirection(ApiRequest request)
    {
        var text = request.First("direction") ?? "backward";
        var isBackward = text.Equals("backward", StringComparison.OrdinalIgnoreCase);
        if (!isBackward && !text.Equals("forward", StringComparison.OrdinalIgnoreCase))
        {
            request.Fail("direction", "backward (newest first) and forward are allowed");
        }

        return isBackward;
    }

    private static LogPosition? ReadCursor(ApiRequest request)
    {
        if (request.First("cursor") is not { } text)
        {
            return null;
        }

        if (!LogPosition.TryParse(text, out var position))
        {
            request.Fail("cursor", "it is not one that this API gave: the cursor of an answer, or the id of a line");
        }

        return position;
    }
}
