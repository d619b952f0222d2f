using Lm.Collector.Listeners;
using Lm.Logs.Query;
using Lm.Platform;
using Microsoft.Net.Http.Headers;

namespace Lm.Collector.Query;

/// <summary>Stored lines over HTTP: <c>/api/v1/logs</c> and what lies under it.</summary>
internal sealed class LogEndpoint(PrivateServices services, LogSearch search)
{
    private const string StreamType = "application/x-ndjson";
    private const string SeverityLabel = "severity";
    private const int BucketsUsual = 60;
    private const int ContextLinesMax = 500;
    private const int FieldsMax = 200;
    private const int FieldValuesMax = 10;

    // Lines of an answer that is held in memory; a page that would hold more ends early, and its cursor leads on.
    private const long HeldBytesMax = 64L << 20;

    /// <summary>Answers <c>/api/v1/logs</c>.</summary>
    public Task LogsAsync(HttpContext context) => WantsStream(context.Request) ? StreamAsync(context) : PageAsync(context);

    /// <summary>Answers <c>/api/v1/logs/labels</c>.</summary>
    public Task LabelsAsync(HttpContext context) => TextsAsync(context, static stream => stream.Labels.Select(static label => label.Name));

    /// <summary>Answers <c>/api/v1/logs/label/{name}/values</c>.</summary>
    public Task ValuesAsync(HttpContext context, string name) =>
        TextsAsync(context, stream => stream[name] is { Length: > 0 } value ? [value] : []);

    /// <summary>Answers <c>/api/v1/logs/volume</c>: how many lines there are, by time and a label.</summary>
    public async Task VolumeAsync(HttpContext context)
    {
        var (ask, metric, error) = await search.RunAsync(context, ReadVolume, (volume, work) =>
        {
            // A bucket has its first millisecond and not that of the next: windows have their end and not their start.
            var first = volume.Start + volume.StepMs - 1;
            var last = Math.Max(first, volume.End + volume.StepMs - 2);
            return Task.FromResult(work.Engine.Range(volume.Query, first, last, volume.StepMs, work.Statistics, work.CancellationToken));
        });
        if (error is not null)
        {
            await error.WriteAsync(context.Response);
        }
        else if (metric is not null)
        {
            var series = metric.Series.Select(member => member with { Times = [.. member.Times.Select(time => time - ask!.StepMs + 1)] });
            var json = ApiAnswer.Begin(context.Response);
            json.Raw("{\"step\":"u8);
            json.Time(ask!.StepMs);
            json.Raw(","u8);
            await LogJson.MetricAsync(json, new LogMetric { IsScalar = false, Series = [.. series] }, isRange: true, context.RequestAborted);
            json.Raw("}"u8);
            await ApiAnswer.EndAsync(json, [], [], context.RequestAborted);
        }
    }

    /// <summary>Answers <c>/api/v1/logs/context</c>: the lines around one, of the streams that a selector names.</summary>
    public async Task ContextAsync(HttpContext context)
    {
        var (_, found, error) = await search.RunAsync(context, ReadContext, (around, work) => Task.FromResult(new Around(
            Collect(work, around with { IsBackward = true, Limit = around.Before }).Entries, Collect(work, around with { IsBackward = false, Limit = around.Behind }).Entries)));
        if (error is not null)
        {
            await error.WriteAsync(context.Response);
        }
        else if (found is not null)
        {
            var json = ApiAnswer.Begin(context.Response);
            json.Raw("{\"before\":"u8);
            await EntriesAsync(json, found.Before, context.RequestAborted);
            json.Raw(",\"after\":"u8);
            await EntriesAsync(json, found.Behind, context.RequestAborted);
            json.Raw("}"u8);
            await ApiAnswer.EndAsync(json, [], [], context.RequestAborted);
        }
    }

    /// <summary>Answers <c>/api/v1/logs/fields</c>: the labels of the first lines of a query, and their most frequent values.</summary>
    public async Task FieldsAsync(HttpContext context)
    {
        var (_, found, error) = await search.RunAsync(context, request => ReadLines(request, LogAsk.LinesMax), (ask, work) => Task.FromResult(Collect(work, ask)));
        if (error is not null)
        {
            await error.WriteAsync(context.Response);
        }
        else if (found is not null)
        {
            var json = ApiAnswer.Begin(context.Response);
            WriteFields(json, found.Entries);
            await ApiAnswer.EndAsync(json, LogJson.Warnings(found.Work.Statistics), [], context.RequestAborted);
        }
    }

    private static bool WantsStream(HttpRequest request) =>
        MediaTypeHeaderValue.TryParseList(request.Headers.Accept, out var types)
        && types.Any(type => type.MediaType.Equals(StreamType, StringComparison.OrdinalIgnoreCase) && type.Quality is null or > 0);

