using System.Text.RegularExpressions;
using Lm.PromQL.Tests.Scripts;
using Lm.TestKit;
using Lm.Tsdb;

namespace Lm.PromQL.Tests.Evaluation;

public sealed class QueryEngineTests
{
    private static readonly QueryEngineOptions V2 = new() { Semantics = PromSemantics.V2 };
    private static readonly double Stale = BitConverter.Int64BitsToDouble(StaleMarker.Bits);

    [Fact]
    public void Windows_leave_out_their_left_end_since_Prometheus_3()
    {
        var series = new MemorySeries().With("m", "", 1, 2, 3);
        Assert.Equal("{} 1", series.Instant("count_over_time(m[10s])", 20).Text());
        Assert.Equal("{} 2", series.Instant("count_over_time(m[10s])", 20, V2).Text());
        Assert.Equal("{__name__=\"m\"} 3@20", series.Instant("m[10s]", 20).Text());
        Assert.Equal("{__name__=\"m\"} 2@10 3@20", series.Instant("m[10s]", 20, V2).Text());
        Assert.Equal("{__name__=\"m\"} 3@20", series.Instant("m[10s:10s]", 20).Text());
        Assert.Equal("{__name__=\"m\"} 2@10 3@20", series.Instant("m[10s:10s]", 20, V2).Text());
    }

    [Fact]
    public void The_look_back_leaves_out_what_is_exactly_that_old_since_Prometheus_3()
    {
        var series = new MemorySeries().With("m", "", 1);
        Assert.Equal("{__name__=\"m\"} 1", series.Instant("m", 299.999).Text());
        Assert.Equal("", series.Instant("m", 300).Text());
        Assert.Equal("{__name__=\"m\"} 1", series.Instant("m", 300, V2).Text());
        Assert.Equal("", series.Instant("m", 300.001, V2).Text());
        Assert.Equal("{__name__=\"m\"} 1", series.Instant("m", 6.9, new QueryEngineOptions { LookbackMs = 7000 }).Text());
        Assert.Equal("", series.Instant("m", 7, new QueryEngineOptions { LookbackMs = 7000 }).Text());
    }

    [Fact]
    public void A_series_that_ended_is_gone_at_once_and_comes_back_with_its_next_sample()
    {
        var series = new MemorySeries().With("m", "", 1, Stale, 3);
        Assert.Equal("{__name__=\"m\"} 1@0 1@5 3@20 3@25", series.Range("m", 0, 25, 5).Text());
        Assert.Equal("{} 2", series.Instant("count_over_time(m[1m])", 20).Text());
    }

    [Fact]
    public void A_pinned_part_is_read_once_whatever_the_number_of_steps()
    {
        var watched = new WatchedReader(new MemorySeries().With("m", "", 1, 2, 3));
        Assert.Equal("{} 3@0 3@10 3@20", watched.Range("sum(max_over_time(m[1m] @ end()))", 0, 20, 10).Text());
        Assert.Equal(1, watched.Reads);
    }

    [Fact]
    public void Every_series_is_read_once_for_all_steps_and_selections_are_closed()
    {
        var watched = new WatchedReader(new MemorySeries().With("m", "a=1", 1, 2, 3).With("m", "a=2", 1, 2, 3));
        watched.Range("sum(rate(m[15s])) + on () sum(m)", 0, 1000, 1);
        Assert.Equal((4, 0), (watched.Reads, watched.Open));
    }

    [Fact]
    public void Steps_of_a_subquery_are_aligned_to_1970_also_before_it()
    {
        var series = new MemorySeries().With("m", "", 1, 2, 3, 4);
        Assert.Equal("{} 15@15 30@30", series.Instant("vector(time())[20s:15s]", 34).Text());
        Assert.Equal("{} -30@-30 -15@-15", series.Instant("vector(time())[20s:15s]", -14).Text());
        Assert.Equal("{} 0@0", series.Instant("vector(time())[50s:]", 34).Text());
    }

