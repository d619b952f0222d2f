namespace Lm.PromQL.Tests;

public sealed class PromParserTests
{
    [Theory]
    [InlineData("sum by(a)(b{c!=\"d\",a=~\"x.*\"}[5m] offset -1m)", "")]
    [InlineData("sum by(a)(rate(b{c!=\"d\",a=~\"x.*\"}[5m] offset -1m))", "sum by (a) (rate(b{a=~\"x.*\",c!=\"d\"}[5m] offset -1m))")]
    [InlineData("-1 ^ 2 ^ x", "-1 ^ 2 ^ x")]
    [InlineData("{\"a.b\", \"ü\"='x'}", "{\"ü\"=\"x\",__name__=\"a.b\"}")]
    [InlineData("x[300]", "x[5m]")]
    [InlineData("x @ end() offset 90s", "x @ end() offset 1m30s")]
    [InlineData("1h + 0x1f + 1_000", "1h + 31 + 1000")]
    [InlineData("a * on(b) group_left(c) d", "a * on (b) group_left (c) d")]
    [InlineData("sum(x)[1h:]", "sum(x)[1h:]")]
    [InlineData("by + on # comment", "")]
    public void A_query_is_printed_as_Prometheus_prints_it(string query, string expected) =>
        Assert.Equal(expected, PromParser.TryParse(query, out var expression, out _) ? ExpressionText.Format(expression) : "");

    // Places and texts as a real Prometheus gave them.
    [Theory]
    [InlineData("", "unknown position: parse error: no expression found in input")]
    [InlineData("1 +", "1:4: parse error: unexpected end of input")]
    [InlineData("foo)", "1:5: parse error: unexpected right parenthesis ')'")]
    [InlineData("sum(foo 1)", "1:9: parse error: unexpected number \"1\" in aggregation")]
    [InlineData("foo{a=1}", "1:7: parse error: unexpected character inside braces: '1'")]
    [InlineData("foo{a b}", "1:7: parse error: unexpected identifier \"b\" in label matching, expected label matching operator")]
    [InlineData("rate(foo)", "1:6: parse error: expected type range vector in call to function \"rate\", got instant vector")]
    [InlineData("é", "1:1: parse error: unexpected character: 'é'")]
    [InlineData("\n\"é\" + x[5m]", "2:1: parse error: binary expression must contain only scalar and instant vector types")]
    [InlineData("1 == 2", "1:3: parse error: comparisons between scalars must use BOOL modifier")]
    [InlineData("step()", "1:1: parse error: function \"step\" is not enabled")]
    [InlineData("limitk(1, x)", "1:1: parse error: limitk() is experimental and must be enabled with --enable-feature=promql-experimental-functions")]
    [InlineData("x{}", "")]
    [InlineData("{a=\"\"}", "1:1: parse error: vector selector must contain at least one non-empty matcher")]
    [InlineData("a + on(b) group_left ,", "1:22: parse error: unexpected \",\" in grouping opts, expected \"(\"")]
    public void A_fault_has_Prometheus_words_and_place(string query, string expected) =>
        Assert.Equal(expected, PromParser.TryParse(query, out _, out var fault) ? "" : fault.ToString());

    [Theory]
    [InlineData('(', 100_000)]
    [InlineData('-', 100_000)]
    [InlineData('{', 100_000)]
    public void Hostile_nesting_is_refused(char sign, int count) => Assert.False(PromParser.TryParse(new string(sign, count), out _, out _));

    [Fact]
    public void A_long_chain_of_operators_is_refused_and_a_usual_one_is_not()
    {
        Assert.True(PromParser.TryParse(string.Join('+', Enumerable.Repeat("1", 400)), out _, out _));
        Assert.False(PromParser.TryParse(string.Join('+', Enumerable.Repeat("1", 60_000)), out _, out var fault));
        Assert.Contains("nest deeper than 500 levels", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Prometheus_2_has_other_functions_and_no_durations_as_numbers()
    {
        Assert.True(PromParser.TryParse("holt_winters(x[5m], 0.5, 0.5)", PromSemantics.V2, out _, out _));
        Assert.False(PromParser.TryParse("holt_winters(x[5m], 0.5, 0.5)", out _, out _));
        Assert.False(PromParser.TryParse("x[300]", PromSemantics.V2, out _, out var fault));
        Assert.Equal("missing unit character in duration", fault.Message);
    }
}
