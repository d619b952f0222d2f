using System.Diagnostics;
using Lm.PromQL;
using Lm.Tsdb;

namespace Lm.Benchmarks;

/// <summary>The queries that dashboards ask most, over series in memory: what evaluation costs, apart from chunks and index.</summary>
internal sealed class QueryBenchmark
{
    private const long Start = 1_700_000_000_000;
    private const long HourMs = 3_600_000;
    private readonly QueryEngine engine = new(new SeriesTable(10_000, 6 * HourMs), new QueryEngineOptions());

    public void Run()
    {
        Measure("instant_of_one_series", "m{instance=\"i1\",core=\"1\"}", 0, 60, 2000);
        Measure("range_1h_of_100_series", "m{group=\"g1\"}", 1, 15, 200);
        Measure("sum_by_rate_of_1280_series_1h", "sum by (x) (rate(m{part=\"p0\"}[5m]))", 1, 15, 30);
        Measure("sum_by_rate_of_1280_series_6h", "sum by (x) (rate(m{part=\"p0\"}[5m]))", 6, 60, 30);
        Measure("topk_of_10000_series_instant", "topk(10, m)", 0, 60, 30);
        Measure("topk_of_10000_series_1h", "topk(10, m)", 1, 60, 10);
        Measure("max_over_time_of_1280_series_6h", "max_over_time(m{part=\"p0\"}[5m])", 6, 60, 10);
        Measure("ratio_of_1280_series_6h", "m{part=\"p0\"} / on (instance, core) m{part=\"p0\"}", 6, 60, 10);
    }

    private void Measure(string name, string query, int hours, int stepSeconds, int count)
    {
        if (!PromParser.TryParse(query, out var expression, out var fault))
        {
            throw new InvalidOperationException($"the benchmark's own query {query} cannot be read: {fault}");
        }

        var end = Start + (6 * HourMs);
        QueryResult Ask() => hours == 0
            ? engine.Instant(expression, end, CancellationToken.None)
            : engine.Range(expression, end - (hours * HourMs), end, stepSeconds * 1000L, CancellationToken.None);
        var statistics = Ask().Statistics;
        var times = new double[count];
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < count; i++)
        {
            var began = Stopwatch.GetTimestamp();
            Ask();
            times[i] = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
        }

        allocated = (GC.GetAllocatedBytesForCurrentThread() - allocated) / count;
        Array.Sort(times);
        Report.Print(
            "query_" + name, ("count", count), ("p50_ms", times[count / 2]), ("p95_ms", times[count * 95 / 100]), ("allocated_kib", allocated / 1024.0),
            ("series", statistics.Series), ("samples", statistics.SamplesTotal));
    }

    /// <summary>Counters sampled every 15 seconds; each label of the queries above picks its series by a table.</summary>
    private sealed class SeriesTable : ISeriesReader
    {
        private readonly LabelSet[] labels;
        private readonly long[] times;
        private readonly double[] values;
        private readonly Dictionary<(string Name, string Value), int[]> postings = [];

        public SeriesTable(int count, long durationMs)
        {
            labels = new LabelSet[count];
            for (var i = 0; i < count; i++)
            {
                labels[i] = new LabelSet(
                    new(LabelSet.MetricNameLabel, "m"), new("instance", $"i{i / 8}"), new("core", $"{i % 8}"), new("x", $"x{i % 20}"),
                    new("group", $"g{i / 100}"), new("part", $"p{i / 1280}"), new("job", "node"), new("region", "europe"));
            }

            foreach (var name in (string[])["group", "part", "instance", LabelSet.MetricNameLabel])
            {
                foreach (var found in Enumerable.Range(0, count).GroupBy(i => labels[i].ValueOf(name)))
                {
                    postings[(name, found.Key)] = [.. found];
                }
            }

            times = new long[(durationMs / 15_000) + 1];
            values = new double[times.Length];
            for (var i = 0; i < times.Length; i++)
            {
                times[i] = Start + (i * 15_000L);
                values[i] = i % 1000 * 1.5; // a reset now and then
            }
        }

        public ISeriesSelection Find(IReadOnlyList<LabelMatcher> matchers, long from, long until, CancellationToken cancellationToken)
        {
            var smallest = matchers.Where(matcher => postings.ContainsKey((matcher.Name, matcher.Value))).MinBy(matcher => postings[(matcher.Name, matcher.Value)].Length)!;
            var found = postings[(smallest.Name, smallest.Value)];
            var rest = matchers.Where(matcher => matcher != smallest && matcher.Name != LabelSet.MetricNameLabel).ToArray();
            return new Selection(this, rest.Length == 0 ? found : [.. found.Where(i => rest.All(matcher => matcher.Matches(labels[i].ValueOf(matcher.Name))))]);
        }

        public IReadOnlyList<string> LabelNames(IReadOnlyList<LabelMatcher> matchers, long from, long until, CancellationToken cancellationToken) => [];

        public IReadOnlyList<string> LabelValues(
            string name, IReadOnlyList<LabelMatcher> matchers, long from, long until, CancellationToken cancellationToken) => [];

        private sealed class Selection(SeriesTable table, int[] found) : ISeriesSelection
        {
            public int Count => found.Length;

            public LabelSet Labels(int index) => table.labels[found[index]];

            public void Read(int index, long from, long until, SampleBuffer into)
            {
                var first = Math.Max(0, (int)((from - Start + 14_999) / 15_000));
                var count = Math.Min(table.times.Length - 1, (int)((until - Start) / 15_000)) - first + 1;
                into.Reserve(count, out var times, out var values);
                table.times.AsSpan(first, count).CopyTo(times);
                for (var i = 0; i < count; i++)
                {
                    values[i] = table.values[first + i] * (found[index] + 1); // each its own, so that topk has something to choose
                }

                into.Advance(count);
            }

            public void Dispose()
            {
            }
        }
    }
}
