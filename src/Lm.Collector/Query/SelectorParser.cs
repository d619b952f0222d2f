using System.Diagnostics;
using System.Globalization;
using System.Text;
using Lm.Tsdb;

namespace Lm.Collector.Query;

/// <summary>Reads the part of PromQL that this version answers: plain selectors. Everything else is refused with its place.</summary>
/// <remarks>Never recurses, so no nesting can exhaust the stack; reads each character at most twice.</remarks>
internal sealed class SelectorParser
{
    /// <summary>Longest query, characters.</summary>
    public const int LengthMax = 65_536;

    private const string OnlySelectors =
        "this version answers plain selectors only, as in node_load1{instance=~\"web.*\"}[5m] offset 1h";

    private readonly string text;
    private readonly List<LabelMatcher> matchers = [];
    private int at;
    private string? fault;
    private int faultAt;

    private SelectorParser(string text) => this.text = text;

    /// <summary>Reads a query.</summary>
    /// <param name="text">The query.</param>
    /// <param name="selector">What it asks for; null when it cannot be answered.</param>
    /// <param name="error">Then: Prometheus' kind of message, with line and column.</param>
    public static bool TryParse(string text, out Selector? selector, out string error)
    {
        selector = null;
        if (text.Length > LengthMax)
        {
            error = $"unknown position: parse error: the query has {text.Length} characters, at most {LengthMax} are allowed";
            return false;
        }

        var parser = new SelectorParser(text);
        selector = parser.Parse();
        Debug.Assert(selector is null == parser.fault is not null, "either a result or a reason");
        error = selector is null ? parser.Error() : "";
        return selector is not null;
    }

    private bool IsAtEnd => at >= text.Length;

    private char Current => at < text.Length ? text[at] : '\0';

    private Selector? Parse()
    {
        SkipSpace();
        if (IsAtEnd)
        {
            Fail(-1, "no expression found in input");
            return null;
        }

        var start = at;
        var name = TakeName(allowColon: true);
        if (name.Length == 0 && Current != '{')
        {
            Fail(at, $"unexpected {Describe()}; {OnlySelectors}");
            return null;
        }

        SkipSpace();
        if (name.Length > 0)
        {
            matchers.Add(LabelMatcher.Equal(LabelSet.MetricNameLabel, name));
        }

        if (Current == '{' && !ParseBraces(name))
        {
            return null;
        }

        if (!matchers.Exists(matcher => !matcher.MatchesEmpty))
        {
            Fail(start, "vector selector must contain at least one non-empty matcher");
            return null;
        }

        return ParseTail();
    }

    private Selector? ParseTail()
    {
        TimeSpan? range = null;
        var offset = TimeSpan.Zero;
        SkipSpace();
        if (Current == '[')
        {
            if (!ParseRange(out var window))
            {
                return null;
            }

            range = window;
            SkipSpace();
        }

        if (text.AsSpan(at).StartsWith("offset", StringComparison.OrdinalIgnoreCase) && !ParseOffset(out offset))
        {
            return null;
        }

        SkipSpace();
        if (!IsAtEnd)
        {
            Fail(at, $"unexpected {Describe()}; {OnlySelectors}");
            return null;
        }

        return new Selector(matchers, range, offset);
    }

    private bool ParseBraces(string metricName)
    {
        at++;
        while (true)
        {
            SkipSpace();
            if (Current == '}')
            {
                at++;
                return true;
            }

            if (!ParseMatcher(ref metricName))
            {
                return false;
            }

            SkipSpace();
            if (Current == ',')
            {
                at++;
            }
            else if (Current != '}')
            {
                return IsAtEnd
                    ? Fail(at, "unexpected end of input inside braces")
                    : Fail(at, $"unexpected {Describe()} in label matching, expected \",\" or \"}}\"");
            }
        }
    }

