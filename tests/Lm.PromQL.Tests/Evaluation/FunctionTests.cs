using System.Globalization;
using Lm.PromQL.Tests.Scripts;
using Lm.Tsdb;

namespace Lm.PromQL.Tests.Evaluation;

public sealed class FunctionTests
{
    [Theory]
    [InlineData("clamp_max(vector(NaN), -Inf)", "{} -Inf")] // the infinity that decides wins over NaN
    [InlineData("clamp_min(vector(NaN), Inf)", "{} +Inf")]
    [InlineData("clamp(vector(NaN), 0, 1)", "{} NaN")]
    [InlineData("clamp(vector(0.5), 1, 0)", "")]
    [InlineData("round(vector(-0.5))", "{} 0")]
    [InlineData("round(vector(2.45), 0.1)", "{} 2.5")]
    [InlineData("vector(-7) % 3", "{} -1")]
    [InlineData("vector(7) % -3", "{} 1")]
    [InlineData("vector(5) % Inf", "{} 5")]
    [InlineData("vector(-8) ^ (1 / 3)", "{} NaN")]
    [InlineData("vector(0) ^ 0", "{} 1")]
    [InlineData("sgn(vector(-0.0))", "{} -0")]
    [InlineData("ln(vector(-1))", "{} NaN")]
    [InlineData("log2(vector(8))", "{} 3")]
    [InlineData("year(vector(-1))", "{} 1969")]
    [InlineData("month(vector(-1)) * 100 + day_of_month(vector(-1))", "{} 1231")]
    [InlineData("hour(vector(-1)) * 100 + minute(vector(-1))", "{} 2359")]
    [InlineData("day_of_week(vector(-86401))", "{} 2")]
    [InlineData("day_of_year(vector(1709251199))", "{} 60")]
    [InlineData("days_in_month(vector(4107542399))", "{} 28")] // 2100 is no leap year
    [InlineData("year(vector(253402300800))", "{} 10000")]
    [InlineData("scalar(vector(1) or absent(nothing{a=\"b\"}))", "NaN")]
    [InlineData("absent(nothing{a=\"b\", c=\"d\", c=\"e\", f=~\"g\"})", "{a=\"b\"} 1")]
    [InlineData("histogram_sum(vector(1)) or histogram_avg(vector(1))", "")]
    [InlineData("quantile(0.5, vector(NaN))", "{} NaN")]
    [InlineData("stdvar(vector(Inf))", "{} NaN")]
    [InlineData("sinh(vector(709.9))", "{} +Inf")] // e^x is no number any more, its half would be
    [InlineData("sinh(vector(-709.9)) + 0 * cosh(vector(709))", "{} -Inf")]
    [InlineData("cosh(vector(-709.9))", "{} +Inf")]
    public void Edges_are_those_of_Prometheus(string query, string expected) => Assert.Equal(expected, new MemorySeries().Instant(query, 0).Text());

    [Theory]
    [InlineData("histogram_quantile(0.5, h)", "{} 1.5")]
    [InlineData("histogram_quantile(0.95, h)", "{} 4")]
    [InlineData("histogram_quantile(0, h)", "{} 0")]
    [InlineData("histogram_quantile(-1, h)", "{} -Inf")]
    [InlineData("histogram_quantile(2, h)", "{} +Inf")]
    [InlineData("histogram_quantile(0.5, h{le!=\"+Inf\"})", "{} NaN")]
    [InlineData("histogram_quantile(0.5, h{le=\"+Inf\"})", "{} NaN")]
    [InlineData("histogram_fraction(0, 2, h)", "{} 0.8")]
    [InlineData("histogram_fraction(1.5, 3, h)", "{} 0.35")]
    [InlineData("histogram_fraction(3, 1, h)", "{} 0")]
    [InlineData("histogram_fraction(NaN, 1, h)", "{} NaN")]
    [InlineData("histogram_fraction(-Inf, Inf, h)", "{} 1")]
    public void Classic_buckets_give_quantiles_and_fractions(string query, string expected)
    {
        var series = new MemorySeries().With("h", "le=1", 2).With("h", "le=2", 8).With("h", "le=4", 9).With("h", "le=+Inf", 10).With("h", "le=zero", 99);
        Assert.Equal(expected, series.Instant(query, 0).Text());
    }

