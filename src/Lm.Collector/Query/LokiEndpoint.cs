using System.Globalization;
using Lm.Collector.Listeners;
using Lm.Logs;
using Lm.Logs.Query;
using Lm.Platform;

namespace Lm.Collector.Query;

/// <summary>Loki's read API over the same lines: for Grafana's Loki data source and logcli.</summary>
/// <remarks>Source: https://grafana.com/docs/loki/latest/reference/loki-http-api/. Errors are plain text, as Loki's.</remarks>
internal sealed class LokiEndpoint(PrivateServices services, LogSearch search)
{
    private const string EncodingHeader = "X-Loki-Response-Encoding-Flags";
    private const string Categorize = "categorize-labels";

    // Lines of an answer, which is held in memory.
    private const long HeldBytesMax = 128L << 20;

    private UnixMillis Now => UnixMillis.Now(services.Time);

    /// <summary>Answers <c>query_range</c>.</summary>
    public Task QueryRangeAsync(HttpContext context) =>
        AnswerAsync(context, request => LokiAsk.ReadRange(request, Now), Find, (_, found) => WriteAsync(context, found, isRange: true));

    /// <summary>Answers <c>query</c>: a metric query at one time.</summary>
    public Task QueryAsync(HttpContext context) => AnswerAsync(context, ReadInstant, Find, (_, found) => WriteAsync(context, found, isRange: false));

    /// <summary>Answers <c>labels</c>.</summary>
    public Task LabelsAsync(HttpContext context) => TextsAsync(context, static stream => stream.Labels.Select(static label => label.Name));

    /// <summary>Answers <c>label/{name}/values</c>.</summary>
    public Task ValuesAsync(HttpContext context, string name) =>
        TextsAsync(context, stream => stream[name] is { Length: > 0 } value ? [value] : []);

    /// <summary>Answers <c>series</c>: the streams of some selectors.</summary>
    public Task SeriesAsync(HttpContext context) => AnswerAsync(
        context,
        ReadSeries,
        (asks, work) => search.Streams(asks[0].Start, asks[0].End, asks.ConvertAll(static ask => ask.Selector), work.CancellationToken)
            .OrderBy(stream => string.Concat(stream.Labels.Select(label => $"{label.Name}\0{label.Value}\0")), StringComparer.Ordinal).ToArray(),
        async (_, streams) => await LogJson.ListAsync(context.Response, streams, static (json, stream) => LogJson.Labels(json, stream.Labels), context.RequestAborted));

    /// <summary>Answers <c>index/stats</c>: how much a query over a selector would read; Grafana shows it before it asks.</summary>
    public Task StatisticsAsync(HttpContext context) => AnswerAsync(
        context,
        ReadStreams,
        (ask, work) => new Stored(
            search.Streams(ask.Start, ask.End, ask.Selector, work.CancellationToken).Count, search.Measure(ask.Start, ask.End, ask.Selector, work.CancellationToken)),
        async (_, stored) =>
        {
            var json = LokiAnswers.BeginBare(context.Response);
            json.Raw("{\"streams\":"u8);
            json.Number(stored.Streams);
            json.Raw(",\"chunks\":"u8);
            json.Number(stored.Extent.Frames);
            json.Raw(",\"entries\":"u8);
            json.Number(stored.Extent.Lines);
            json.Raw(",\"bytes\":"u8);
            json.Number(stored.Extent.Bytes);
            json.Raw("}"u8);
            await json.FlushAsync(context.RequestAborted);
        });

    /// <summary>Answers <c>format_query</c>.</summary>
    public Task FormatAsync(HttpContext context) => AnswerAsync(context, LogAsk.ReadQuery, static (query, _) => query, async (query, _) =>
    {
        var json = ApiAnswer.Begin(context.Response);
        json.Text(query.ToString());
        await ApiAnswer.EndAsync(json, [], [], context.RequestAborted);
    });

    /// <summary>Answers <c>status/buildinfo</c>: Grafana asks it what the data source can do.</summary>
    public static async Task BuildInfoAsync(HttpContext context)
    {
        var json = LokiAnswers.BeginBare(context.Response);
        json.Raw("{\"version\":"u8);
        json.Text(BuildInfo.Version);
        json.Raw(",\"revision\":\"\",\"branch\":\"\",\"buildUser\":\"\",\"buildDate\":\"\",\"goVersion\":\"\"}"u8);
        await json.FlushAsync(context.RequestAborted);
    }

    private LokiAsk? ReadInstant(ApiRequest request)
    {
        var time = LogTime.Of(request, "time", Now.Value);
        var query = LogAsk.ReadQuery(request);
        if (query is { IsMetric: false })
        {
            request.Fail(ApiError.BadData("log queries are not supported as an instant query type, please change your query to a range query type"));
        }

        return request.Error is not null ? null : LokiAsk.OfInstant(new LogAsk { Query = query!, Start = time, End = time, Limit = 0, IsBackward = true, StepMs = 0 });
    }

    private List<StreamAsk>? ReadSeries(ApiRequest request)
    {
        var (start, end) = LokiAnswers.ReadSpan(request, Now.Value);
        var texts = request.All("match[]").Concat(request.All("match")).ToList();
        if (texts.Count > 64)
        {
            request.Fail("match[]", "at most 64 selectors are allowed");
            return null;
        }

        var selectors = texts.Count == 0 ? [LogSelector.All] : texts.ConvertAll(text => LogAsk.ReadSelector(request, text));
        return request.Error is null ? selectors.ConvertAll(selector => new StreamAsk(start, end, selector!)) : null;
    }

