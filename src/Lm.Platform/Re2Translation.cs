using System.Text;

namespace Lm.Platform;

/// <summary>An expression of RE2's dialect in .NET's.</summary>
/// <remarks>What both have in another meaning: <c>\d \w \s</c> are ASCII, <c>(?P&lt;name&gt;</c> catches, <c>[[:alpha:]]</c> is a class, a bracket inside a class is a
/// character, and where that is asked for a character beyond U+FFFF is one. <c>\p</c> knows none of those.</remarks>
/// <param name="pattern">The expression, of which <see cref="Re2Escapes"/> has written what only RE2 knows.</param>
/// <param name="opening">What stands before it, in .NET's dialect.</param>
/// <param name="closing">What stands behind it.</param>
internal sealed class Re2Translation(string pattern, string opening, string closing)
{
    private const string Surrogates = @"\uD800-\uDFFF";
    private const string Pair = @"[\uD800-\uDBFF][\uDC00-\uDFFF]";

    /// <summary>The expression in .NET's dialect.</summary>
    /// <param name="groupNames">Takes the groups' names by number, from 1; empty for those without.</param>
    /// <param name="knowsPairs">Whether two surrogates are one character, for texts that have some.</param>
    public string Of(List<string> groupNames, bool knowsPairs)
    {
        var ends = HasFlag('m') ? "$" : @"\z"; // .NET's $ also matches before a last line feed
        var text = new StringBuilder(opening, pattern.Length + opening.Length + 16);
        for (var i = 0; i < pattern.Length; i++)
        {
            var c = pattern[i];
            if (c == '\\' && i + 1 < pattern.Length)
            {
                AppendEscape(text, ref i, knowsPairs);
            }
            else if (c == '[')
            {
                var end = Math.Min(Re2Syntax.EndOfClass(pattern, i), pattern.Length);
                AppendClass(text, pattern.AsSpan(i, end - i), isWhole: end < pattern.Length, knowsPairs);
                i = end;
            }
            else if (c == '.' && knowsPairs)
            {
                text.Append(Dot());
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

        return text.Append(closing).ToString();
    }

    // The flags of a whole expression are easily told; where one has its own for a part, a dot may be half of a character.
    private string Dot() => HasFlag('s') || HasFlag('s', isTakenAway: true) ? Paired(".")
        : opening.Contains("(?s", StringComparison.Ordinal) ? Paired($"[^{Surrogates}]") : Paired($@"[^\n{Surrogates}]");

    private static string Paired(string basic) => $"(?:{basic}|{Pair})";

    private void AppendEscape(StringBuilder text, ref int at, bool knowsPairs)
    {
        var c = pattern[++at];
        if (knowsPairs && c == 'P' && pattern.IndexOf('}', at) is > 0 and var end)
        {
            text.Append(Paired($@"[\{pattern[at..(end + 1)]}-[{Surrogates}]]"));
            at = end;
            return;
        }

        text.Append(knowsPairs && c is ('D' or 'W' or 'S')
            ? Paired(Escape(c, isInClass: false).Replace("]", Surrogates + "]", StringComparison.Ordinal))
            : Escape(c, isInClass: false));
    }

    // With (?m) a $ is the end of a line, in both dialects; with (?s) a dot is a line feed, too. Behind a dash flags are taken away.
    private bool HasFlag(char flag, bool isTakenAway = false)
    {
        for (var at = pattern.IndexOf("(?", StringComparison.Ordinal); at >= 0; at = pattern.IndexOf("(?", at + 2, StringComparison.Ordinal))
        {
            var isBehindDash = false;
            for (var i = at + 2; i < pattern.Length && (char.IsAsciiLetter(pattern[i]) || pattern[i] == '-'); i++)
            {
                if (pattern[i] == flag && isBehindDash == isTakenAway)
                {
                    return true;
                }

                isBehindDash |= pattern[i] == '-';
            }
        }

        return false;
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

    // Without its bracket at the end when the expression has none.
    private void AppendClass(StringBuilder text, ReadOnlySpan<char> inside, bool isWhole, bool knowsPairs)
    {
        var written = new StringBuilder("[");
        var i = 1;
        var isNegative = i < inside.Length && inside[i] == '^';
        if (isNegative)
        {
            written.Append('^');
            i++;
        }

        var hasAllBeyond = false;
        for (; i < inside.Length; i++)
        {
            if (inside[i] == '\\' && i + 1 < inside.Length)
            {
                hasAllBeyond |= inside[i + 1] is 'D' or 'W' or 'S' or 'P';
                written.Append(Escape(inside[++i], isInClass: true));
            }
            else if (inside[i] == '[' && TryPosixClass(inside[i..], out var ranges, out var length))
            {
                written.Append(ranges);
                i += length - 1;
            }
            else
            {
                // Escaped, so that .NET sees neither a subtraction ([a-z-[aeiou]]) nor an early end, nor a range with what is written behind it.
                written.Append(inside[i] is '[' or ']' || (inside[i] == '-' && i == inside.Length - 1) ? "\\" + inside[i] : inside[i].ToString());
            }
        }

        // One that was written as alternatives says itself what it has beyond the basic plane.
        if (knowsPairs && isWhole && isNegative != hasAllBeyond && !inside.EndsWith(Surrogates))
        {
            text.Append(Paired($"{written}-[{Surrogates}]]"));
        }
        else
        {
            text.Append(written).Append(isWhole ? "]" : "");
        }
    }

    private string Escape(char c, bool isInClass) => (c, isInClass) switch
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

        // .NET's own know letters, digits and spaces beyond ASCII. Not where case does not matter: ranges that hold the Kelvin sign would hold k.
        ('D', true) when !HasFlag('i') => @"\x00-/:-\uFFFF",
        ('W', true) when !HasFlag('i') => @"\x00-/:-@\[-\^`\{-\uFFFF",
        ('S', true) when !HasFlag('i') => @"\x00-\x08\x0B\x0E-\x1F!-\uFFFF",
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