    [Fact]
    public void Buckets_that_differ_by_rounding_only_are_no_finding()
    {
        var series = new MemorySeries().With("h", "le=1", 0.3).With("h", "le=2", 0.1 + 0.2 - 1e-16).With("h", "le=+Inf", 0.3);
        var result = series.Instant("histogram_quantile(0.5, h)", 0);
        Assert.Equal("{} 0.5", result.Text());
        Assert.Empty(result.Infos);
    }

    [Theory]
    [InlineData("$1-$2", "a-b")]
    [InlineData("${1}x", "ax")]
    [InlineData("$1x", "")]
    [InlineData("$second$$", "b$")]
    [InlineData("${second}", "b")]
    [InlineData("$0", "a.b")]
    [InlineData("$3", "")]
    [InlineData("${1", "${1")]
    [InlineData("$", "$")]
    public void A_replacement_is_expanded_as_Go_expands_it(string template, string expected)
    {
        var result = new MemorySeries().With("m", "x=a.b", 1).Instant($"label_replace(m, \"y\", \"{template}\", \"x\", \"(.)[.](?P<second>.)\")", 0);
        Assert.Equal(expected, Assert.Single(Assert.IsType<VectorValue>(result.Value).Samples).Labels.ValueOf("y"));
    }

    [Fact]
    public void Values_are_counted_by_their_shortest_plain_digits() => Assert.Equal(
        "{v=\"0.1\"} 1; {v=\"100000000000000000000000\"} 2; {v=\"NaN\"} 1; {v=\"-Inf\"} 1; {v=\"0.00000012\"} 1",
        new MemorySeries().With("m", "a=1", 0.1).With("m", "a=2", 1e23).With("m", "a=3", 1e23).With("m", "a=4", double.NaN)
            .With("m", "a=5", double.NegativeInfinity).With("m", "a=6", 1.2e-7).Instant("count_values(\"v\", m)", 0).Text());

    [Fact]
    public void Names_go_where_values_are_no_longer_the_metrics_own()
    {
        var series = new MemorySeries().With("m", "a=1,__type__=counter", 1, 2);
        Assert.Equal("{a=\"1\"} 4", series.Instant("m * 2", 10).Text());
        Assert.Equal("{__name__=\"m\", __type__=\"counter\", a=\"1\"} 2", series.Instant("m > 1", 10).Text());
        Assert.Equal("{a=\"1\"} 1", series.Instant("m > bool 1", 10).Text());
        Assert.Equal("{__name__=\"m\", __type__=\"counter\", a=\"1\"} 1", series.Instant("first_over_time(m[1m])", 10).Text());
        Assert.Equal("{__type__=\"counter\", a=\"1\"} 4", series.Instant("m * 2", 10, new QueryEngineOptions { Semantics = PromSemantics.V2 }).Text());
    }

    [Fact]
    public void Sums_keep_small_values_beside_large_ones_since_Prometheus_3()
    {
        var series = new MemorySeries().With("m", "a=1", 1).With("m", "a=2", 1e100).With("m", "a=3", 1).With("m", "a=4", -1e100);
        Assert.Equal("{} 2", series.Instant("sum(m)", 0).Text());
        Assert.Equal("{} 0", series.Instant("sum(m)", 0, new QueryEngineOptions { Semantics = PromSemantics.V2 }).Text());
    }

    [Theory]
    [InlineData("holt_winters(m[1m], 0, 0.5)", "invalid smoothing factor. Expected: 0 < sf < 1, got: 0.000000")]
    [InlineData("holt_winters(m[1m], 0.5, 2)", "invalid trend factor. Expected: 0 < tf < 1, got: 2.000000")]
    public void A_factor_out_of_range_is_refused(string query, string expected)
    {
        var series = new MemorySeries().With("m", "", 1, 2);
        Assert.Equal(expected, Asked.Fault(() => series.Instant(query, 10, new QueryEngineOptions { Semantics = PromSemantics.V2 })));
    }