    private bool ParseMatcher(ref string metricName)
    {
        var start = at;
        var isQuoted = Current is '"' or '\'' or '`';
        string name;
        if (isQuoted)
        {
            if (!TakeString(out name))
            {
                return false;
            }
        }
        else if ((name = TakeName(allowColon: false)).Length == 0)
        {
            return IsAtEnd
                ? Fail(at, "unexpected end of input inside braces")
                : Fail(at, $"unexpected {Describe()} in label matching, expected identifier or \"}}\"");
        }

        SkipSpace();
        if (isQuoted && Current is ',' or '}')
        {
            return SetName(ref metricName, name, start); // {"metric.with.dots"}
        }

        if (!TakeOperator(out var kind))
        {
            return Fail(at, $"unexpected {Describe()} in label matching, expected label matching operator");
        }

        SkipSpace();
        if (Current is not ('"' or '\'' or '`'))
        {
            return Fail(at, $"unexpected {Describe()} in label matching, expected string");
        }

        var valueAt = at;
        if (!TakeString(out var value))
        {
            return false;
        }

        if (name == LabelSet.MetricNameLabel && kind == MatchKind.Equal && metricName.Length > 0)
        {
            return SetName(ref metricName, value, start);
        }

        if (!LabelMatcher.TryCreate(kind, name, value, out var matcher, out var reason))
        {
            return Fail(valueAt, reason);
        }

        matchers.Add(matcher!);
        return true;
    }

    private bool SetName(ref string metricName, string name, int start)
    {
        if (metricName.Length > 0)
        {
            return Fail(start, $"metric name must not be set twice: \"{metricName}\" or \"{name}\"");
        }

        metricName = name;
        matchers.Add(LabelMatcher.Equal(LabelSet.MetricNameLabel, name));
        return true;
    }

    private bool TakeOperator(out MatchKind kind)
    {
        var two = at + 1 < text.Length ? text.AsSpan(at, 2) : default;
        (kind, var length) = two switch
        {
            "!=" => (MatchKind.NotEqual, 2),
            "=~" => (MatchKind.Regex, 2),
            "!~" => (MatchKind.NotRegex, 2),
            _ => (MatchKind.Equal, Current == '=' ? 1 : 0),
        };
        at += length;
        return length > 0;
    }

    private bool ParseRange(out TimeSpan range)
    {
        range = default;
        var start = ++at;
        var end = text.IndexOf(']', start);
        if (end < 0)
        {
            return Fail(text.Length, "unexpected end of input, expected \"]\"");
        }

        var inside = text.AsSpan(start, end - start).Trim(" \t\r\n");
        if (inside.Contains(':'))
        {
            return Fail(start + inside.IndexOf(':'), $"unexpected \":\"; {OnlySelectors}");
        }

        if (!PromDuration.TryParse(inside, out range))
        {
            return Fail(start, $"not a valid duration string: \"{Shown(inside)}\"; a number of y, w, d, h, m, s, ms in this order, at most 292 years");
        }

        at = end + 1;
        return range > TimeSpan.Zero || Fail(start, "duration must be greater than 0");
    }

    private bool ParseOffset(out TimeSpan offset)
    {
        at += "offset".Length;
        SkipSpace();
        var isNegative = Current == '-';
        if (Current is '-' or '+')
        {
            at++;
            SkipSpace();
        }

        var start = at;
        while (char.IsAsciiLetterOrDigit(Current) || Current == '.')
        {
            at++;
        }

        if (!PromDuration.TryParse(text.AsSpan(start, at - start), out offset))
        {
            return Fail(start, $"unexpected {DescribeAt(start)} in offset, expected duration");
        }

        offset = isNegative ? -offset : offset;
        return true;
    }

    private string TakeName(bool allowColon)
    {
        var start = at;
        while (char.IsAsciiLetter(Current) || Current == '_' || (allowColon && Current == ':') || (at > start && char.IsAsciiDigit(Current)))
        {
            at++;
        }

        return text[start..at];
    }

    private bool TakeString(out string value)
    {
        value = "";
        var start = at;
        var quote = text[at++];
        var bytes = new List<byte>(32);
        while (true)
        {
            if (IsAtEnd || (text[at] == '\n' && quote != '`'))
            {
                return Fail(start, "unterminated quoted string");
            }

            if (text[at] == quote)
            {
                at++;
                break;
            }

            if (text[at] == '\\' && quote != '`')
            {
                if (!TakeEscape(quote, bytes))
                {
                    return false;
                }

                continue;
            }

            at += AddRune(bytes);
        }

        // Escapes can spell any bytes; labels are UTF-8, so nothing can match what is not.
        var utf8 = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(bytes);
        if (!System.Text.Unicode.Utf8.IsValid(utf8))
        {
            return Fail(start, "string is not valid UTF-8");
        }

        value = Encoding.UTF8.GetString(utf8);
        return true;
    }

