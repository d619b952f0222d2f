using System.Globalization;
using Lm.Collector.Listeners;
using Lm.Logs.Query;
using Lm.Platform;

namespace Lm.Collector.Query;

/// <summary>Loki's <c>index/volume</c> and <c>index/volume_range</c>: how many bytes of lines there are, by labels of streams.</summary>
/// <remarks>Source: https://grafana.com/docs/loki/latest/reference/loki-http-api/#query-log-volume. The lines are read for it, so the numbers are exact.</remarks>
internal sealed class LokiVolume(PrivateServices services, LogSearch search)
{
    private const int SeriesUsual = 100;
    private const int SeriesMax = 10_000;

    /// <summary>Answers <c>index/volume</c>.</summary>
    public Task VolumeAsync(HttpContext context) => AnswerAsync(context, isRange: false);

    /// <summary>Answers <c>index/volume_range</c>.</summary>
    public Task RangeAsync(HttpContext context) => AnswerAsync(context, isRange: true);

    private Task AnswerAsync(HttpContext context, bool isRange) => LokiAnswers.AnswerAsync(
        context,
        search,
        request => Read(request, isRange),
        (ask, work) =>
        {
            var began = services.Time.GetTimestamp();
            var metric = Find(ask, work, isRange ? 0 : 1);
            return new Volume(metric, work, services.Time.GetElapsedTime(began));
        },
        async (_, volume) =>
        {
            var json = ApiAnswer.Begin(context.Response);
            json.Raw("{"u8);
            await LogJson.MetricAsync(json, volume.Metric, isRange, context.RequestAborted);
            LokiAnswers.WriteStatistics(json, volume.Work, volume.Took, 0);
            json.Raw("}"u8);
            await ApiAnswer.EndAsync(json, LogJson.Warnings(volume.Work.Statistics), [], context.RequestAborted);
        });

    private VolumeAsk? Read(ApiRequest request, bool isRange)
    {
        var now = UnixMillis.Now(services.Time).Value;
        var (start, end) = LokiAnswers.ReadSpan(request, now);
        var selector = LogAsk.ReadSelector(request, request.First("query") ?? "{}");
        var step = isRange ? LogAsk.ReadStep(request, end - start) : Math.Max(1, end - start);
        if (end <= start || (end - start) / step >= LogQueryEngine.StepsMax)
        {
            request.Fail("step", $"end must be behind start, with at most {LogQueryEngine.StepsMax} steps between them");
        }

        var byLabels = request.First("aggregateBy") ?? "series";
        if (byLabels is not ("series" or "labels"))
        {
            request.Fail("aggregateBy", "series and labels are allowed");
        }

        if (!int.TryParse(request.First("limit") ?? "", NumberStyles.None, CultureInfo.InvariantCulture, out var limit))
        {
            limit = SeriesUsual;
        }

        var names = request.First("targetLabels")?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];
        return request.Error is not null ? null : new VolumeAsk
        {
            Streams = new StreamAsk(start, end, selector!),
            Labels = names.Length > 0 || byLabels == "labels" ? names : [.. selector!.Labels],
            ByLabels = byLabels == "labels",
            StepMs = step,
            Limit = Math.Clamp(limit, 1, SeriesMax),
        };
    }

    private LogMetric Find(VolumeAsk ask, LogWork work, long shiftMs)
    {
        var (start, end, selector) = ask.Streams;
        string[] labels = ask.Labels.Length > 0
            ? ask.Labels
            : [.. search.Streams(start, end, selector, work.CancellationToken).SelectMany(stream => stream.Labels).Select(label => label.Name).Distinct(StringComparer.Ordinal)];

        var series = Measure(ask, labels, work).Where(static member => member.Labels.Count > 0);
        return new LogMetric
        {
            IsScalar = false,
            Series =
            [
                .. (ask.ByLabels ? ByLabels(series) : series).Select(member => (Series: member, Sum: member.Values.Sum()))
                    .OrderByDescending(member => member.Sum)
                    .ThenBy(member => string.Concat(member.Series.Labels.Select(label => $"{label.Name}\0{label.Value}\0")), StringComparer.Ordinal)
                    .Take(ask.Limit).Select(member => member.Series with { Times = [.. member.Series.Times.Select(time => time + shiftMs)] }),
            ],
        };
    }

    // A window has its end and not its start, these have their start and not their end. A step's time is that of its last millisecond, as in Loki; that
    // of one number for the whole range is the range's end.
    private static IEnumerable<LogSeries> Measure(VolumeAsk ask, string[] labels, LogWork work)
    {
        var (start, end, selector) = ask.Streams;
        var whole = (end - start) / ask.StepMs * ask.StepMs;
        IReadOnlyList<LogSeries> steps = whole == 0 ? [] : work.Engine.Range(
            LogQuery.BytesOf(selector, labels, ask.StepMs), start + ask.StepMs - 1, start + whole - 1, ask.StepMs, work.Statistics, work.CancellationToken).Series;
        var rest = end - start - whole;
        IReadOnlyList<LogSeries> last = rest == 0 ? [] : work.Engine.Instant(LogQuery.BytesOf(selector, labels, rest), end - 1, work.Statistics, work.CancellationToken).Series;
        return steps.Concat(last).GroupBy(static member => string.Concat(member.Labels.Select(label => $"{label.Name}\0{label.Value}\0")), StringComparer.Ordinal)
            .Select(static group => new LogSeries(group.First().Labels, [.. group.SelectMany(static member => member.Times)], [.. group.SelectMany(static member => member.Values)]));
    }

    // A label without a value: whatever it is.
    private static IEnumerable<LogSeries> ByLabels(IEnumerable<LogSeries> series) => series
        .SelectMany(static member => member.Labels, static (member, label) => (member, label.Name))
        .GroupBy(static pair => pair.Name, static pair => pair.member, StringComparer.Ordinal)
        .Select(static group =>
        {
            var sums = new SortedDictionary<long, double>();
            foreach (var (time, value) in group.SelectMany(static member => member.Times.Zip(member.Values)))
            {
                sums[time] = sums.GetValueOrDefault(time) + value;
            }

            return new LogSeries([new(group.Key, "")], [.. sums.Keys], [.. sums.Values]);
        });

    private sealed record VolumeAsk
    {
        public required StreamAsk Streams { get; init; }

        public required string[] Labels { get; init; }

        public required bool ByLabels { get; init; }

        public required long StepMs { get; init; }

        public required int Limit { get; init; }
    }

    private sealed record Volume(LogMetric Metric, LogWork Work, TimeSpan Took);
}