    [Theory]
    [InlineData(0, "0", "0")]
    [InlineData(1e6, "1000000", "1e+06")]
    [InlineData(123456.75, "123456.75", "123456.75")]
    [InlineData(1e-4, "0.0001", "0.0001")]
    [InlineData(1.5e-5, "0.000015", "1.5e-05")]
    [InlineData(-2.5e300, null, "-2.5e+300")]
    [InlineData(double.NaN, "NaN", "NaN")]
    public void Numbers_are_written_as_Go_writes_them(double value, string? plain, string general)
    {
        Assert.Equal(general, FloatText.General(value));
        Assert.Equal(plain ?? FloatText.Plain(value), FloatText.Plain(value));
        Assert.True(FloatText.TryParse(FloatText.Plain(value), out var back));
        Assert.Equal(value, back);
    }

    [Theory]
    [InlineData("+Inf", double.PositiveInfinity)]
    [InlineData("infinity", double.PositiveInfinity)]
    [InlineData("-inf", double.NegativeInfinity)]
    [InlineData("+5.", 5)]
    [InlineData(".5e1", 5)]
    public void Bounds_are_read_in_every_spelling(string text, double expected)
    {
        Assert.True(FloatText.TryParse(text, out var value));
        Assert.Equal(expected, value);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" 1")]
    [InlineData("1 ")]
    [InlineData("++1")]
    [InlineData("+nan")]
    [InlineData("1,000")]
    [InlineData("1e999")]
    public void What_is_no_bound_is_none(string text) => Assert.False(FloatText.TryParse(text, out _));

    [Fact]
    public void Of_few_values_those_that_are_not_numbers_turn_round_when_sorted()
    {
        const string Series = "label_replace(vector({0}), \"i\", \"{1}\", \"\", \"\")";
        var query = string.Join(" or ", new[] { ("NaN", "a"), ("1", "b"), ("NaN", "c"), ("1", "d"), ("2", "e") }.Select(pair => string.Format(CultureInfo.InvariantCulture, Series, pair.Item1, pair.Item2)));

        Assert.Equal("{i=\"b\"} 1; {i=\"d\"} 1; {i=\"e\"} 2; {i=\"c\"} NaN; {i=\"a\"} NaN", new MemorySeries().Instant($"sort({query})", 0).Text());
        Assert.Equal("{i=\"e\"} 2; {i=\"b\"} 1; {i=\"d\"} 1; {i=\"c\"} NaN; {i=\"a\"} NaN", new MemorySeries().Instant($"sort_desc({query})", 0).Text());
    }

    [Fact]
    public void A_pinned_expression_in_a_subquery_without_steps_is_still_refused_by_Prometheus_2()
    {
        const string Query = "count_over_time((idelta({__name__=~\"m|n\"}[1m] @ 60))[1ms:1m] @ 90)";
        var series = new MemorySeries();
        foreach (var name in (string[])["m", "n"])
        {
            series.Add(new LabelSet(new Label("__name__", name)), 30_000, 1);
            series.Add(new LabelSet(new Label("__name__", name)), 45_000, 2);
        }

        Assert.Equal(SeriesMerger.DuplicateFault, Asked.Fault(() => series.Instant(Query, 10, new QueryEngineOptions { Semantics = PromSemantics.V2 })));
        Assert.Equal("", series.Instant(Query, 10).Text());
    }

    [Theory]
    [InlineData(PromSemantics.V2)]
    [InlineData(PromSemantics.V3)]
    public void Every_function_of_the_table_can_be_evaluated(PromSemantics semantics)
    {
        var series = new MemorySeries();
        series.Add(new LabelSet(new Label("__name__", "m"), new Label("le", "1")), 5_000, 1);
        var options = new QueryEngineOptions { Semantics = semantics };
        var functions = FunctionTable.All.Where(function => FunctionTable.Find(function.Name, semantics) is not null).ToList();
        Assert.NotEmpty(functions);
        foreach (var function in functions)
        {
            var arguments = function.Parameters.Select(kind => kind switch
            {
                ValueKind.Vector => "m",
                ValueKind.Matrix => "m[5m]",
                ValueKind.Text => "\"a\"",
                _ => "0.5",
            });
            var query = $"{function.Name}({string.Join(", ", arguments)})";
            Assert.True(PromParser.TryParse(query, semantics, out var expression, out var fault), $"{query}: {fault}");
            Assert.NotNull(new QueryEngine(series, options).Instant(expression!, 10_000, CancellationToken.None).Value); // or it is refused as not implemented
        }
    }
}
