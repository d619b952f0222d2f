using FsCheck;
using FsCheck.Fluent;
using Lm.Collector.Query;
using Lm.Tsdb;

namespace Lm.Collector.Tests.Query;

public sealed class SelectorParserTests
{
    [Theory]
    [InlineData("up", "__name__=up")]
    [InlineData("  up  # all of them", "__name__=up")]
    [InlineData("job:rate5m:sum", "__name__=job:rate5m:sum")]
    [InlineData("up{}", "__name__=up")]
    [InlineData("up{a=\"b\"}", "__name__=up a=b")]
    [InlineData("up { a = \"b\" , c != 'd' , e =~ `f.*` , g !~ \"h\" , }", "__name__=up a=b c!=d e=~f.* g!~h")]
    [InlineData("{__name__=\"up\"}", "__name__=up")]
    [InlineData("{__name__=~\"node_.+\"}", "__name__=~node_.+")]
    [InlineData("{\"metric.with.dots\", \"label.with.dots\"=\"x\"}", "__name__=metric.with.dots label.with.dots=x")]
    [InlineData("{a!=\"\"}", "a!=")]
    [InlineData("sum", "__name__=sum")]
    [InlineData("offset_x", "__name__=offset_x")]
    [InlineData("up{a=\"\\\"\\\\\\n\\t\\x41\\u00e4\\U0001F600\\101\"}", "__name__=up a=\"\\\n\tAä😀A")]
    [InlineData("up{a='\\''}", "__name__=up a='")]
    [InlineData("up{a=`\\n`}", "__name__=up a=\\n")]
    [InlineData("up{a=\"\\xc3\\xa4\"}", "__name__=up a=ä")]
    [InlineData("up[5m]", "__name__=up [300000]")]
    [InlineData("up[ 1h30m ]", "__name__=up [5400000]")]
    [InlineData("up[1y1w1d1h1m1s1ms]", "__name__=up [32230861001]")]
    [InlineData("up[90]", "__name__=up [90000]")]
    [InlineData("up offset 5m", "__name__=up offset 300000")]
    [InlineData("up OFFSET -1d", "__name__=up offset -86400000")]
    [InlineData("up[5m] offset 1w", "__name__=up [300000] offset 604800000")]
    public void A_selector_is_read(string text, string expected)
    {
        Assert.True(SelectorParser.TryParse(text, out var selector, out var error), error);
        Assert.Equal(expected, Show(selector!));
    }

