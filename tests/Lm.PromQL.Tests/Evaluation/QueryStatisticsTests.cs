using Lm.PromQL.Tests.Scripts;

namespace Lm.PromQL.Tests.Evaluation;

/// <summary>Prometheus' own figures for these queries: its limits and statistics mean the same here.</summary>
public sealed class QueryStatisticsTests
{
    private static readonly MemorySeries Series = new MemorySeries()
        .With("one", "", Enumerable.Range(1, 101).Select(i => (double)i))
        .With("three", "a=1,b=1", Enumerable.Range(1, 101).Select(i => (double)i))
        .With("three", "a=2,b=2", Enumerable.Range(1, 101).Select(i => (double)i))
        .With("three", "a=3,b=2", Enumerable.Range(1, 101).Select(i => (double)i))
        .With("big", "a=1", Enumerable.Range(1, 101).Select(i => (double)i))
        .With("big", "a=2", Enumerable.Range(1, 101).Select(i => (double)i));

    [Theory]
    [InlineData("1", 21, 0, 1)]
    [InlineData("one", 21, 1, 1)]
    [InlineData("timestamp(one)", 21, 1, 2)]
    [InlineData("one offset 10s", 21, 1, 1)]
    [InlineData("one @ 15", 21, 1, 1)]
    [InlineData("three{a=\"1\"}[20s] @ 19", 21, 2, 2)]
    [InlineData("three", 21, 3, 3)]
    [InlineData("one[60s]", 201, 6, 6)]
    [InlineData("max_over_time(one[60s])[20s:5s]", 201, 24, 10)]
    [InlineData("max_over_time(one[61s])[20s:5s]", 201, 26, 11)]
    [InlineData("one[60s] @ 30", 201, 4, 4)]
    [InlineData("sum by (b) (max_over_time(three[60s] @ 30))", 201, 12, 7)]
    [InlineData("three[60s]", 201, 18, 18)]
    [InlineData("max_over_time(one[60s])", 201, 6, 7)]
    [InlineData("absent_over_time(one[60s])", 201, 6, 7)]
    [InlineData("max_over_time(three[60s])", 201, 18, 9)]
    [InlineData("one[60s:5s] offset 10s", 201, 12, 12)]
    [InlineData("max_over_time(three[60s:5s])", 201, 36, 51)]
    [InlineData("sum(max_over_time(three[60s:5s])) + sum(max_over_time(three[60s:5s]))", 201, 72, 52)]
    [InlineData("max_over_time(one[20s:10s])", 201, 2, 5)]
    [InlineData("max_over_time(one[30s:2m])", 240, 1, 3)]
    [InlineData("sum_over_time(three[20s:10s] @ 200)", 250, 6, 11)]
    [InlineData("sum_over_time(three[1m:10s] @ 200 offset 1m)", 300, 18, 27)]
    [InlineData("sum_over_time(max_over_time(three[60s] @ 300)[5m:1m] @ 600)[10m:2m]", 800, 75, 23)]
    [InlineData("rate(sum_over_time(one[30s])[1m:30s])", 240, 2, 5)]
    [InlineData("rate(one[20s])", 10, 2, 3)]
    [InlineData("one[20s:5s]", 10, 3, 3)]
    [InlineData("rate(rate(big[10s:1s] @ 10)[100s:25s] @ 1000)[17s:1s] @ 2000", 10, -1, 34)]
    public void Samples_of_an_instant_query_are_counted_as_in_Prometheus(string query, long time, long total, long peak)
    {
        var statistics = Series.Instant(query, time).Statistics;
        Assert.Equal((total < 0 ? statistics.SamplesTotal : total, peak), (statistics.SamplesTotal, statistics.SamplesPeak));
        Refused(() => Series.Instant(query, time, new QueryEngineOptions { SamplesMax = peak - 1 }));
        Series.Instant(query, time, new QueryEngineOptions { SamplesMax = peak });
    }

    [Theory]
    [InlineData("three{a=\"1\"}", 201, 220, 5, 4, 4)]
    [InlineData("three{a=\"1\"}", 204, 223, 5, 4, 4)]
    [InlineData("timestamp(one)", 201, 220, 5, 4, 5)]
    [InlineData("max_over_time(three{a=\"1\"}[10s])", 991, 1021, 10, 2, 2)]
    [InlineData("max_over_time(three[60s] @ 30)", 201, 220, 5, 48, 12)]
    [InlineData("max_over_time(three[60s])", 201, 220, 5, 72, 18)]
    [InlineData("max_over_time(three[60s:5s])", 201, 216, 5, 144, 69)]
    [InlineData("max_over_time(three[60s:5s])", 201, 220, 5, 144, 69)]
    [InlineData("sum by (b) (max_over_time(one[60s:5s]))", 201, 220, 5, 48, 31)]
    [InlineData("sum(max_over_time(three[60s:5s])) + sum(max_over_time(three[60s:5s]))", 201, 220, 5, 288, 73)]
    [InlineData("max_over_time(one[30s:10s])", 201, 231, 30, 6, 11)]
    [InlineData("max_over_time(one[20s:10s])", 201, 261, 10, 14, 17)]
    [InlineData("max_over_time(three[60s:10s])", 200, 400, 30, 126, 99)]
    [InlineData("predict_linear(one[60s] @ 100, 60)", 100, 300, 100, 18, 12)]
    [InlineData("1", 0, 2, 1, 0, 3)]
    [InlineData("one", 0, 10, 5, 3, 3)]
    [InlineData("rate(big[1s])", 0, 10, 5, 4, 1)]
    [InlineData("one @ 10", 0, 10, 5, 3, 3)]
    [InlineData("rate(big[10s:1s] @ 10)", 0, 10, 5, 60, 32)]
    [InlineData("rate(big[10s:1s] @ 10) + rate(big[10s:1s] @ 30)", 0, 10, 5, 120, 34)]
    [InlineData("rate(big[10s:1s]) + rate(big[10s:1s] @ 30)", 10, 20, 5, 120, 56)]
    public void Samples_of_a_range_query_are_counted_as_in_Prometheus(string query, long start, long end, long step, long total, long peak)
    {
        var statistics = Series.Range(query, start, end, step).Statistics;
        Assert.Equal((total, peak), (statistics.SamplesTotal, statistics.SamplesPeak));
        Refused(() => Series.Range(query, start, end, step, new QueryEngineOptions { SamplesMax = peak - 1 }));
        Series.Range(query, start, end, step, new QueryEngineOptions { SamplesMax = peak });
    }

    [Theory]
    [InlineData("count_over_time(one[100y:1ms])")]
    [InlineData("1 + 1")]
    public void A_grid_that_the_limit_can_never_allow_is_refused_before_it_is_made(string query) =>
        Refused(() => Series.Range(query, 0, 4_000_000_000, 1, new QueryEngineOptions { SamplesMax = 1000 }));

    [Fact]
    public void Series_are_counted_for_each_selector() => Assert.Equal(5, Series.Instant("sum(three) + count(big)", 20).Statistics.Series);

    private static void Refused(Func<QueryResult> ask)
    {
        var e = Assert.Throws<QueryException>(ask);
        Assert.Equal(QueryFault.TooManySamples, e.Fault);
        Assert.Equal("query processing would load too many samples into memory in query execution", e.Message);
    }
}