    [Fact]
    public void Sorting_and_the_best_of_a_group_decide_the_order_of_an_instant_query_and_NaN_comes_last()
    {
        var series = new MemorySeries().With("m", "a=1", 2).With("m", "a=2", double.NaN).With("m", "a=3", 3).With("m", "a=4", 1);
        const string Ascending = "{__name__=\"m\", a=\"4\"} 1; {__name__=\"m\", a=\"1\"} 2; {__name__=\"m\", a=\"3\"} 3; {__name__=\"m\", a=\"2\"} NaN";
        const string Descending = "{__name__=\"m\", a=\"3\"} 3; {__name__=\"m\", a=\"1\"} 2; {__name__=\"m\", a=\"4\"} 1; {__name__=\"m\", a=\"2\"} NaN";
        Assert.Equal(Ascending, series.Instant("sort(m)", 0).Text());
        Assert.Equal(Descending, series.Instant("sort_desc(m)", 0).Text());
        Assert.Equal(Descending, series.Instant("topk(9, m)", 0).Text());
        Assert.Equal(Ascending, series.Instant("bottomk(9, m)", 0).Text());
        Assert.Equal(Descending, series.Instant("topk(9, m)", 0, V2).Text());
    }

    [Theory]
    [InlineData("a + b", "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)")]
    [InlineData("b + a", "found duplicate series for the match group {} on the right hand-side of the operation: [{__name__=\"a\", x=\"1\"}, {__name__=\"a\", x=\"2\"}];many-to-many matching not allowed: matching labels must be unique on one side")]
    [InlineData("a + on () group_right () b", "found duplicate series for the match group {} on the left hand-side of the operation: [{__name__=\"a\", x=\"1\"}, {__name__=\"a\", x=\"2\"}];many-to-many matching not allowed: matching labels must be unique on one side")]
    [InlineData("a + on () group_left (x) b", "multiple matches for labels: grouping labels must ensure unique matches")]
    [InlineData("rate({__name__=~\"c|d\"}[1m])", "vector cannot contain metrics with the same labelset")]
    [InlineData("-{__name__=~\"c|d\"}", "vector cannot contain metrics with the same labelset")]
    [InlineData("label_replace(a, \"x\", \"same\", \"x\", \".*\")", "vector cannot contain metrics with the same labelset")]
    [InlineData("label_replace(a, \"x\", \"\", \"x\", \"(\")", "invalid regular expression in label_replace(): (")]
    [InlineData("label_replace(a, \"\", \"\", \"x\", \"\")", "invalid destination label name in label_replace(): ")]
    [InlineData("label_join(a, \"y\", \"\", \"\")", "invalid source label name in label_join(): ")]
    [InlineData("topk(NaN, a)", "Parameter value is NaN")]
    [InlineData("topk(1e30, a)", "Scalar value 1e+30 overflows int64")]
    [InlineData("count_values(\"\", a)", "invalid label name \"\"")]
    public void What_cannot_be_evaluated_is_refused_in_Prometheus_words(string query, string expected)
    {
        var series = new MemorySeries().With("a", "x=1", 1, 2).With("a", "x=2", 1, 2).With("b", "", 1, 2).With("c", "", 1, 2).With("d", "", 1, 2);
        Assert.Equal(expected, Asked.Fault(() => series.Instant(query.Replace("a + b", "a + on () b", StringComparison.Ordinal).Replace("b + a", "b + on () a", StringComparison.Ordinal), 10)));
    }

    [Fact]
    public void Two_partners_at_once_are_only_refused_at_steps_where_the_other_side_has_something()
    {
        var series = new MemorySeries().With("a", "x=1", 1, Stale).With("a", "x=2", 1, 2).With("b", "", Stale, 2);
        Assert.Equal("{} 4@10", series.Range("b + on () a", 0, 10, 10).Text());
    }

    [Fact]
    public void A_range_query_of_a_text_or_window_is_refused()
    {
        var series = new MemorySeries();
        Assert.Equal("invalid expression type \"string\" for range query, must be Scalar or instant Vector", Asked.Fault(() => series.Range("\"x\"", 0, 1, 1)));
        Assert.Equal("invalid expression type \"range vector\" for range query, must be Scalar or instant Vector", Asked.Fault(() => series.Range("m[1m]", 0, 1, 1)));
    }

