using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using Lm.Collector.Series;
using Lm.PromQL;
using Lm.Tsdb;

namespace Lm.Collector.Query;

/// <summary>A query's answer as CSV (RFC 4180): a header row, then one row for each sample.</summary>
/// <remarks>Columns: every label that a series of the answer has, sorted by name; <c>time</c> in RFC 3339, UTC; <c>value</c> as PromQL writes it. A
/// cell that a spreadsheet would take for a formula (it begins with = + - or @) gets an apostrophe before it; values are numbers and stay.</remarks>
internal static class QueryCsv
{
    private const int FlushBytes = 32 * 1024;

    /// <summary>Writes the answer.</summary>
    public static async Task WriteAsync(HttpResponse response, QueryResult result, QueryAsk ask, CancellationToken cancellationToken)
    {
        var series = SeriesOf(result.Value);
        if (ask.Limit > 0 && series.Count > ask.Limit)
        {
            series = [.. series.Take(ask.Limit)];
        }

        response.ContentType = "text/csv; charset=utf-8; header=present";
        response.Headers.ContentDisposition = "attachment; filename=\"lightmetrics.csv\"";
        var columns = ColumnsOf(series);
        var rows = new StringBuilder();
        foreach (var column in columns)
        {
            rows.Append(Cell(column)).Append(',');
        }

        rows.Append("time,value\r\n");
        foreach (var one in series)
        {
            var start = PrefixOf(one.Labels, columns);
            for (var i = 0; i < one.Values.Length; i++)
            {
                AppendRow(rows, start, one.Times.Span[i], one.Values.Span[i]);
                if (rows.Length > FlushBytes)
                {
                    await SendAsync(response.BodyWriter, rows, cancellationToken);
                }
            }
        }

        if (result.Value is TextValue text)
        {
            rows.Append(Time(text.Time)).Append(',').Append(Cell(text.Value)).Append("\r\n");
        }

        await SendAsync(response.BodyWriter, rows, cancellationToken);
    }

    private static async ValueTask SendAsync(PipeWriter pipe, StringBuilder rows, CancellationToken cancellationToken)
    {
        foreach (var piece in rows.GetChunks())
        {
            Encoding.UTF8.GetBytes(piece.Span, pipe);
        }

        rows.Clear();
        await pipe.FlushAsync(cancellationToken);
    }

    private static IReadOnlyList<MatrixSeries> SeriesOf(QueryValue value) => value switch
    {
        MatrixValue matrix => matrix.Series,
        VectorValue vector => [.. vector.Samples.Select(sample => new MatrixSeries(sample.Labels, new[] { sample.Time }, new[] { sample.Value }))],
        ScalarValue scalar => [new MatrixSeries(LabelSet.Empty, new[] { scalar.Time }, new[] { scalar.Value })],
        _ => [],
    };

    private static List<string> ColumnsOf(IReadOnlyList<MatrixSeries> series)
    {
        var names = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var one in series)
        {
            foreach (ref readonly var label in one.Labels.Labels)
            {
                names.Add(label.Name);
            }
        }

        return [.. names];
    }

    private static string PrefixOf(LabelSet labels, List<string> columns)
    {
        var start = new StringBuilder();
        foreach (var column in columns)
        {
            start.Append(Cell(labels.ValueOf(column))).Append(',');
        }

        return start.ToString();
    }

    private static void AppendRow(StringBuilder rows, string start, long time, double value)
    {
        Span<byte> number = stackalloc byte[PromNumber.BytesMax];
        Span<char> text = stackalloc char[PromNumber.BytesMax];
        var length = Encoding.ASCII.GetChars(number[..PromNumber.FormatValue(value, number)], text);
        rows.Append(start).Append(Time(time)).Append(',').Append(text[..length]).Append("\r\n");
    }

    // Times that no calendar has stay numbers.
    private static string Time(long milliseconds) =>
        milliseconds >= DateTimeOffset.MinValue.ToUnixTimeMilliseconds() && milliseconds <= DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()
            ? DateTimeOffset.FromUnixTimeMilliseconds(milliseconds).ToString(milliseconds % 1000 == 0 ? "yyyy-MM-dd'T'HH:mm:ss'Z'" : "yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture)
            : (milliseconds / 1000.0).ToString(CultureInfo.InvariantCulture);

    private static string Cell(string text)
    {
        if (text.Length > 0 && text[0] is '=' or '+' or '-' or '@' or '\t' or '\r' && !double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out _))
        {
            text = "'" + text;
        }

        return text.AsSpan().ContainsAny(",\"\r\n") ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : text;
    }
}
