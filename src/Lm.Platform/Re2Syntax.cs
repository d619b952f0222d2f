using System.Text;
using System.Text.RegularExpressions;

namespace Lm.Platform;

/// <summary>RE2's dialect of regular expressions on .NET's engine that never goes back.</summary>
/// <remarks>.NET's dialect differs where it would answer otherwise without a word: those forms are translated
/// (<c>\d \w \s</c> are ASCII, <c>(?P&lt;name&gt;</c>, <c>[[:alpha:]]</c>, a bracket inside a class is a character); the rest is equal or
/// refused. Source: https://github.com/google/re2/wiki/Syntax.</remarks>
internal static class Re2Syntax
{
    /// <summary>Longest expression, characters. Grafana's lists of hosts stay below.</summary>
    public const int LengthMax = 8192;

    // The automaton's states grow with the product of nested counts: (.{1,1000}){1,1000} would take minutes and gigabytes. RE2 stops at 1000, too.
    private const int RepeatProductMax = 1000;

    /// <summary>What is said of an expression that is longer than <see cref="LengthMax"/>.</summary>
    public static string TooLong(string pattern) => $"regular expression has {pattern.Length} characters, at most {LengthMax} are allowed";

    /// <summary>Builds the automaton.</summary>
    /// <param name="pattern">The expression.</param>
    /// <param name="opening">What stands before it, in .NET's dialect.</param>
    /// <param name="closing">What stands behind it.</param>
    /// <param name="groupNames">Takes the groups' names by number, from 1; empty for those without.</param>
    /// <param name="regex">The automaton; null when false.</param>
    /// <param name="fault">Then: what is wrong.</param>
    public static bool TryBuild(string pattern, string opening, string closing, List<string> groupNames, out Regex? regex, out string fault)
    {
        regex = null;
        if (!Re2Escapes.TryExpand(pattern, out pattern, out fault))
        {
            return false;
        }

        fault = Re2Faults.Find(pattern, isAnchored: opening.Length > 0);
        if (fault.Length > 0)
        {
            return false;
        }

        if (!HasModestRepeats(pattern))
        {
            fault = $"regular expression repeats too much: nested counts may multiply to {RepeatProductMax} at most";
            return false;
        }

        try
        {
            var translated = opening + Translate(pattern, groupNames) + closing;
            regex = new Regex(translated, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1));
            return true;
        }
        catch (RegexParseException exception)
        {
            fault = Re2Faults.Describe(exception, pattern);
        }
        catch (NotSupportedException)
        {
            fault = "regular expression needs back-references, look-around or more states than are allowed";
        }

