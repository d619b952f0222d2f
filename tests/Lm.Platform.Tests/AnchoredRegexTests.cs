namespace Lm.Platform.Tests;

public sealed class AnchoredRegexTests
{
    [Theory]
    [InlineData("web.*", "web1", true)]
    [InlineData("web.*", "a web1", false)]
    [InlineData("web", "web1", false)]
    [InlineData("a|b", "b", true)]
    [InlineData("a|b", "ab", false)]
    [InlineData("", "", true)]
    [InlineData("a|", "", true)]
    [InlineData(".+", "", false)]
    [InlineData("a.b", "a\nb", true)]
    [InlineData("a$", "a\n", false)]
    [InlineData(@"\d+", "12", true)]
    [InlineData(@"\d+", "\u0661\u0662", false)]
    [InlineData(@"[\d]+", "12", true)]
    [InlineData("[[:alpha:]]+", "abc", true)]
    [InlineData("[[:alpha:]]+", "a1c", false)]
    [InlineData("[a-z-[aeiou]]+", "a]", true)]
    [InlineData("[]a]+", "]a", true)]
    [InlineData("(?P<host>web)[0-9]", "web1", true)]
    [InlineData("(?i)WEB", "web", true)]
    [InlineData("(?)web(?).*", "web1", true)]
    [InlineData("(?:)web", "web", true)]
    [InlineData("(?U)we.*", "web", true)]
    [InlineData("(?Ui:WE)b", "web", true)]
    [InlineData("(?U-s).*", "a\nb", false)]
    [InlineData("a.b", "a😀b", true)]
    [InlineData("a.b", "a\n😀", false)]
    [InlineData(".{3}", "a\n😀", true)]
    [InlineData("[^a]{2}", "😀", false)]
    public void An_expression_matches_as_in_RE2(string pattern, string value, bool expected)
    {
        Assert.True(AnchoredRegex.TryParse(pattern, out var regex, out var fault), fault);
        Assert.Equal(expected, regex!.IsMatch(value));
    }

    // An index goes straight to these values, so each of them and no other may match.
    [Theory]
    [InlineData("a|b|", new[] { "a", "b", "" })]
    [InlineData("(web-1|web-2)", new[] { "web-1", "web-2" })]
    [InlineData("(?:a|b)", new[] { "a", "b" })]
    [InlineData(@"web\.example\.com|10\.0\.0\.1", new[] { "web.example.com", "10.0.0.1" })]
    [InlineData(@"a\|b", new[] { "a|b" })]
    [InlineData("()", new[] { "" })]
    [InlineData("a.b", null)]
    [InlineData("(a)|(b)", null)]
    [InlineData("(?i)a", null)]
    [InlineData(@"\d|a", null)]
    public void A_choice_of_texts_is_known_as_such(string pattern, string[]? expected)
    {
        Assert.True(AnchoredRegex.TryParse(pattern, out var regex, out var fault), fault);
        Assert.Equal(expected?.Order(StringComparer.Ordinal), regex!.Literals?.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("web-.*", "web-")]
    [InlineData("web-1+", "web-")]
    [InlineData("ab?c", "a")]
    [InlineData("ab{2}", "a")]
    [InlineData("a\U0001F600*", "a")]
    [InlineData("abc$", "abc")]
    [InlineData("web.*|db.*", "")]
    [InlineData("(?i)web.*", "")]
    [InlineData(".*web", "")]
    public void What_every_match_begins_with_is_known_where_it_is_plain(string pattern, string expected)
    {
        Assert.True(AnchoredRegex.TryParse(pattern, out var regex, out var fault), fault);
        Assert.Equal(expected, regex!.Prefix);
    }

    [Theory]
    [InlineData("[", "error parsing regexp: missing closing ]: `[)$`")]
    [InlineData("(?iNODE", "error parsing regexp: invalid or unsupported Perl syntax: `(?iN`")]
    [InlineData("(?x)a", "error parsing regexp: invalid or unsupported Perl syntax: `(?x`")]
    [InlineData("(a", "error parsing regexp: missing closing ): `^(?s:(a)$`")]
    [InlineData("a)|(b", "error parsing regexp: unexpected ): `^(?s:a)|(b)$`")]
    [InlineData("a\\", "error parsing regexp: missing closing ): `^(?s:a\\)$`")]
    [InlineData("*", "error parsing regexp: missing argument to repetition operator: `*`")]
    [InlineData("a|+?b", "error parsing regexp: missing argument to repetition operator: `+?`")]
    [InlineData("(?i){2}", "error parsing regexp: missing argument to repetition operator: `{2}`")]
    [InlineData("a**", "error parsing regexp: invalid nested repetition operator: `**`")]
    [InlineData(@"(a)\1", "regular expression needs back-references")]
    [InlineData("(?=a)b", "error parsing regexp: invalid or unsupported Perl syntax: `(?=`")]
    [InlineData("(.{1,1000}){1,1000}", "regular expression repeats too much")]
    [InlineData("(((a{10}){10}){10}){100}", "regular expression repeats too much")]
    [InlineData("a{1001}", "regular expression repeats too much")]
    public void An_expression_that_cannot_be_used_says_why(string pattern, string expected)
    {
        Assert.False(AnchoredRegex.TryParse(pattern, out _, out var fault));
        Assert.StartsWith(expected, fault, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("(a+)+(a+)+(a+)+(a+)+$")]
    [InlineData("(x*)*(x*)*(x*)*y")]
    public void An_expression_made_to_backtrack_does_not(string pattern)
    {
        Assert.True(AnchoredRegex.TryParse(pattern, out var regex, out _));
        Assert.False(regex!.IsMatch(new string('a', 5000) + "!"));
    }

    [Theory]
    [InlineData("(a)(?<n>b)(c)", "abc", "$3$2$1$n", "cbab")] // .NET alone would number the named group last
    [InlineData("(?:a)(?i)(B)", "ab", "$1", "b")]
    [InlineData("a|b", "b", "<$0$1>", "<b>")]
    [InlineData("(a)?b", "b", "<$1>", "<>")]
    [InlineData("[(](.)[)]", "(x)", "$1", "x")]
    public void What_groups_caught_fills_a_template(string pattern, string value, string template, string expected)
    {
        Assert.True(AnchoredRegex.TryParse(pattern, out var regex, out var fault), fault);
        Assert.True(regex!.TryExpand(value, template, out var expanded));
        Assert.Equal(expected, expanded);
        Assert.False(regex.TryExpand("something else", template, out _));
    }
}
