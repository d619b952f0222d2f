using System.Text;

namespace Lm.Collector.Query;

/// <summary>What Loki's answers have in common.</summary>
internal static class LokiAnswers
{
    private const long SixHoursMs = 6 * 3_600_000;

    /// <summary>Reads a request, finds what it asks for and answers it; a fault is answered in plain text, as Loki does.</summary>
    public static async Task AnswerAsync<TAsk, TFound>(
        HttpContext context, LogSearch search, Func<ApiRequest, TAsk?> read, Func<TAsk, LogWork, TFound> find, Func<TAsk, TFound, Task> write)
        where TAsk : class
        where TFound : class
    {
        var (ask, found, error) = await search.RunAsync(context, read, (asked, work) => Task.FromResult(find(asked, work)));
        if (error is not null)
        {
            await WriteErrorAsync(context, error);
        }
        else if (found is not null)
        {
            await write(ask!, found);
        }
    }

    /// <summary>The range of a request about streams: six hours where it does not say.</summary>
    public static (long Start, long End) ReadSpan(ApiRequest request, long now)
    {
        var end = LogTime.Of(request, "end", now);
        var since = request.Duration("since") is { } nanoseconds ? nanoseconds / 1_000_000 : SixHoursMs;
        return (LogTime.Of(request, "start", end - since), end);
    }

    /// <summary>A request about the streams of a selector; null when a fault is noted.</summary>
    public static StreamAsk? ReadStreams(ApiRequest request, long now)
    {
        var (start, end) = ReadSpan(request, now);
        var selector = LogAsk.ReadSelector(request, request.First("query"));
        return request.Error is null ? new StreamAsk(start, end, selector!) : null;
    }

    /// <summary>Begins an answer that is bare JSON, without <c>status</c> and <c>data</c>.</summary>
    public static JsonOutput BeginBare(HttpResponse response)
    {
        response.ContentType = ApiJson.ContentType;
        return new JsonOutput(response);
    }

    /// <summary>Writes <c>,"stats":…</c>.</summary>
    /// <param name="json">Where to.</param>
    /// <param name="work">What was read.</param>
    /// <param name="took">How long it took.</param>
    /// <param name="entries">Lines of the answer.</param>
    public static void WriteStatistics(JsonOutput json, LogWork work, TimeSpan took, int entries)
    {
        var (statistics, seconds) = (work.Statistics, took.TotalSeconds);
        json.Raw(",\"stats\":{\"summary\":{\"bytesProcessedPerSecond\":"u8);
        json.Number(seconds > 0 ? (long)(statistics.BytesRead / seconds) : 0);
        json.Raw(",\"linesProcessedPerSecond\":"u8);
        json.Number(seconds > 0 ? (long)(statistics.LinesRead / seconds) : 0);
        json.Raw(",\"totalBytesProcessed\":"u8);
        json.Number(statistics.BytesRead);
        json.Raw(",\"totalLinesProcessed\":"u8);
        json.Number(statistics.LinesRead);
        json.Raw(",\"execTime\":"u8);
        json.Number(seconds);
        json.Raw(",\"queueTime\":"u8);
        json.Number(work.Waited.TotalSeconds);
        json.Raw(",\"totalEntriesReturned\":"u8);
        json.Number(entries);
        json.Raw("}}"u8);
    }

    /// <summary>Answers a fault in plain text, with Loki's status.</summary>
    public static async Task WriteErrorAsync(HttpContext context, ApiError error)
    {
        var response = context.Response;
        response.StatusCode = error.Type switch
        {
            "execution" => StatusCodes.Status400BadRequest,
            "timeout" => StatusCodes.Status504GatewayTimeout,
            _ => error.Status,
        };
        response.ContentType = "text/plain; charset=utf-8";
        var body = Encoding.UTF8.GetBytes(error.Message);
        response.ContentLength = body.Length;
        await response.Body.WriteAsync(body, context.RequestAborted);
    }
}
