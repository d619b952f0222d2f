using System.Globalization;
using System.Text;

namespace Lm.Platform;

/// <summary>Writes what only RE2 knows in forms that .NET knows, too: <c>\Q…\E</c>, <c>\pN</c>, <c>\x{1F600}</c>, and classes with characters beyond U+FFFF.</summary>
/// <remarks>.NET sees such a character as two; outside a class they stand in a group, so that a repetition is about both, and a class becomes alternatives.</remarks>
internal static class Re2Escapes
{
    private const int BasicMax = 0xFFFF;
    private const int CodePointMax = 0x10FFFF;

    /// <summary>Rewrites an expression; one without such forms stays as it is.</summary>
    /// <param name="pattern">The expression.</param>
    /// <param name="expanded">The same in other words.</param>
    /// <param name="fault">When false: what is wrong.</param>
    public static bool TryExpand(string pattern, out string expanded, out string fault)
    {
        (expanded, fault) = (pattern, "");
        if (!pattern.Contains('\\', StringComparison.Ordinal) && !pattern.AsSpan().ContainsAnyInRange('\ud800', '\udfff'))
        {
            return true;
        }

        var text = new StringBuilder(pattern.Length);
        for (var i = 0; i < pattern.Length;)
        {
            var start = i;
            var isGood = pattern[i] switch
            {
                '\\' => TryEscape(pattern, ref i, text),
                '[' => TryClass(pattern, ref i, text),
                _ => Copy(pattern, ref i, text),
            };
            if (!isGood)
            {
                fault = $"error parsing regexp: invalid escape sequence or character class range: `{pattern[start..]}`";
                return false;
            }
        }

        expanded = text.ToString();
        return true;
    }

    private static bool Copy(string pattern, ref int at, StringBuilder text)
    {
        text.Append(pattern[at++]);
        return true;
    }

    private static bool TryEscape(string pattern, ref int at, StringBuilder text)
    {
        var rest = pattern.AsSpan(at);
        if (rest.StartsWith(@"\Q"))
        {
            var end = pattern.IndexOf(@"\E", at + 2, StringComparison.Ordinal);
            AppendLiteral(text, pattern.AsSpan(at + 2, (end < 0 ? pattern.Length : end) - at - 2));
            at = end < 0 ? pattern.Length : end + 2;
            return true;
        }

        if (rest.StartsWith(@"\x{"))
        {
            if (!TryCodePoint(pattern, ref at, out var codePoint))
            {
                return false;
            }

            text.Append(codePoint > BasicMax ? "(?:" : "");
            AppendLiteral(text, CharactersOf(codePoint));
            text.Append(codePoint > BasicMax ? ")" : "");
            return true;
        }

        if (TryProperty(pattern, ref at, text))
        {
            return true;
        }

        var length = Math.Min(2, rest.Length);
        text.Append(rest[..length]);
        at += length;
        return true;
    }

    // \pN, \PN, \p{^N}.
    private static bool TryProperty(string pattern, ref int at, StringBuilder text)
    {
        var rest = pattern.AsSpan(at);
        if (rest.Length < 3 || rest[1] is not ('p' or 'P'))
        {
            return false;
        }

        if (char.IsAsciiLetter(rest[2]))
        {
            text.Append('\\').Append(rest[1]).Append('{').Append(rest[2]).Append('}');
            at += 3;
            return true;
        }

        if (!rest[2..].StartsWith("{^"))
        {
            return false;
        }

        text.Append(rest[1] == 'p' ? @"\P{" : @"\p{");
        at += 4;
        return true;
    }

    private static bool TryCodePoint(string pattern, ref int at, out int codePoint)
    {
        codePoint = 0;
        var end = pattern.IndexOf('}', at);
        if (end < 0 || end - at - 3 is < 1 or > 8
            || !int.TryParse(pattern.AsSpan(at + 3, end - at - 3), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out codePoint) || codePoint is < 0 or > CodePointMax)
        {
            return false;
        }

        at = end + 1;
        return true;
    }

    private static string CharactersOf(int codePoint) => codePoint <= BasicMax ? ((char)codePoint).ToString() : char.ConvertFromUtf32(codePoint);

    private static void AppendLiteral(StringBuilder text, ReadOnlySpan<char> literal)
    {
        foreach (var c in literal)
        {
            text.Append(@"\.+*?()|[]{}^$".Contains(c, StringComparison.Ordinal) ? "\\" : "").Append(c);
        }
    }

    private static bool TryClass(string pattern, ref int at, StringBuilder text)
    {
        var end = Math.Min(Re2Syntax.EndOfClass(pattern, at), pattern.Length);
        var isWhole = end < pattern.Length;
        var raw = pattern[at..(isWhole ? end + 1 : end)];
        at += raw.Length;
        var needsMore = raw.Contains(@"\x{", StringComparison.Ordinal) || raw.Contains(@"\p", StringComparison.Ordinal) || raw.Contains(@"\P", StringComparison.Ordinal)
            || raw.AsSpan().ContainsAnyInRange('\ud800', '\udfff');
        if (!isWhole || !needsMore)
        {
            text.Append(raw); // what is wrong with it is told by others
            return true;
        }

        var parts = new ClassParts();
        if (!parts.TryRead(raw))
        {
            return false;
        }

        parts.Write(text);
        return true;
    }

    /// <summary>What a class is made of.</summary>
    private sealed class ClassParts
    {
        private readonly StringBuilder basic = new();
        private readonly List<(int First, int Last)> beyond = [];
        private bool isNegative;