    private StreamAsk? ReadStreams(ApiRequest request) => LokiAnswers.ReadStreams(request, Now.Value);

    private Found Find(LokiAsk loki, LogWork work)
    {
        var began = services.Time.GetTimestamp();
        var ask = loki.Ask;
        if (ask.Query.IsMetric)
        {
            var metric = ask.StepMs == 0
                ? work.Engine.Instant(ask.Query, ask.Start, work.Statistics, work.CancellationToken)
                : work.Engine.Range(ask.Query, ask.Start, ask.End, ask.StepMs, work.Statistics, work.CancellationToken);
            return new Found([], metric, work, services.Time.GetElapsedTime(began));
        }

        return new Found(LokiLines.Find(loki, work, HeldBytesMax), null, work, services.Time.GetElapsedTime(began));
    }

    private Task TextsAsync(HttpContext context, Func<LogStream, IEnumerable<string>> choose) => AnswerAsync(
        context,
        ReadStreams,
        (ask, work) => search.Texts(ask.Start, ask.End, ask.Selector, choose, work.CancellationToken),
        async (_, texts) => await LogJson.ListAsync(context.Response, texts, static (json, text) => json.Text(text), context.RequestAborted));

    private Task AnswerAsync<TAsk, TFound>(HttpContext context, Func<ApiRequest, TAsk?> read, Func<TAsk, LogWork, TFound> find, Func<TAsk, TFound, Task> write)
        where TAsk : class
        where TFound : class => LokiAnswers.AnswerAsync(context, search, read, find, write);

    private static async Task WriteAsync(HttpContext context, Found found, bool isRange)
    {
        var isCategorized = context.Request.Headers[EncodingHeader].ToString().Contains(Categorize, StringComparison.OrdinalIgnoreCase);
        var json = ApiAnswer.Begin(context.Response);
        json.Raw("{"u8);
        if (found.Metric is { } metric)
        {
            await LogJson.MetricAsync(json, metric, isRange, context.RequestAborted);
        }
        else
        {
            json.Raw("\"resultType\":\"streams\""u8);
            json.Raw(isCategorized ? ",\"encodingFlags\":[\"categorize-labels\"],\"result\":["u8 : ",\"result\":["u8);
            await StreamsAsync(json, found.Lines, isCategorized, context.RequestAborted);
            json.Raw("]"u8);
        }

        LokiAnswers.WriteStatistics(json, found.Work, found.Took, found.Lines.Count);
        json.Raw("}"u8);
        await ApiAnswer.EndAsync(json, LogJson.Warnings(found.Work.Statistics), [], context.RequestAborted);
    }

    // A stream for each set of labels; its lines in the order that was asked for.
    private static async ValueTask StreamsAsync(JsonOutput json, IReadOnlyList<LokiLine> lines, bool isCategorized, CancellationToken cancellationToken)
    {
        var streams = lines.Select(line => (Line: line, Labels: isCategorized ? line.Entry.Labels : line.Entry.AllLabels(withLevel: true)))
            .GroupBy(pair => string.Concat(pair.Labels.Select(label => $"{label.Name}\0{label.Value}\0")), StringComparer.Ordinal)
            .OrderBy(group => group.Key, StringComparer.Ordinal);
        var isFirst = true;
        foreach (var stream in streams)
        {
            json.Raw(isFirst ? "{\"stream\":"u8 : ",{\"stream\":"u8);
            isFirst = false;
            LogJson.Labels(json, stream.First().Labels);
            json.Raw(",\"values\":["u8);
            var isFirstLine = true;
            foreach (var (line, _) in stream)
            {
                json.Raw(isFirstLine ? ""u8 : ","u8);
                isFirstLine = false;
                Value(json, line, isCategorized);
                if (json.IsFull)
                {
                    await json.FlushAsync(cancellationToken);
                }
            }

            json.Raw("]}"u8);
        }
    }

    private static void Value(JsonOutput json, in LokiLine line, bool isCategorized)
    {
        var entry = line.Entry;
        json.Raw("[\""u8);
        Time(json, line.Time);
        json.Raw("\","u8);
        json.Utf8Text(entry.Body.Span);
        if (isCategorized)
        {
            json.Raw(",{"u8);
            var metadata = entry.Level.Length == 0 ? entry.Attributes : [.. entry.Attributes, entry.LevelLabel];
            if (metadata.Count > 0)
            {
                json.Raw("\"structuredMetadata\":"u8);
                LogJson.Labels(json, metadata);
            }

            if (entry.Parsed.Count > 0)
            {
                json.Raw(metadata.Count > 0 ? ",\"parsed\":"u8 : "\"parsed\":"u8);
                LogJson.Labels(json, entry.Parsed);
            }

            json.Raw("}"u8);
        }

        json.Raw("]"u8);
    }

    // As nanoseconds, which need not fit into 64 bits.
    private static void Time(JsonOutput json, LokiTime time)
    {
        if (time.Milliseconds == 0)
        {
            json.Number(time.Nanoseconds);
            return;
        }

        json.Number(time.Milliseconds);
        Span<byte> digits = stackalloc byte[6];
        time.Nanoseconds.TryFormat(digits, out _, "D6", CultureInfo.InvariantCulture);
        json.Raw(digits);
    }

    private sealed record Stored(int Streams, LogExtent Extent);

    private sealed record Found(IReadOnlyList<LokiLine> Lines, LogMetric? Metric, LogWork Work, TimeSpan Took);
}