    [Fact]
    public void Times_that_could_overflow_are_refused_and_the_farthest_others_are_answered()
    {
        var series = new MemorySeries();
        Assert.StartsWith("times must be between", Asked.Fault(() => series.Instant("time()", 1e13)), StringComparison.Ordinal);
        Assert.StartsWith("times must be between", Asked.Fault(() => series.Range("time()", -10_000_000_000_000, 0, 1)), StringComparison.Ordinal);
        Assert.Equal("", series.Instant("rate(m[100y] offset 100y)", 9e12).Text());
        Assert.Equal("{} 2", series.Instant("count_over_time(vector(1)[100y:50y] offset -100y)", -9e12).Text());
    }

    [Theory]
    [InlineData("rate(m[1m])", "PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: \"m\" (1:6)")]
    [InlineData("sum(\n  increase((m[1m])))", "PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: \"m\" (2:13)")]
    [InlineData("quantile(1.5, m)", "PromQL warning: quantile value should be between 0 and 1, got 1.5 (1:10)")]
    [InlineData("quantile_over_time(-1, m[1m])", "PromQL warning: quantile value should be between 0 and 1, got -1 (1:20)")]
    [InlineData("histogram_quantile(NaN, m)", "PromQL warning: bucket label \"le\" is missing or has a malformed value of \"\" (1:25)|PromQL warning: quantile value should be between 0 and 1, got NaN (1:20)")]
    [InlineData("histogram_quantile(0.5, h_bucket)", "PromQL info: input to histogram_quantile needed to be fixed for monotonicity (see https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile), from buckets 2 to 2, with a max diff of 4, over 1 samples from 1970-01-01T00:00:10Z to 1970-01-01T00:00:10Z (1:25)")]
    public void Doubtful_queries_are_annotated_with_their_place_but_not_for_Prometheus_2(string query, string expected)
    {
        var series = new MemorySeries().With("m", "", 1, 2).With("h_bucket", "le=1", 5, 5).With("h_bucket", "le=2", 1, 1).With("h_bucket", "le=+Inf", 6, 6);
        var result = series.Instant(query, 10);
        Assert.Equal(expected, string.Join('|', result.Warnings.Concat(result.Infos)));
        var older = series.Instant(query, 10, V2);
        Assert.Empty(older.Warnings.Concat(older.Infos));
    }

    [Fact]
    public void Sorting_a_range_query_is_said_to_do_nothing() => Assert.Equal(
        ["PromQL warning: sort is ineffective for range queries since results are always ordered by labels (1:1)"],
        new MemorySeries().With("m", "", 1, 2).Range("sort(m)", 0, 10, 10).Warnings);

    [Fact]
    public void A_query_ends_soon_after_its_caller_gave_up()
    {
        using var source = new CancellationTokenSource();
        var reader = Many();
        reader.BeforeRead = source.Cancel;
        var engine = new QueryEngine(reader, new QueryEngineOptions());
        var e = Assert.Throws<QueryException>(() => engine.Range(Asked.Parse("sum(rate(m[5m]))"), 0, 3_600_000, 1000, source.Token));
        Assert.Equal((QueryFault.Canceled, "query was canceled in expression evaluation"), (e.Fault, e.Message));
        Assert.InRange(reader.Reads, 1, 100);
        Assert.Equal(0, reader.Open);
    }

    [Fact]
    public void A_query_ends_soon_after_its_time_is_over()
    {
        var clock = new ManualTime();
        var reader = Many();
        reader.BeforeRead = () => clock.Advance(TimeSpan.FromSeconds(1));
        var e = Assert.Throws<QueryException>(() => reader.Range("sum(rate(m[5m]))", 0, 3600, 1, new QueryEngineOptions { Timeout = TimeSpan.FromSeconds(10), TimeProvider = clock }));
        Assert.Equal((QueryFault.Timeout, "query timed out in expression evaluation"), (e.Fault, e.Message));
        Assert.InRange(reader.Reads, 10, 110);
    }

    [Fact]
    public void A_regular_expression_that_takes_too_long_fails_the_query()
    {
        var reader = Many();
        reader.BeforeRead = () => throw new RegexMatchTimeoutException("value", ".*", TimeSpan.FromSeconds(1));
        Assert.Equal("expanding series: regular expression .* took longer than 00:00:01 for one value", Asked.Fault(() => reader.Instant("m", 10)));
    }

    private static WatchedReader Many()
    {
        var series = new MemorySeries();
        for (var i = 0; i < 1000; i++)
        {
            series.With("m", $"a={i}", 1, 2, 3);
        }

        return new WatchedReader(series);
    }
}
