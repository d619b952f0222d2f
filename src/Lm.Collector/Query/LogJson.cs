using Lm.Logs;
using Lm.Logs.Query;

namespace Lm.Collector.Query;

/// <summary>Lines and series of logs as JSON.</summary>
internal static class LogJson
{
    /// <summary>Names, values or streams of one answer.</summary>
    public const int ListMax = 100_000;

    /// <summary>Writes a line with all that is known of it.</summary>
    public static void Entry(JsonOutput json, LogEntry entry)
    {
        json.Raw("{\"ts\":"u8);
        json.Number(entry.Time);
        json.Raw(",\"id\":"u8);
        json.Text(entry.Position.ToString());
        json.Raw(",\"stream\":"u8);
        Labels(json, entry.Labels);
        json.Raw(",\"attrs\":"u8);
        Labels(json, entry.Attributes);
        json.Raw(",\"labels\":"u8);
        Labels(json, entry.Parsed);
        json.Raw(",\"line\":"u8);
        json.Utf8Text(entry.Body.Span);
        json.Raw("}"u8);
    }

    /// <summary>Writes labels as an object.</summary>
    public static void Labels(JsonOutput json, IReadOnlyList<LogField> labels)
    {
        json.Raw("{"u8);
        for (var i = 0; i < labels.Count; i++)
        {
            json.Raw(i > 0 ? ","u8 : ""u8);
            json.Text(labels[i].Name);
            json.Raw(":"u8);
            json.Text(labels[i].Value);
        }

        json.Raw("}"u8);
    }

    /// <summary>Answers with a list; the first <see cref="ListMax"/> of it, and a warning, where there are more.</summary>
    /// <param name="response">The answer.</param>
    /// <param name="all">The list.</param>
    /// <param name="write">Writes one of it.</param>
    /// <param name="cancellationToken">The request's.</param>
    public static async ValueTask ListAsync<T>(HttpResponse response, IReadOnlyList<T> all, Action<JsonOutput, T> write, CancellationToken cancellationToken)
    {
        var json = ApiAnswer.Begin(response);
        json.Raw("["u8);
        for (var i = 0; i < Math.Min(all.Count, ListMax); i++)
        {
            json.Raw(i > 0 ? ","u8 : ""u8);
            write(json, all[i]);
            if (json.IsFull)
            {
                await json.FlushAsync(cancellationToken);
            }
        }

        json.Raw("]"u8);
        IReadOnlyList<string> warnings = all.Count <= ListMax
            ? []
            : [$"there are {all.Count}, and these are the first {ListMax} in order, the most that an answer has: narrow the time range or the selector"];
        await ApiAnswer.EndAsync(json, warnings, [], cancellationToken);
    }

    /// <summary>Writes <c>"resultType":…,"result":…</c> of a metric query.</summary>
    /// <param name="json">Where to.</param>
    /// <param name="metric">What was found.</param>
    /// <param name="isRange">Whether it was asked over several times.</param>
    /// <param name="cancellationToken">The request's.</param>
    public static async ValueTask MetricAsync(JsonOutput json, LogMetric metric, bool isRange, CancellationToken cancellationToken)
    {
        if (metric.IsScalar && !isRange)
        {
            json.Raw("\"resultType\":\"scalar\",\"result\":"u8);
            json.Scalar(metric.Series[0].Times[0], metric.Series[0].Values[0]);
            return;
        }

        json.Raw(isRange ? "\"resultType\":\"matrix\",\"result\":["u8 : "\"resultType\":\"vector\",\"result\":["u8);
        for (var i = 0; i < metric.Series.Count; i++)
        {
            var series = metric.Series[i];
            json.Raw(i > 0 ? ",{\"metric\":"u8 : "{\"metric\":"u8);
            Labels(json, series.Labels);
            if (isRange)
            {
                Values(json, series);
            }
            else
            {
                json.Raw(",\"value\":"u8);
                json.Sample(series.Times[0], series.Values[0]);
            }

            json.Raw("}"u8);
            if (json.IsFull)
            {
                await json.FlushAsync(cancellationToken);
            }
        }

        json.Raw("]"u8);
    }

    /// <summary>What an answer lacks, in words.</summary>
    public static IReadOnlyList<string> Warnings(LogScanStatistics statistics) => statistics.FramesDamaged == 0
        ? []
        : [$"{statistics.FramesDamaged} damaged pieces of the stored lines were passed over: their lines are missing"];

    private static void Values(JsonOutput json, LogSeries series)
    {
        json.Raw(",\"values\":["u8);
        for (var i = 0; i < series.Times.Count; i++)
        {
            json.Raw(i > 0 ? ","u8 : ""u8);
            json.Sample(series.Times[i], series.Values[i]);
        }

        json.Raw("]"u8);
    }
}
