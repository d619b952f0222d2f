using FsCheck;
using FsCheck.Fluent;
using Lm.PromQL.Tests.Scripts;
using Lm.Tsdb;

namespace Lm.PromQL.Tests.Evaluation;

/// <summary>Queries over many series, by one thread and by several.</summary>
public sealed class SharedEvaluationTests
{
    private const int SeriesCount = 700;
    private const int SampleCount = 120;

    private static readonly string[] Queries =
    [
        "m", "-m", "timestamp(m)", "rate(m[2m])", "sum by (g) (rate(m[5m]))", "avg without (i) (m)", "stddev by (g) (increase(m[3m]))", "max_over_time(m[4m])",
        "predict_linear(m[5m], 60)", "deriv(m[5m:30s])", "topk(7, m) by (g)", "quantile_over_time(1.5, m[3m])", "sum(m) + sum(rate(m[1m]))", "changes(m[10m] offset 1m)",
        "holt_winters(m[5m], 0.5, 0.5)", "double_exponential_smoothing(m[5m], 0.5, 0.5)", "double_exponential_smoothing(m[5m], 2, 0.5)", "avg_over_time(m[5m] @ end())",
    ];

    [Fact]
    public void Answers_statistics_and_refusals_of_several_threads_are_those_of_one() =>
        Prop.ForAll(Gen.Choose(0, int.MaxValue).ToArbitrary(), seed => Compare(seed)).Check(Config.QuickThrowOnFailure.WithMaxTest(60));

    [Fact]
    public void A_failing_read_is_told_and_every_selection_is_given_back()
    {
        var reads = 0;
        var reader = new WatchedReader(Series(1)) { BeforeRead = () => Assert.True(Interlocked.Increment(ref reads) != 300, "read 300 fails") };
        var options = new QueryEngineOptions { Workers = new QueryWorkers(3) };

        Assert.Contains("read 300 fails", Assert.ThrowsAny<Exception>(() => reader.Range("rate(m[5m])", 0, 1800, 1, options)).Message, StringComparison.Ordinal);
        Assert.Equal(0, reader.Open);
        Assert.Equal(3, options.Workers.Take(10)); // and every thread
    }

    [Fact]
    public void A_query_that_is_cancelled_ends_for_all_of_its_threads()
    {
        using var cancel = new CancellationTokenSource();
        var reads = 0;
        var reader = new WatchedReader(Series(1))
        {
            BeforeRead = () =>
            {
                if (Interlocked.Increment(ref reads) == 100)
                {
                    cancel.Cancel();
                }
            },
        };
        var engine = new QueryEngine(reader, new QueryEngineOptions { Workers = new QueryWorkers(2) });

        var fault = Assert.Throws<QueryException>(() => engine.Range(Asked.Parse("rate(m[5m])"), 0, 3_600_000, 1000, cancel.Token));
        Assert.Equal(QueryFault.Canceled, fault.Fault);
        Assert.True(reads < 200, $"{reads} series were read, 100 before it was cancelled");
        Assert.Equal(0, reader.Open);
    }

    [Fact]
    public void Few_series_stay_with_one_thread()
    {
        var reader = new WatchedReader(Series(1));
        reader.Range("sum(rate(m{g=\"1\"}[5m]))", 0, 600, 60, new QueryEngineOptions { Workers = new QueryWorkers(2) });
        Assert.Equal(1, reader.Selections);
        reader.Range("sum(rate(m[5m]))", 0, 1800, 1, new QueryEngineOptions { Workers = new QueryWorkers(2) });
        Assert.Equal(4, reader.Selections);
    }

    private static void Compare(int seed)
    {
        var random = new Random(seed);
        var series = Series(seed);
        var query = Queries[random.Next(Queries.Length)];
        var semantics = random.Next(2) == 0 ? PromSemantics.V3 : PromSemantics.V2;
        var alone = new QueryEngineOptions { Semantics = semantics, SamplesMax = random.Next(3) == 0 ? random.Next(1, SeriesCount * 400) : 50_000_000 };
        var shared = alone with { Workers = new QueryWorkers(1 + random.Next(4)) };
        if (!PromParser.TryParse(query, semantics, out _, out _))
        {
            return; // of the other generation
        }

        var (start, step) = (random.Next(600), 1 + random.Next(9));
        var end = start + (step * random.Next(400));
        Assert.Equal(Told(() => series.Range(query, start, end, step, alone)), Told(() => series.Range(query, start, end, step, shared)));
    }

    private static string Told(Func<QueryResult> ask)
    {
        try
        {
            var result = ask();
            var lines = ((MatrixValue)result.Value).Series.Select(each =>
                each.Labels + " " + string.Join(' ', each.Times.ToArray().Zip(each.Values.ToArray(), (time, value) => $"{BitConverter.DoubleToInt64Bits(value):x}@{time}")));
            var statistics = result.Statistics;
            return string.Join('\n', lines) + $"\n{statistics.SamplesTotal} {statistics.SamplesPeak} {string.Join(';', result.Warnings)} {string.Join(';', result.Infos)}";
        }
        catch (QueryException e)
        {
            return e.Fault + " " + e.Message;
        }
    }

    private static MemorySeries Series(int seed)
    {
        var random = new Random(seed);
        var series = new MemorySeries();
        for (var i = 0; i < SeriesCount; i++)
        {
            var labels = new LabelSet(new Label("__name__", "m"), new Label("g", $"{i % 5}"), new Label("i", $"{i}"));
            var (value, first) = (random.NextDouble() * 1e6, random.Next(40));
            for (var at = first; at < SampleCount - random.Next(40); at++)
            {
                value = random.Next(50) == 0 ? random.NextDouble() : value + (random.NextDouble() * 1e3);
                series.Add(labels, (at * 15_000L) + random.Next(3), random.Next(80) == 0 ? BitConverter.Int64BitsToDouble(StaleMarker.Bits) : value);
            }
        }

        return series;
    }
}
