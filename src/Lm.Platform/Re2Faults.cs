using System.Text.RegularExpressions;

namespace Lm.Platform;

/// <summary>What is wrong with a regular expression, in the words of Go's <c>regexp/syntax</c>, which Prometheus shows.</summary>
/// <remarks>Checked before .NET sees the expression: a parenthesis too many would close the group that anchors it. Where Go names the whole
/// expression, that is the anchored one, as in Prometheus.</remarks>
internal static class Re2Faults
{
    private const string Start = "error parsing regexp: ";

    /// <summary>The first fault of structure or repetition; empty when there is none.</summary>
    /// <param name="pattern">The expression.</param>
    /// <param name="isAnchored">Whether it is for whole values.</param>
    public static string Find(string pattern, bool isAnchored)
    {
        var whole = isAnchored ? $"^(?s:{pattern})$" : pattern;
        var closing = isAnchored ? ")$" : "";
        var open = 0;
        var canRepeat = false;
        var lastRepeat = -1;
        for (var i = 0; i < pattern.Length; i++)
        {
            var start = i;
            switch (pattern[i])
            {
                case '\\':
                    i++; // one at the end hides the parenthesis that anchors the expression
                    open += i == pattern.Length ? 1 : 0;
                    canRepeat = true;
                    break;
                case '[' when (i = Re2Syntax.EndOfClass(pattern, i)) >= pattern.Length:
                    return $"{Start}missing closing ]: `{pattern[start..]}{closing}`";
                case '(':
                    if (UnknownFlag(pattern, i) is { Length: > 0 } unknown)
                    {
                        return $"{Start}invalid or unsupported Perl syntax: `{unknown}`";
                    }

                    open++;
                    canRepeat = false;
                    SkipFlags(pattern, ref i, ref open);
                    break;
                case ')' when --open < 0:
                    return $"{Start}unexpected ): `{whole}`";
                case '|':
                    canRepeat = false;
                    break;
                case '*' or '+' or '?':
                case '{' when IsCount(pattern, ref i):
                    i += i + 1 < pattern.Length && pattern[i + 1] == '?' ? 1 : 0; // lazy
                    if (lastRepeat >= 0)
                    {
                        return $"{Start}invalid nested repetition operator: `{pattern[lastRepeat..(i + 1)]}`";
                    }

                    if (!canRepeat)
                    {
                        return $"{Start}missing argument to repetition operator: `{pattern[start..(i + 1)]}`";
                    }

                    lastRepeat = start;
                    continue;
                default:
                    canRepeat = true;
                    break;
            }

            lastRepeat = -1;
        }

        return open > 0 ? $"{Start}missing closing ): `{whole}`" : "";
    }

    /// <summary>A fault that .NET found.</summary>
    public static string Describe(RegexParseException exception, string pattern) => exception.Error switch
    {
        RegexParseError.ReversedCharacterRange => $"{Start}invalid character class range: `{pattern}`",
        RegexParseError.UnrecognizedEscape => $"{Start}invalid escape sequence: `{pattern}`",
        RegexParseError.InvalidGroupingConstruct => $"{Start}invalid or unsupported Perl syntax: `{pattern}`",
        _ => $"{Start}{exception.Error}: `{pattern}`",
    };

    // The flags of a group up to the first one that RE2 does not know; empty when it knows all, or when it is a group with a name.
    private static string UnknownFlag(string pattern, int at)
    {
        if (!pattern.AsSpan(at).StartsWith("(?") || pattern.AsSpan(at + 2) is ['P' or '<', ..])
        {
            return "";
        }

        var end = pattern.AsSpan(at + 2).IndexOfAnyExcept("imsU-");
        return end < 0 || pattern[at + 2 + end] is ':' or ')' ? "" : pattern[at..(at + 3 + end)];
    }

    // (?i), (?s-i:, (?:, (?P<name>: what stands behind the question mark is no repetition.
    private static void SkipFlags(string pattern, ref int at, ref int open)
    {
        if (at + 1 >= pattern.Length || pattern[at + 1] != '?')
        {
            return;
        }

        at++;
        while (at + 1 < pattern.Length && (char.IsAsciiLetterOrDigit(pattern[at + 1]) || pattern[at + 1] is '-' or '_' or '<' or '=' or '!'))
        {
            at++;
        }

        if (at + 1 < pattern.Length && pattern[at + 1] is ':' or '>')
        {
            at++;
        }
        else if (at + 1 < pattern.Length && pattern[at + 1] == ')')
        {
            at++; // flags alone open no group
            open--;
        }
    }

    // {2}, {2,}, {2,5}: anything else in braces is text.
    private static bool IsCount(string pattern, ref int at)
    {
        var end = pattern.IndexOf('}', at);
        if (end < 0)
        {
            return false;
        }

        var parts = pattern[(at + 1)..end].Split(',');
        if (parts.Length > 2 || parts[0].Length == 0 || !parts.All(part => part.All(char.IsAsciiDigit)))
        {
            return false;
        }

        at = end;
        return true;
    }
}
