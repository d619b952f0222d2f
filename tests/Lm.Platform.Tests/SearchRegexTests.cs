using System.Text;
using FsCheck;
using FsCheck.Fluent;

namespace Lm.Platform.Tests;

public sealed class SearchRegexTests
{
    // Where halves of characters, planes and the whole range begin and end.
    private static readonly int[] Borders = ['A', 'Z', 'a', ']', '^', '-', '\\', '\n', 0xE9, 0xD7FF, 0xE000, 0xFFFF, 0x10000, 0x103FF, 0x10400, 0x1F600, 0x1F64F, 0x10FC00, 0x10FFFF];

    [Theory]
    [InlineData(@"\Qa.b*\E", "xa.b*", true)]
    [InlineData(@"\Qa.b*\E", "xaab", false)]
    [InlineData(@"\Q[(\E+$", "[((", true)]
    [InlineData(@"a\Q", "a", true)]
    [InlineData(@"^\pL\PL$", "é1", true)]
    [InlineData(@"^\p{^L}$", "1", true)]
    [InlineData(@"^[\p{^L}]$", "a", false)]
    [InlineData(@"^[\pN\PL]$", "a", false)]
    [InlineData(@"^[[:alpha:]\x{1F600}]+$", "ab😀c", true)]
    [InlineData(@"^[\d\x{1F600}-]+$", "1-😀", true)]
    [InlineData(@"^[^\d\x{1F600}]+$", "1", false)]
    [InlineData(@"^\x{1F600}*x$", "😀😀x", true)]
    [InlineData(@"^[😀🙏]$", "🙏", true)]
    [InlineData(@"^[^😀]$", "🙏", true)]
    [InlineData(@"\x{2e}", "a", false)]
    [InlineData(@"\x{10FFFF}", "\U0010FFFF", true)]
    [InlineData(@"(?i)\x{e9}", "É", true)]
    [InlineData(@"^a.b$", "a😀b", true)]
    [InlineData(@"^a..b$", "a😀b", false)]
    [InlineData(@"^.{2}$", "😀🙏", true)]
    [InlineData(@"^.{4}$", "😀🙏", false)]
    [InlineData(@"(?s)^.a.$", "\na😀", true)]
    [InlineData(@"^[^a]$", "😀", true)]
    [InlineData(@"^[^a][^a]$", "😀", false)]
    [InlineData(@"^[^a-]$", "😀", true)]
    [InlineData(@"^[^a-]$", "-", false)]
    [InlineData(@"^[^\W]$", "😀", false)]
    [InlineData(@"^\W\D\S$", "😀😀😀", true)]
    [InlineData(@"^\W\D$", "😀", false)]
    [InlineData(@"^[\s\S]$", "😀", true)]
    [InlineData(@"^\PL$", "😀", true)]
    [InlineData(@"^[\W_]$", "é", true)]
    [InlineData(@"^[\W_]$", "a", false)]
    [InlineData(@"^[\S]$", "\u2028", true)]
    [InlineData(@"^[\D]$", "٣", true)]
    [InlineData(@"(?i)^[\W]$", "k", false)]
    public void Forms_that_only_RE2_has_mean_the_same_here(string pattern, string text, bool expected)
    {
        Assert.True(SearchRegex.TryParse(pattern, out var regex, out var fault), fault);

        Assert.Equal(expected, regex!.CreateMatcher().IsMatch(Encoding.UTF8.GetBytes(text), new Utf16Text()));
    }

    [Fact]
    public void Groups_catch_whole_characters()
    {
        Assert.True(SearchRegex.TryParse("(?P<first>.)(?P<others>.+?)(?P<last>[^a])$", out var regex, out var fault), fault);

        var match = regex!.CreateMatcher().Find("😀🙏b🚀"u8, new Utf16Text());

        Assert.Equal(["😀", "🙏b", "🚀"], match!.Groups.Values.Skip(1).Select(group => group.Value));
    }

    [Theory]
    [InlineData(@"\x{110000}")]
    [InlineData(@"\x{}")]
    [InlineData(@"\x{zz}")]
    [InlineData(@"[\x{1F600}-a]")]
    public void Forms_that_RE2_refuses_are_refused(string pattern)
    {
        Assert.False(SearchRegex.TryParse(pattern, out _, out var fault));
        Assert.StartsWith("error parsing regexp: ", fault, StringComparison.Ordinal);
    }

    [Fact]
    public void A_class_has_the_characters_between_its_borders_beyond_the_basic_plane_too()
    {
        var point = Gen.OneOf(Gen.Elements(Borders), Gen.Choose(0x20, 0x10FFFF).Where(static point => point is < 0xD800 or > 0xDFFF));
        var range = from one in point from other in point select (Math.Min(one, other), Math.Max(one, other));
        var cases = from ranges in range.ArrayOf(3) from isNegative in Gen.Elements(true, false) from tried in point.ArrayOf(6) select (ranges, isNegative, tried);
        Prop.ForAll(cases.ToArbitrary(), one =>
        {
            var inside = string.Concat(one.ranges.Select(static range => $"\\x{{{range.Item1:X}}}-\\x{{{range.Item2:X}}}"));
            Assert.True(SearchRegex.TryParse($"^[{(one.isNegative ? "^" : "")}{inside}]$", out var regex, out var fault), fault);
            var matcher = regex!.CreateMatcher();
            foreach (var tried in one.tried.Concat(one.ranges.SelectMany(static range => (int[])[range.Item1, range.Item2])))
            {
                var isInside = one.ranges.Any(range => tried >= range.Item1 && tried <= range.Item2);
                Assert.True(isInside != one.isNegative == matcher.IsMatch(Encoding.UTF8.GetBytes(char.ConvertFromUtf32(tried)), new Utf16Text()), $"{regex.Pattern} and U+{tried:X}");
            }
        }).QuickCheckThrowOnFailure();
    }
}