        public bool TryRead(string raw)
        {
            isNegative = raw.AsSpan(1).StartsWith("^");
            for (var i = isNegative ? 2 : 1; i < raw.Length - 1;)
            {
                if (!TryAtom(raw, ref i, out var first))
                {
                    return false;
                }

                if (first is not { } low)
                {
                    continue;
                }

                var high = low;
                if (raw[i] == '-' && i + 1 < raw.Length - 1)
                {
                    i++;
                    if (!TryAtom(raw, ref i, out var last) || last is not { } bound || bound < low)
                    {
                        return false;
                    }

                    high = bound;
                }

                Add(low, high);
            }

            return true;
        }

        public void Write(StringBuilder text)
        {
            if (isNegative)
            {
                // Half of a character is none.
                text.Append("(?:[^").Append(basic).Append(@"\uD800-\uDFFF]");
                WriteBeyond(text, Complement(), isFirst: false);
                text.Append(')');
                return;
            }

            if (beyond.Count == 0)
            {
                text.Append('[').Append(basic).Append(']');
                return;
            }

            text.Append("(?:");
            if (basic.Length > 0)
            {
                text.Append('[').Append(basic).Append(']');
            }

            WriteBeyond(text, beyond, isFirst: basic.Length == 0);
            text.Append(')');
        }

        // A character; or a class within the class, which is taken as it stands: then there is no code point.
        private bool TryAtom(string raw, ref int at, out int? codePoint)
        {
            codePoint = null;
            if (raw.AsSpan(at).StartsWith("[:") && raw.IndexOf(":]", at + 2, StringComparison.Ordinal) is >= 0 and var end)
            {
                basic.Append(raw, at, end + 2 - at);
                at = end + 2;
                return true;
            }

            if (raw[at] != '\\')
            {
                var isPair = char.IsHighSurrogate(raw[at]) && char.IsLowSurrogate(raw[at + 1]);
                codePoint = isPair ? char.ConvertToUtf32(raw[at], raw[at + 1]) : raw[at];
                at += isPair ? 2 : 1;
                return true;
            }

            return TryEscapedAtom(raw, ref at, out codePoint);
        }

        private bool TryEscapedAtom(string raw, ref int at, out int? codePoint)
        {
            codePoint = null;
            if (raw.AsSpan(at).StartsWith(@"\x{"))
            {
                var isGood = TryCodePoint(raw, ref at, out var found);
                codePoint = found;
                return isGood;
            }

            if (TryProperty(raw, ref at, basic))
            {
                // The rest of \P{^N} is a plain text to the closing brace.
                at = CopyName(raw, at);
                return true;
            }

            var c = raw[at + 1];
            if (c is 'p' or 'P')
            {
                basic.Append(raw, at, 2);
                at = CopyName(raw, at + 2);
                return true;
            }

            if (c == 'x' && at + 3 < raw.Length && int.TryParse(raw.AsSpan(at + 2, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var two))
            {
                codePoint = two;
                at += 4;
                return true;
            }

            at += 2;
            var control = "afnrtv".IndexOf(c, StringComparison.Ordinal);
            if (control >= 0)
            {
                codePoint = "\a\f\n\r\t\v"[control];
            }
            else if (char.IsAsciiLetterOrDigit(c))
            {
                basic.Append('\\').Append(c);
            }
            else
            {
                codePoint = c;
            }

            return true;
        }

        private int CopyName(string raw, int at)
        {
            if (basic.Length > 0 && basic[^1] == '}')
            {
                return at;
            }

            var end = raw.IndexOf('}', at);
            end = end < 0 ? raw.Length - 2 : end;
            basic.Append(raw, at, end + 1 - at);
            return end + 1;
        }

        private void Add(int first, int last)
        {
            if (first <= BasicMax)
            {
                basic.Append(CultureInfo.InvariantCulture, $"\\u{first:X4}-\\u{Math.Min(last, BasicMax):X4}");
            }

            if (last > BasicMax)
            {
                beyond.Add((Math.Max(first, BasicMax + 1), last));
            }
        }

        private List<(int First, int Last)> Complement()
        {
            var left = new List<(int, int)>();
            var next = BasicMax + 1;
            beyond.Sort();
            foreach (var (first, last) in beyond)
            {
                if (first > next)
                {
                    left.Add((next, first - 1));
                }

                next = Math.Max(next, last + 1);
            }

            if (next <= CodePointMax)
            {
                left.Add((next, CodePointMax));
            }

            return left;
        }

        private static void WriteBeyond(StringBuilder text, List<(int First, int Last)> ranges, bool isFirst)
        {
            foreach (var (first, last) in ranges)
            {
                foreach (var (highFirst, highLast, lowFirst, lowLast) in Pairs(first, last))
                {
                    text.Append(isFirst ? "" : "|").Append(CultureInfo.InvariantCulture, $"[\\u{highFirst:X4}-\\u{highLast:X4}][\\u{lowFirst:X4}-\\u{lowLast:X4}]");
                    isFirst = false;
                }
            }
        }

        // A range of characters as ranges of their two halves.
        private static IEnumerable<(int HighFirst, int HighLast, int LowFirst, int LowLast)> Pairs(int first, int last)
        {
            const int lowMin = 0xDC00;
            const int lowMax = 0xDFFF;
            var (from, until) = (CharactersOf(first), CharactersOf(last));
            if (from[0] == until[0])
            {
                yield return (from[0], from[0], from[1], until[1]);
                yield break;
            }

            yield return (from[0], from[0], from[1], lowMax);
            if (from[0] + 1 < until[0])
            {
                yield return (from[0] + 1, until[0] - 1, lowMin, lowMax);
            }

            yield return (until[0], until[0], lowMin, until[1]);
        }
    }
}
