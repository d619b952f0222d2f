using Lm.PromQL.Tests.Scripts;
using Lm.Tsdb;

namespace Lm.PromQL.Tests.Evaluation;

/// <summary>Short ways to load series and ask for them.</summary>
internal static class Asked
{
    /// <summary>Loads a series with a sample every ten seconds from 0 on.</summary>
    public static MemorySeries With(this MemorySeries reader, string name, string labels, params IEnumerable<double> values)
    {
        List<Label> all = [new(LabelSet.MetricNameLabel, name)];
        foreach (var pair in labels.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            var at = pair.IndexOf('=', StringComparison.Ordinal);
            all.Add(new Label(pair[..at], pair[(at + 1)..]));
        }

        var set = new LabelSet([.. all]);
        var time = 0L;
        foreach (var value in values)
        {
            reader.Add(set, time, value);
            time += 10_000;
        }

        return reader;
    }

    public static QueryResult Instant(this ISeriesReader reader, string query, double seconds, QueryEngineOptions? options = null) =>
        new QueryEngine(reader, options ?? new QueryEngineOptions()).Instant(Parse(query, options), (long)(seconds * 1000), TestContext.Current.CancellationToken);

    public static QueryResult Range(this ISeriesReader reader, string query, long start, long end, long step, QueryEngineOptions? options = null) =>
        new QueryEngine(reader, options ?? new QueryEngineOptions()).Range(Parse(query, options), start * 1000, end * 1000, step * 1000, TestContext.Current.CancellationToken);

    public static Expression Parse(string query, QueryEngineOptions? options = null)
    {
        Assert.True(PromParser.TryParse(query, options?.Semantics ?? PromSemantics.V3, out var expression, out var fault), $"{query}: {fault}");
        return expression;
    }

    /// <summary>An answer as one line: <c>{host="x"} 1; {host="y"} 2@10 3@20</c>.</summary>
    public static string Text(this QueryResult result) => result.Value switch
    {
        ScalarValue scalar => FloatText.General(scalar.Value),
        TextValue text => text.Value,
        VectorValue vector => string.Join("; ", vector.Samples.Select(sample => $"{FloatText.Of(sample.Labels)} {FloatText.General(sample.Value)}")),
        MatrixValue matrix => string.Join("; ", matrix.Series.Select(series => FloatText.Of(series.Labels) + Points(series))),
        _ => throw new InvalidOperationException("no such value"),
    };

    public static string Fault(Func<QueryResult> ask) => Assert.Throws<QueryException>(ask).Message;

    private static string Points(MatrixSeries series) =>
        string.Concat(Enumerable.Range(0, series.Times.Length).Select(i => $" {FloatText.General(series.Values.Span[i])}@{series.Times.Span[i] / 1000}"));
}