    private int AddRune(List<byte> bytes)
    {
        Rune.DecodeFromUtf16(text.AsSpan(at), out var rune, out var length);
        AddRune(bytes, rune);
        return length;
    }

    private static void AddRune(List<byte> bytes, Rune rune)
    {
        Span<byte> utf8 = stackalloc byte[4];
        foreach (var b in utf8[..rune.EncodeToUtf8(utf8)])
        {
            bytes.Add(b);
        }
    }

    // Go's escapes, which Prometheus uses: https://go.dev/ref/spec#Rune_literals.
    private bool TakeEscape(char quote, List<byte> bytes)
    {
        var start = at++;
        var c = Current;
        var simple = "abfnrtv\\".IndexOf(c);
        if (simple >= 0 && c != '\0')
        {
            bytes.Add((byte)"\a\b\f\n\r\t\v\\"[simple]);
            at++;
            return true;
        }

        if (c == quote)
        {
            bytes.Add((byte)c);
            at++;
            return true;
        }

        var (skip, digits, radix) = c switch
        {
            'x' => (1, 2, 16),
            'u' => (1, 4, 16),
            'U' => (1, 8, 16),
            >= '0' and <= '7' => (0, 3, 8),
            _ => (0, 0, 0),
        };
        if (digits == 0)
        {
            return IsAtEnd ? Fail(start, "escape sequence not terminated") : Fail(start, $"unknown escape sequence {Describe()}");
        }

        at += skip;
        return TakeNumber(digits, radix, out var number) && c is 'u' or 'U'
            ? AddCodePoint(start, number, bytes)
            : fault is null && AddByte(start, number, bytes);
    }

    private bool TakeNumber(int digits, int radix, out uint number)
    {
        number = 0;
        for (var i = 0; i < digits; i++, at++)
        {
            var digit = char.IsAsciiHexDigit(Current) ? Convert.ToInt32(Current.ToString(), 16) : radix;
            if (digit >= radix)
            {
                return Fail(at, $"illegal character {Describe()} in escape sequence");
            }

            number = (number * (uint)radix) + (uint)digit;
        }

        return true;
    }

    private bool AddCodePoint(int start, uint number, List<byte> bytes)
    {
        if (!Rune.IsValid(number))
        {
            return Fail(start, "escape sequence is an invalid Unicode code point");
        }

        AddRune(bytes, new Rune(number));
        return true;
    }

    private bool AddByte(int start, uint number, List<byte> bytes)
    {
        if (number > byte.MaxValue)
        {
            return Fail(start, "escape sequence is an invalid byte");
        }

        bytes.Add((byte)number);
        return true;
    }

    private void SkipSpace()
    {
        while (!IsAtEnd)
        {
            if (Current == '#')
            {
                var end = text.IndexOf('\n', at);
                at = end < 0 ? text.Length : end;
            }
            else if (Current is ' ' or '\t' or '\n' or '\r')
            {
                at++;
            }
            else
            {
                return;
            }
        }
    }

    private string Describe() => DescribeAt(at);

    private string DescribeAt(int place)
    {
        if (place >= text.Length)
        {
            return "end of input";
        }

        Rune.DecodeFromUtf16(text.AsSpan(place), out var rune, out _);
        return Rune.IsControl(rune) || rune.Value > 126
            ? string.Create(CultureInfo.InvariantCulture, $"character U+{rune.Value:X4}")
            : $"\"{rune}\"";
    }

    private static string Shown(ReadOnlySpan<char> given) => given.Length <= 32 ? given.ToString() : $"{given[..32]}…";

    private bool Fail(int place, string reason)
    {
        fault ??= reason;
        faultAt = place;
        return false;
    }

    // Line and column as Prometheus counts them: from 1, the column in bytes.
    private string Error()
    {
        if (faultAt < 0)
        {
            return "unknown position: parse error: " + fault;
        }

        var before = text.AsSpan(0, faultAt);
        var line = before.Count('\n') + 1;
        var column = Encoding.UTF8.GetByteCount(before[(before.LastIndexOf('\n') + 1)..]) + 1;
        return string.Create(CultureInfo.InvariantCulture, $"{line}:{column}: parse error: {fault}");
    }
}
