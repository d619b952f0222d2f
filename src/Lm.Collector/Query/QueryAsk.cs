using Lm.Collector.Settings;
using Lm.Platform;
using Lm.PromQL;

namespace Lm.Collector.Query;

/// <summary>What a request asks the query engine.</summary>
internal sealed record QueryAsk
{
    /// <summary>Most points of one series in an answer, as in Prometheus.</summary>
    public const int PointsMax = 11_000;

    /// <summary>The query as it was asked.</summary>
    public required string Text { get; init; }

    /// <summary>The query.</summary>
    public required Expression Expression { get; init; }

    /// <summary>Whether it is asked for a range of times.</summary>
    public required bool IsRange { get; init; }

    /// <summary>The first time, milliseconds; the only one unless <see cref="IsRange"/>.</summary>
    public required long StartMs { get; init; }

    /// <summary>The last time.</summary>
    public required long EndMs { get; init; }

    /// <summary>Between two times; 0 unless <see cref="IsRange"/>.</summary>
    public required long StepMs { get; init; }

    /// <summary>How long it may take, waiting included.</summary>
    public required TimeSpan Timeout { get; init; }

    /// <summary>How old the newest sample may be.</summary>
    public required long LookbackMs { get; init; }

    /// <summary>How many series to answer with; 0 for all.</summary>
    public required int Limit { get; init; }

    /// <summary>Whether the answer tells what it took.</summary>
    public required bool WantsStatistics { get; init; }

    /// <summary>Reads an instant query; null when a fault is noted in the request.</summary>
    public static QueryAsk? ReadInstant(ApiRequest request, QuerySettings settings, UnixMillis now)
    {
        var limit = request.Limit();
        var time = request.Time("time", now.Value);
        return Read(request, settings, limit, time, time, 0);
    }

    /// <summary>Reads a range query; null when a fault is noted in the request.</summary>
    public static QueryAsk? ReadRange(ApiRequest request, QuerySettings settings)
    {
        const long nanosecondsOfMillisecond = 1_000_000;
        var limit = request.Limit();
        var start = request.RequiredTime("start");
        var end = request.RequiredTime("end");
        if (request.Error is null && end < start)
        {
            request.Fail("end", "end timestamp must not be before start time");
        }

        var step = request.Duration("step", isRequired: true)!.Value;
        if (request.Error is null && step < nanosecondsOfMillisecond)
        {
            request.Fail("step", "zero or negative query resolution step widths are not accepted. Try a positive integer");
        }

        if (request.Error is null && ((Int128)end - start) * nanosecondsOfMillisecond / step > PointsMax)
        {
            request.Fail(ApiError.BadData("exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)"));
        }

        return Read(request, settings, limit, start, end, step / nanosecondsOfMillisecond);
    }

    private static QueryAsk? Read(ApiRequest request, QuerySettings settings, int limit, long start, long end, long step)
    {
        var timeout = request.Duration("timeout") is { } wanted && wanted < settings.Timeout.Ticks * 100L ? TimeSpan.FromTicks(Math.Max(0, wanted / 100)) : settings.Timeout;
        var lookback = ReadLookback(request);
        if (request.Error is not null)
        {
            return null;
        }

        // A range query's faults come without the parameter's name in Prometheus 2.
        var isRange = step > 0;
        var prefix = isRange && request.IsV2 ? "" : "invalid parameter \"query\": ";
        var text = request.First("query") ?? "";
        if (!PromParser.TryParse(text, request.Semantics, out var expression, out var fault))
        {
            request.Fail(ApiError.BadData(prefix + fault));
            return null;
        }

        if (isRange && expression.Kind is (ValueKind.Text or ValueKind.Matrix))
        {
            request.Fail(ApiError.BadData(
                $"{prefix}invalid expression type \"{(expression.Kind == ValueKind.Text ? "string" : "range vector")}\" for range query, must be Scalar or instant Vector"));
            return null;
        }

        return new QueryAsk
        {
            Text = text,
            Expression = expression,
            IsRange = isRange,
            StartMs = start,
            EndMs = end,
            StepMs = step,
            Timeout = timeout,
            LookbackMs = lookback,
            Limit = limit,
            WantsStatistics = request.First("stats") is not null,
        };
    }

    // Prometheus 2.42 does not know the parameter.
    private static long ReadLookback(ApiRequest request)
    {
        var otherwise = new QueryEngineOptions().LookbackMs;
        if (request.IsV2 || request.First("lookback_delta") is not { } text)
        {
            return otherwise;
        }

        if (!ApiRequest.TryParseDuration(text, out var nanoseconds, out var reason))
        {
            request.Fail(ApiError.BadData($"error parsing lookback delta duration: {reason}"));
        }

        // Zero and less mean the default, as in Prometheus; less than a millisecond is one.
        return nanoseconds <= 0 ? otherwise : Math.Max(1, nanoseconds / 1_000_000);
    }
}