    private UnixMillis Now => UnixMillis.Now(services.Time);

    private LogAsk? ReadLines(ApiRequest request, int linesMax)
    {
        var ask = LogAsk.ReadRange(request, Now, linesMax, endsOpen: true);
        if (ask is { Query.IsMetric: true })
        {
            request.Fail("query", "a query for lines is expected here, this one gives numbers");
        }

        return ask;
    }

    private async Task StreamAsync(HttpContext context)
    {
        var (_, _, error) = await search.RunAsync(context, request => ReadLines(request, LogAsk.StreamedLinesMax), async (ask, work) =>
        {
            var json = new JsonOutput(context.Response);
            var left = ask.Limit;
            foreach (var entry in work.Engine.Lines(ask.Query, ask.Range, work.Statistics, work.CancellationToken))
            {
                BeginStream(context.Response);
                LogJson.Entry(json, entry);
                json.Raw("\n"u8);
                if (json.IsFull)
                {
                    await json.FlushAsync(work.CancellationToken);
                }

                if (--left == 0)
                {
                    break;
                }
            }

            BeginStream(context.Response);
            await json.FlushAsync(work.CancellationToken);
            return work;
        });
        if (error is not null)
        {
            await error.WriteAsync(context.Response);
        }
    }

    // With the first line and no sooner: what fails before it is answered as an error.
    private static void BeginStream(HttpResponse response)
    {
        if (!response.HasStarted)
        {
            response.ContentType = StreamType;
        }
    }

    private async Task PageAsync(HttpContext context)
    {
        var (ask, page, error) = await search.RunAsync(
            context,
            request => LogAsk.ReadRange(request, Now, LogAsk.LinesMax, endsOpen: true),
            (range, work) => Task.FromResult(range.Query.IsMetric
                ? new Page([], work.Engine.Range(range.Query, range.Start, range.End, range.StepMs, work.Statistics, work.CancellationToken), work, false)
                : Collect(work, range)));
        if (error is not null)
        {
            await error.WriteAsync(context.Response);
        }
        else if (page is not null)
        {
            await WriteAsync(context, ask!, page);
        }
    }

    private static Page Collect(LogWork work, LogAsk ask)
    {
        var entries = new List<LogEntry>();
        long held = 0;
        if (ask.Limit > 0)
        {
            foreach (var entry in work.Engine.Lines(ask.Query, ask.Range, work.Statistics, work.CancellationToken))
            {
                entries.Add(entry);
                held += entry.HeldBytes;
                if (entries.Count == ask.Limit || held > HeldBytesMax)
                {
                    return new Page(entries, null, work, true);
                }
            }
        }

        return new Page(entries, null, work, false);
    }

    private static async Task WriteAsync(HttpContext context, LogAsk ask, Page page)
    {
        var json = ApiAnswer.Begin(context.Response);
        json.Raw("{"u8);
        if (page.Metric is { } metric)
        {
            await LogJson.MetricAsync(json, metric, isRange: true, context.RequestAborted);
        }
        else
        {
            json.Raw("\"resultType\":\"lines\",\"result\":"u8);
            await EntriesAsync(json, page.Entries, context.RequestAborted);
            json.Raw(",\"cursor\":"u8);
            if (page.MayHaveMore)
            {
                json.Text(page.Entries[^1].Position.ToString());
            }
            else
            {
                json.Raw("null"u8);
            }
        }

        json.Raw(",\"stats\":{\"lines_read\":"u8);
        json.Number(page.Work.Statistics.LinesRead);
        json.Raw(",\"bytes_read\":"u8);
        json.Number(page.Work.Statistics.BytesRead);
        json.Raw("}}"u8);
        await ApiAnswer.EndAsync(json, LogJson.Warnings(page.Work.Statistics), [], context.RequestAborted);
    }

    private static async ValueTask EntriesAsync(JsonOutput json, IReadOnlyList<LogEntry> entries, CancellationToken cancellationToken)
    {
        json.Raw("["u8);
        for (var i = 0; i < entries.Count; i++)
        {
            json.Raw(i > 0 ? ","u8 : ""u8);
            LogJson.Entry(json, entries[i]);
            if (json.IsFull)
            {
                await json.FlushAsync(cancellationToken);
            }
        }

        json.Raw("]"u8);
    }

    private async Task TextsAsync(HttpContext context, Func<Lm.Logs.LogStream, IEnumerable<string>> choose)
    {
        var (_, texts, error) = await search.RunAsync(context, ReadStreams, (ask, work) =>
            Task.FromResult(search.Texts(ask.Start, ask.End, ask.Selector, choose, work.CancellationToken)));
        if (error is not null)
        {
            await error.WriteAsync(context.Response);
            return;
        }

        if (texts is not null)
        {
            await LogJson.ListAsync(context.Response, texts, static (json, text) => json.Text(text), context.RequestAborted);
        }
    }