    [Theory]
    [InlineData("", "unknown position: parse error: no expression found in input")]
    [InlineData(" # nothing", "unknown position: parse error: no expression found in input")]
    [InlineData("rate(up[5m])", "1:5: parse error: unexpected \"(\"; this version answers plain selectors only, as in node_load1{instance=~\"web.*\"}[5m] offset 1h")]
    [InlineData("up + 1", "1:4: parse error: unexpected \"+\"; this version answers plain selectors only")]
    [InlineData("1", "1:1: parse error: unexpected \"1\"; this version answers plain selectors only")]
    [InlineData("(up)", "1:1: parse error: unexpected \"(\"; this version")]
    [InlineData("up @ 1", "1:4: parse error: unexpected \"@\"; this version")]
    [InlineData("up[5m:1m]", "1:6: parse error: unexpected \":\"; this version")]
    [InlineData("up\n  or\n  down", "2:3: parse error: unexpected \"o\"; this version")]
    [InlineData("up{ä=\"b\"}", "1:4: parse error: unexpected character U+00E4 in label matching, expected identifier or \"}\"")]
    [InlineData("up{a=\"ä\" b}", "1:11: parse error: unexpected \"b\" in label matching, expected \",\" or \"}\"")]
    [InlineData("up{", "1:4: parse error: unexpected end of input inside braces")]
    [InlineData("up{a", "1:5: parse error: unexpected end of input in label matching, expected label matching operator")]
    [InlineData("up{a=}", "1:6: parse error: unexpected \"}\" in label matching, expected string")]
    [InlineData("up{a>\"b\"}", "1:5: parse error: unexpected \">\" in label matching, expected label matching operator")]
    [InlineData("up{a=\"b}", "1:6: parse error: unterminated quoted string")]
    [InlineData("up{a=\"b\nc\"}", "1:6: parse error: unterminated quoted string")]
    [InlineData("up{a=\"\\q\"}", "1:7: parse error: unknown escape sequence \"q\"")]
    [InlineData("up{a=\"\\'\"}", "1:7: parse error: unknown escape sequence \"'\"")]
    [InlineData("up{a=\"\\x4\"}", "1:10: parse error: illegal character \"\"\" in escape sequence")]
    [InlineData("up{a=\"\\ud800\"}", "1:7: parse error: escape sequence is an invalid Unicode code point")]
    [InlineData("up{a=\"\\777\"}", "1:7: parse error: escape sequence is an invalid byte")]
    [InlineData("up{a=\"\\xff\"}", "1:6: parse error: string is not valid UTF-8")]
    [InlineData("up{a=~\"[\"}", "1:7: parse error: error parsing regexp: missing closing ]")]
    [InlineData("{}", "1:1: parse error: vector selector must contain at least one non-empty matcher")]
    [InlineData("{a=\"\"}", "1:1: parse error: vector selector must contain at least one non-empty matcher")]
    [InlineData("{a=~\".*\", b!=\"c\"}", "1:1: parse error: vector selector must contain at least one non-empty matcher")]
    [InlineData("up{__name__=\"down\"}", "1:4: parse error: metric name must not be set twice: \"up\" or \"down\"")]
    [InlineData("{\"a\",\"b\"}", "1:6: parse error: metric name must not be set twice: \"a\" or \"b\"")]
    [InlineData("up[", "1:4: parse error: unexpected end of input, expected \"]\"")]
    [InlineData("up[0s]", "1:4: parse error: duration must be greater than 0")]
    [InlineData("up[5x]", "1:4: parse error: not a valid duration string: \"5x\"")]
    [InlineData("up[5m1h]", "1:4: parse error: not a valid duration string: \"5m1h\"")]
    [InlineData("up[10000y]", "1:4: parse error: not a valid duration string: \"10000y\"")]
    [InlineData("up[]", "1:4: parse error: not a valid duration string: \"\"")]
    [InlineData("up offset", "1:10: parse error: unexpected end of input in offset, expected duration")]
    [InlineData("up offset x", "1:11: parse error: unexpected \"x\" in offset, expected duration")]
    [InlineData("up offset 1m up", "1:14: parse error: unexpected \"u\"; this version")]
    [InlineData("\u0000", "1:1: parse error: unexpected character U+0000; this version")]
    public void What_is_no_plain_selector_is_refused_with_its_place(string text, string expected)
    {
        Assert.False(SelectorParser.TryParse(text, out _, out var error));
        Assert.StartsWith(expected, error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_query_that_is_too_long_is_refused_unread()
    {
        Assert.False(SelectorParser.TryParse(new string('(', 100_000), out _, out var error));
        Assert.Contains("at most 65536", error, StringComparison.Ordinal);
    }

    [Fact]
    public void No_text_makes_the_parser_throw() => Prop.ForAll<string>(text =>
    {
        var isRead = SelectorParser.TryParse(text ?? "", out _, out var error);
        return isRead == (error.Length == 0);
    }).Check(Config.QuickThrowOnFailure.WithMaxTest(2000));

    [Fact]
    public void No_pieces_of_selectors_make_the_parser_throw()
    {
        var piece = Gen.Elements("up", "{", "}", "[", "]", "(", "\"", "'", "`", "\\", "\\x", "\\u12", "=", "=~", "!~", "a", ",", "5m", "offset", "-", " ", "\n", "#", "[[:", "(?P<", "{9,", "ä", "\ud800");
        var text = piece.ArrayOf().Select(string.Concat).ToArbitrary();
        Prop.ForAll(text, joined =>
        {
            var isRead = SelectorParser.TryParse(joined, out var selector, out var error);
            return isRead ? selector is not null && error.Length == 0 : selector is null && error.Contains("parse error: ", StringComparison.Ordinal);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(5000));
    }

    private static string Show(Selector selector)
    {
        var matchers = selector.Matchers.Select(matcher => matcher.Name + matcher.Kind switch
        {
            MatchKind.Equal => "=",
            MatchKind.NotEqual => "!=",
            MatchKind.Regex => "=~",
            _ => "!~",
        } + matcher.Value);
        return string.Join(' ', matchers)
            + (selector.Range is { } range ? $" [{range.TotalMilliseconds}]" : "")
            + (selector.Offset != TimeSpan.Zero ? $" offset {selector.Offset.TotalMilliseconds}" : "");
    }
}
