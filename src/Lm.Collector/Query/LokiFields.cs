using System.Globalization;
using Lm.Collector.Listeners;
using Lm.Logs.Query;
using Lm.Platform;

namespace Lm.Collector.Query;

/// <summary>Loki's <c>detected_labels</c>, <c>detected_fields</c> and <c>detected_field/{name}/values</c>: what Grafana proposes while a query is written.</summary>
/// <remarks>Source: https://grafana.com/docs/loki/latest/reference/loki-http-api/. These answers are bare, without <c>status</c> and <c>data</c>.</remarks>
internal sealed class LokiFields(PrivateServices services, LogSearch search)
{
    private const int FieldsUsual = 1000;
    private const int LinesUsual = 1000;

    // Lines looked at and values found, in memory.
    private const long HeldBytesMax = 64L << 20;

    private UnixMillis Now => UnixMillis.Now(services.Time);

    /// <summary>Answers <c>detected_labels</c>: the labels of streams, and how many values each has.</summary>
    public Task LabelsAsync(HttpContext context) => LokiAnswers.AnswerAsync(
        context,
        search,
        request => LokiAnswers.ReadStreams(request, Now.Value),
        (ask, work) => search.Streams(ask.Start, ask.End, ask.Selector, work.CancellationToken).SelectMany(static stream => stream.Labels)
            .GroupBy(static label => label.Name, StringComparer.Ordinal).OrderBy(static label => label.Key, StringComparer.Ordinal).Take(LogJson.ListMax)
            .Select(static label => (label.Key, label.Select(static one => one.Value).Distinct(StringComparer.Ordinal).Count())).ToArray(),
        async (_, labels) =>
        {
            var json = LokiAnswers.BeginBare(context.Response);
            json.Raw("{\"detectedLabels\":["u8);
            for (var i = 0; i < labels.Length; i++)
            {
                json.Raw(i > 0 ? ",{\"label\":"u8 : "{\"label\":"u8);
                json.Text(labels[i].Key);
                json.Raw(",\"cardinality\":"u8);
                json.Number(labels[i].Item2);
                json.Raw("}"u8);
            }

            json.Raw("]}"u8);
            await json.FlushAsync(context.RequestAborted);
        });

    /// <summary>Answers <c>detected_fields</c>: what the first lines of a query have in them.</summary>
    public Task FieldsAsync(HttpContext context) => LokiAnswers.AnswerAsync(context, search, Read, Detect, async (ask, detected) =>
    {
        var json = LokiAnswers.BeginBare(context.Response);
        json.Raw("{\"fields\":["u8);
        var isFirst = true;
        foreach (var field in detected.Fields.Take(ask.Limit))
        {
            json.Raw(isFirst ? "{\"label\":"u8 : ",{\"label\":"u8);
            isFirst = false;
            json.Text(field.Name);
            json.Raw(",\"type\":"u8);
            json.Text(field.Type);
            json.Raw(",\"cardinality\":"u8);
            json.Number(field.Values.Count);
            json.Raw(",\"parsers\":"u8);
            if (field.Parser is { } parser)
            {
                json.Raw("["u8);
                json.Text(parser);
                json.Raw("]}"u8);
            }
            else
            {
                json.Raw("null}"u8);
            }

            if (json.IsFull)
            {
                await json.FlushAsync(context.RequestAborted);
            }
        }

        await EndAsync(json, ask, context.RequestAborted);
    });

    /// <summary>Answers <c>detected_field/{name}/values</c>.</summary>
    public Task ValuesAsync(HttpContext context, string name) => LokiAnswers.AnswerAsync(context, search, Read, Detect, async (ask, detected) =>
    {
        var values = detected.Fields.FirstOrDefault(field => field.Name == name)?.Values.Order(StringComparer.Ordinal).Take(ask.Limit).ToArray() ?? [];
        var json = LokiAnswers.BeginBare(context.Response);
        json.Raw("{\"values\":["u8);
        for (var i = 0; i < values.Length; i++)
        {
            json.Raw(i > 0 ? ","u8 : ""u8);
            json.Text(values[i]);
            if (json.IsFull)
            {
                await json.FlushAsync(context.RequestAborted);
            }
        }

        await EndAsync(json, ask, context.RequestAborted);
    });

    private static async ValueTask EndAsync(JsonOutput json, FieldAsk ask, CancellationToken cancellationToken)
    {
        json.Raw("],\"limit\":"u8);
        json.Number(ask.Limit);
        json.Raw("}"u8);
        await json.FlushAsync(cancellationToken);
    }

    private FieldAsk? Read(ApiRequest request)
    {
        var now = Now.Value;
        var (start, end) = LokiAnswers.ReadSpan(request, now);
        var query = LogAsk.ReadLinesQuery(request, request.First("query") ?? LogAsk.AllLines);
        var lines = LogAsk.ReadLimit(request, LogAsk.LinesMax, "line_limit", LinesUsual);
        if (!int.TryParse(request.First("limit") ?? request.First("field_limit") ?? "", NumberStyles.None, CultureInfo.InvariantCulture, out var fields) || fields == 0)
        {
            fields = FieldsUsual;
        }

        return request.Error is null ? new FieldAsk(query!, new LogRange { From = start, Until = end, IsBackward = true }, lines, fields) : null;
    }

    private static FieldDetector Detect(FieldAsk ask, LogWork work)
    {
        var detector = new FieldDetector();
        if (ask.Range.Until <= ask.Range.From)
        {
            return detector;
        }

        foreach (var entry in work.Engine.Lines(ask.Query, ask.Range, work.Statistics, work.CancellationToken).Take(ask.Lines))
        {
            detector.Add(entry);
            if (detector.HeldBytes > HeldBytesMax)
            {
                break; // what was found so far is a sample as good as any
            }
        }

        return detector;
    }

    private sealed record FieldAsk(LogQuery Query, LogRange Range, int Lines, int Limit);
}