    private static StreamAsk? ReadStreams(ApiRequest request)
    {
        var start = LogTime.Of(request, "start", 0);
        var end = LogTime.Of(request, "end", LogTime.Max);
        var selector = LogAsk.ReadSelector(request, request.First("query"));
        return request.Error is null ? new StreamAsk(start, end, selector!) : null;
    }

    private LogAsk? ReadVolume(ApiRequest request)
    {
        var end = LogTime.Of(request, "end", Now.Value);
        var start = LogTime.Of(request, "start", end - 3_600_000);
        var label = request.First("by") ?? SeverityLabel;
        var usual = Math.Max(1000, ((end - start) / BucketsUsual / 1000 * 1000) + 1000);
        var step = request.Duration("step") is { } nanoseconds ? nanoseconds / 1_000_000 : usual;
        var query = LogAsk.ReadLinesQuery(request, request.First("query") ?? LogAsk.AllLines);
        if (step < 1 || end < start || (end - start) / step >= LogQueryEngine.StepsMax - 1)
        {
            request.Fail("step", $"the range must have from 1 to {LogQueryEngine.StepsMax - 1} steps of at least a millisecond, and end not before start");
        }

        return request.Error is not null ? null : new LogAsk
        {
            Query = query!.CountBy(label, step),
            Start = start,
            End = end,
            Limit = 0,
            IsBackward = false,
            StepMs = step,
        };
    }

    private AroundAsk? ReadContext(ApiRequest request)
    {
        var query = LogAsk.ReadLinesQuery(request, request.First("query") ?? "");
        if (!LogPosition.TryParse(request.First("id") ?? "", out var position))
        {
            request.Fail("id", "the id of a line, as /api/v1/logs gives it, is expected");
        }

        var before = LogAsk.ReadLimit(request, ContextLinesMax, "before", 20);
        var behind = LogAsk.ReadLimit(request, ContextLinesMax, "after", 20);
        return request.Error is not null ? null : new AroundAsk
        {
            Query = query!,
            Start = 0,
            End = LogTime.Max,
            Limit = 0,
            IsBackward = false,
            StepMs = 1,
            After = position,
            Before = before,
            Behind = behind,
        };
    }

    private static void WriteFields(JsonOutput json, IReadOnlyList<LogEntry> entries)
    {
        var fields = entries.SelectMany(entry => entry.AllLabels()).GroupBy(label => label.Name, StringComparer.Ordinal)
            .OrderByDescending(field => field.Count()).ThenBy(field => field.Key, StringComparer.Ordinal).Take(FieldsMax);
        json.Raw("{\"lines\":"u8);
        json.Number(entries.Count);
        json.Raw(",\"fields\":["u8);
        var isFirst = true;
        foreach (var field in fields)
        {
            var values = field.GroupBy(label => label.Value, StringComparer.Ordinal).ToList();
            json.Raw(isFirst ? "{\"name\":"u8 : ",{\"name\":"u8);
            isFirst = false;
            json.Text(field.Key);
            json.Raw(",\"count\":"u8);
            json.Number(field.Count());
            json.Raw(",\"distinct\":"u8);
            json.Number(values.Count);
            json.Raw(",\"top\":["u8);
            var top = values.OrderByDescending(value => value.Count()).ThenBy(value => value.Key, StringComparer.Ordinal).Take(FieldValuesMax).ToList();
            for (var i = 0; i < top.Count; i++)
            {
                json.Raw(i > 0 ? ",{\"value\":"u8 : "{\"value\":"u8);
                json.Text(top[i].Key);
                json.Raw(",\"count\":"u8);
                json.Number(top[i].Count());
                json.Raw("}"u8);
            }

            json.Raw("]}"u8);
        }

        json.Raw("]}"u8);
    }

    private sealed record Page(IReadOnlyList<LogEntry> Entries, LogMetric? Metric, LogWork Work, bool MayHaveMore);

    private sealed record Around(IReadOnlyList<LogEntry> Before, IReadOnlyList<LogEntry> Behind);
}

/// <summary>Which streams are asked for.</summary>
internal sealed record StreamAsk(long Start, long End, LogSelector Selector);

/// <summary>Which lines around one are asked for.</summary>
internal sealed record AroundAsk : LogAsk
{
    /// <summary>How many lines before it.</summary>
    public required int Before { get; init; }

    /// <summary>How many behind it.</summary>
    public required int Behind { get; init; }
}