        return false;
    }

    // With (?m) a $ is the end of a line, in both dialects.
    private static bool HasLineFlag(string pattern)
    {
        for (var at = pattern.IndexOf("(?", StringComparison.Ordinal); at >= 0; at = pattern.IndexOf("(?", at + 2, StringComparison.Ordinal))
        {
            for (var i = at + 2; i < pattern.Length && char.IsAsciiLetter(pattern[i]); i++)
            {
                if (pattern[i] == 'm')
                {
                    return true;
                }
            }
        }

        return false;
    }

    // An upper bound: every count multiplies with those of the groups around it, which is more than the true nesting gives when groups follow
    // each other at one level; those are summed.
    private static bool HasModestRepeats(string pattern)
    {
        var open = new Stack<long>();
        long sum = 0;
        long last = 1;
        for (var i = 0; i < pattern.Length; i++)
        {
            switch (pattern[i])
            {
                case '\\':
                    i++;
                    sum += last = 1;
                    break;
                case '[':
                    i = EndOfClass(pattern, i);
                    sum += last = 1;
                    break;
                case '(':
                    open.Push(sum);
                    sum = 0;
                    break;
                case ')':
                    last = Math.Max(1, sum);
                    sum = last + (open.Count > 0 ? open.Pop() : 0);
                    break;
                case '{' when ReadCount(pattern, ref i, out var count):
                    sum += last * (count - 1);
                    last *= count;
                    if (count > RepeatProductMax || last > RepeatProductMax * 10L)
                    {
                        return false;
                    }

                    break;
                default:
                    sum += last = 1;
                    break;
            }
        }

        return sum <= RepeatProductMax * 10L;
    }

    private static bool ReadCount(string pattern, ref int at, out long count)
    {
        count = 0;
        var end = pattern.IndexOf('}', at);
        if (end < 0)
        {
            return false;
        }

        var found = false;
        foreach (var part in pattern[(at + 1)..end].Split(','))
        {
            if (part.Length > 0 && !part.All(char.IsAsciiDigit))
            {
                return false;
            }

            found |= part.Length > 0;
            count = Math.Max(count, part.Length == 0 ? 0 : part.Length > 6 ? int.MaxValue : long.Parse(part, System.Globalization.CultureInfo.InvariantCulture));
        }

        at = found ? end : at;
        count = Math.Max(1, count);
        return found;
    }

    /// <summary>Where a class that begins at a place ends: at its bracket, or behind the text.</summary>
    public static int EndOfClass(string pattern, int start)
    {
        var i = start + 1;
        i += i < pattern.Length && pattern[i] == '^' ? 1 : 0;
        i += i < pattern.Length && pattern[i] == ']' ? 1 : 0; // a bracket that comes first is a character
        for (; i < pattern.Length && pattern[i] != ']'; i++)
        {
            if (pattern[i] == '\\')
            {
                i++;
            }
            else if (pattern[i] == '[' && i + 1 < pattern.Length && pattern[i + 1] == ':')
            {
                var end = pattern.IndexOf(":]", i + 2, StringComparison.Ordinal);
                i = end < 0 ? i : end + 1;
            }
        }

        return i;
    }

    private static string Translate(string pattern, List<string> groupNames)
    {
        var ends = HasLineFlag(pattern) ? "$" : @"\z"; // .NET's $ also matches before a last line feed
        var text = new StringBuilder(pattern.Length + 16);
        for (var i = 0; i < pattern.Length; i++)
        {
            var c = pattern[i];
            if (c == '\\' && i + 1 < pattern.Length)
            {
                text.Append(Escape(pattern[++i], isInClass: false));
            }
            else if (c == '[')
            {
                var end = Math.Min(EndOfClass(pattern, i), pattern.Length);
                AppendClass(text, pattern.AsSpan(i, end - i));
                text.Append(end < pattern.Length ? "]" : "");
                i = end;
            }
            else if (c == '(' && TryReadFlags(pattern, i, out var flags, out var flagsLength))
            {
                text.Append(flags);
                i += flagsLength - 1;
            }
            else if (c == '(' && TryReadGroup(pattern, i, out var name, out var length))
            {
                // Without its name: .NET numbers named groups behind the others, RE2 numbers all from left to right.
                groupNames.Add(name);
                text.Append('(');
                i += length - 1;
            }
            else
            {
                text.Append(c == '$' ? ends : c.ToString());
            }
        }

        return text.ToString();
    }

    // "(?i)", "(?i-s:" and the like. RE2 knows a group without any flag, and U, which prefers short matches: whether a value matches does not depend on it.
    private static bool TryReadFlags(string pattern, int at, out string flags, out int length)
    {
        (flags, length) = ("", 0);
        if (!pattern.AsSpan(at).StartsWith("(?"))
        {
            return false;
        }

        var end = pattern.AsSpan(at + 2).IndexOfAnyExcept("imsU-");
        if (end < 0 || pattern[at + 2 + end] is not (':' or ')'))
        {
            return false;
        }

        var kept = pattern[(at + 2)..(at + 2 + end)].Replace("U", "", StringComparison.Ordinal);
        var isWhole = pattern[at + 2 + end] == ')';
        flags = kept is "" or "-" ? "(?:" + (isWhole ? ")" : "") : $"(?{kept}{(isWhole ? ')' : ':')}";
        length = end + 3;
        return true;
    }

    // "(", "(?<name>" and "(?P<name>" catch; "(?:" and "(?i)" do not.
    private static bool TryReadGroup(string pattern, int at, out string name, out int length)
    {
        (name, length) = ("", 1);
        if (at + 1 >= pattern.Length || pattern[at + 1] != '?')
        {
            return true;
        }

        var open = pattern.AsSpan(at).StartsWith("(?P<") ? at + 3 : at + 2;
        if (open + 1 >= pattern.Length || pattern[open] != '<' || !(char.IsLetterOrDigit(pattern[open + 1]) || pattern[open + 1] == '_'))
        {
            return false; // (?<= and (?<! are look-behind, which .NET refuses by itself
        }

        var close = pattern.IndexOf('>', open);
        name = close < 0 ? "" : pattern[(open + 1)..close];
        length = close < 0 ? 0 : close + 1 - at;
        return close > 0 && name.All(c => char.IsLetterOrDigit(c) || c == '_');
    }

    private static void AppendClass(StringBuilder text, ReadOnlySpan<char> inside)
    {
        text.Append('[');
        var i = 1;
        if (i < inside.Length && inside[i] == '^')
        {
            text.Append('^');
            i++;
        }

        for (; i < inside.Length; i++)
        {
            if (inside[i] == '\\' && i + 1 < inside.Length)
            {
                text.Append(Escape(inside[++i], isInClass: true));
            }
            else if (inside[i] == '[' && TryPosixClass(inside[i..], out var ranges, out var length))
            {
                text.Append(ranges);
                i += length - 1;
            }
            else
            {
                // Escaped, so that .NET sees neither a subtraction ([a-z-[aeiou]]) nor an early end.
                text.Append(inside[i] is '[' or ']' ? "\\" + inside[i] : inside[i].ToString());
            }
        }
    }

    private static string Escape(char c, bool isInClass) => (c, isInClass) switch
    {
        ('d', false) => "[0-9]",
        ('d', true) => "0-9",
        ('D', false) => "[^0-9]",
        ('w', false) => "[0-9A-Za-z_]",
        ('w', true) => "0-9A-Za-z_",
        ('W', false) => "[^0-9A-Za-z_]",
        ('s', false) => @"[\t\n\f\r ]",
        ('s', true) => @"\t\n\f\r ",
        ('S', false) => @"[^\t\n\f\r ]",
        _ => "\\" + c,
    };

    private static bool TryPosixClass(ReadOnlySpan<char> text, out string ranges, out int length)
    {
        ranges = "";
        length = 0;
        var end = text.IndexOf(":]");
        if (end < 2 || text[1] != ':')
        {
            return false;
        }

        ranges = text[2..end] switch
        {
            "alnum" => "0-9A-Za-z",
            "alpha" => "A-Za-z",
            "blank" => @"\t ",
            "cntrl" => @"\x00-\x1F\x7F",
            "digit" => "0-9",
            "graph" => "!-~",
            "lower" => "a-z",
            "print" => " -~",
            "punct" => @"!-/:-@\[-`{-~",
            "space" => @"\t\n\v\f\r ",
            "upper" => "A-Z",
            "word" => "0-9A-Za-z_",
            "xdigit" => "0-9A-Fa-f",
            _ => "",
        };
        length = end + 2;
        return ranges.Length > 0;
    }
}
