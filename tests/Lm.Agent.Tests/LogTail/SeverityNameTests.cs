using System.Text;
using System.Text.RegularExpressions;
using FsCheck;
using FsCheck.Fluent;
using Lm.Agent.LogTail;

namespace Lm.Agent.Tests.LogTail;

public sealed partial class SeverityNameTests
{
    private static readonly string[] Parts = ["ERROR", "error", "Error", "WARN", "INF", "info", "ERR", "A", "b", "X9", "[", "]", "<", ">", "=", " ", ":", "-", "7", "é", "{", "@", "`", "\0", "level="];

    [Fact]
    public void Names_are_found_where_a_slow_search_finds_them() => Prop.ForAll(
        Gen.Elements(Parts).ListOf().Select(static parts => string.Concat(parts)).ToArbitrary(),
        static text => Assert.Equal(Slow(text), SeverityName.FindNear(Encoding.UTF8.GetBytes(text)))).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData(64, 17)]
    [InlineData(65, 0)]
    public void A_name_that_ends_behind_the_sixty_fourth_byte_is_not_looked_for(int end, int severity) =>
        Assert.Equal(severity, SeverityName.FindNear(Encoding.UTF8.GetBytes(new string('-', end - 5) + "ERROR and on")));

    private static int Slow(string text)
    {
        var near = Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(text).AsSpan()[..Math.Min(64, Encoding.UTF8.GetByteCount(text))]);
        foreach (Match match in Name().Matches(near))
        {
            var (word, before, behind) = (match.Value, match.Index == 0 ? ' ' : near[match.Index - 1], match.Index + match.Length == near.Length ? ' ' : near[match.Index + match.Length]);
            var isMarked = before == '=' || (before is '[' or '<' && behind is ']' or '>');
            if (word.Length is >= 3 and <= 9 && (isMarked || word.All(char.IsAsciiLetterUpper)) && SeverityName.Of(Encoding.ASCII.GetBytes(word)) is > 0 and var severity)
            {
                return severity;
            }
        }

        return SeverityName.Of(Encoding.ASCII.GetBytes(FirstWord().Match(near).Groups[1].Value));
    }

    [GeneratedRegex("(?<![A-Za-z])(?:[A-Z]{2}[A-Za-z]*|(?<=[\\[<=])[A-Za-z]+)")]
    private static partial Regex Name();

    [GeneratedRegex("^ *([A-Za-z]+)(?=[ :]|\\z)")]
    private static partial Regex FirstWord();
}
