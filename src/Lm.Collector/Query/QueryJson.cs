using System.Text.Json;
using Lm.Collector.Series;
using Lm.Tsdb;

namespace Lm.Collector.Query;

/// <summary>A query's answer, streamed as Prometheus shapes it.</summary>
internal static class QueryJson
{
    /// <summary>Writes the answer.</summary>
    /// <param name="response">Where to.</param>
    /// <param name="selection">What was found, in the order to write it in.</param>
    /// <param name="vectorTime">The time of an instant vector's values; null for a matrix, whose samples keep theirs.</param>
    /// <param name="limit">How many series to write; 0 for all.</param>
    /// <param name="cancellationToken">The request's.</param>
    public static async Task WriteAsync(HttpResponse response, SeriesSelection selection, long? vectorTime, int limit, CancellationToken cancellationToken)
    {
        await using var writer = ApiJson.Begin(response);
        writer.WriteStartObject();
        writer.WriteString("resultType"u8, vectorTime is null ? "matrix"u8 : "vector"u8);
        writer.WriteStartArray("result"u8);
        var written = 0;
        var isCut = false;
        for (var i = 0; i < selection.Count; i++)
        {
            if (!HasLiveSample(selection.Values(i), vectorTime is not null))
            {
                continue;
            }

            if (limit > 0 && written == limit)
            {
                isCut = true;
                break;
            }

            WriteSeries(writer, selection, i, vectorTime);
            written++;
            await ApiJson.FlushIfLargeAsync(writer, response, cancellationToken);
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
        if (isCut)
        {
            writer.WriteStartArray("warnings"u8);
            writer.WriteStringValue("results truncated due to limit"u8);
            writer.WriteEndArray();
        }

        await ApiJson.EndAsync(writer, response, cancellationToken);
    }

    // A stale marker as newest sample ends a series at once; in a window the marker itself is no sample.
    private static bool HasLiveSample(ReadOnlySpan<double> values, bool isVector)
    {
        if (isVector)
        {
            return !StaleMarker.Is(values[^1]);
        }

        foreach (var value in values)
        {
            if (!StaleMarker.Is(value))
            {
                return true;
            }
        }

        return false;
    }

    private static void WriteSeries(Utf8JsonWriter writer, SeriesSelection selection, int index, long? vectorTime)
    {
        writer.WriteStartObject();
        writer.WriteStartObject("metric"u8);
        foreach (ref readonly var label in selection.Labels(index).Labels)
        {
            writer.WriteString(label.Name, label.Value);
        }

        writer.WriteEndObject();
        var times = selection.Times(index);
        var values = selection.Values(index);
        if (vectorTime is { } time)
        {
            writer.WritePropertyName("value"u8);
            WriteSample(writer, time, values[^1]);
        }
        else
        {
            writer.WriteStartArray("values"u8);
            for (var i = 0; i < values.Length; i++)
            {
                if (!StaleMarker.Is(values[i]))
                {
                    WriteSample(writer, times[i], values[i]);
                }
            }

            writer.WriteEndArray();
        }

        writer.WriteEndObject();
    }

    private static void WriteSample(Utf8JsonWriter writer, long time, double value)
    {
        Span<byte> text = stackalloc byte[PromNumber.BytesMax];
        writer.WriteStartArray();
        writer.WriteRawValue(text[..PromNumber.FormatTime(time, text)], skipInputValidation: true);
        writer.WriteStringValue(text[..PromNumber.FormatValue(value, text)]);
        writer.WriteEndArray();
    }
}
