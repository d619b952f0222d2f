using System.Buffers;
using System.Text;
using System.Text.RegularExpressions;

namespace Lm.Tsdb;

/// <summary>A regular expression over label values, anchored at both ends, in time linear in the value.</summary>
/// <remarks>Prometheus' dialect is RE2's. .NET's differs where it would answer otherwise without a word: those forms are translated
/// (<c>\d \w \s</c> are ASCII, <c>(?P&lt;name&gt;</c>, <c>[[:alpha:]]</c>, a bracket inside a class is a character); the rest is equal or
/// refused. Source: https://github.com/google/re2/wiki/Syntax.</remarks>
public sealed class LabelRegex
{
    /// <summary>Longest expression, characters. Grafana's lists of hosts stay below.</summary>
    public const int LengthMax = 8192;

    // The automaton's states grow with the product of nested counts: (.{1,1000}){1,1000} would take minutes and gigabytes. RE2 stops at 1000, too.
    private const int RepeatProductMax = 1000;

    private static readonly SearchValues<char> Special = SearchValues.Create(@".+*?()[]{}^$\");

    private readonly HashSet<string>? literals;
    private readonly Regex? regex;

    private LabelRegex(HashSet<string>? literals, Regex? regex, string prefix)
    {
        this.literals = literals;
        this.regex = regex;
        Prefix = prefix;
    }

    /// <summary>The values that match, when the expression is nothing but a list of them; else null.</summary>
    public IReadOnlyCollection<string>? Literals => literals;

    /// <summary>What every value that matches begins with; often empty.</summary>
    public string Prefix { get; }

    /// <summary>Reads an expression.</summary>
    /// <param name="pattern">The text between the quotes.</param>
    /// <param name="parsed">What it means; null when false.</param>
    /// <param name="fault">Then: what is wrong.</param>
    public static bool TryParse(string pattern, out LabelRegex? parsed, out string fault)
    {
        parsed = null;
        fault = "";
        if (pattern.Length > LengthMax)
        {
            fault = $"regular expression has {pattern.Length} characters, at most {LengthMax} are allowed";
            return false;
        }

        if (!pattern.AsSpan().ContainsAny(Special))
        {
            parsed = new LabelRegex([.. pattern.Split('|')], null, ""); // web1|web2|web3: no automaton needed
            return true;
        }

        fault = FaultOfStructure(pattern);
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
            var translated = @"\A(?s:" + Translate(pattern) + @")\z";
            parsed = new LabelRegex(null, new Regex(translated, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1)), PrefixOf(pattern));
            return true;
        }
        catch (RegexParseException exception)
        {
            fault = $"error parsing regexp: {exception.Error} at character {Math.Max(0, exception.Offset - 6) + 1}";
        }
        catch (NotSupportedException)
        {
            fault = "regular expression needs back-references, look-around or more states than are allowed";
        }

        return false;
    }

    /// <summary>Whether the whole value matches.</summary>
    /// <exception cref="RegexMatchTimeoutException">The value alone took longer than a second.</exception>
    public bool IsMatch(string value) => literals?.Contains(value) ?? (value.StartsWith(Prefix, StringComparison.Ordinal) && regex!.IsMatch(value));

    // The characters before the first special one, but for the last of them where that one says how often it comes. With alternatives anywhere there is none:
    // they might be the whole expression's.
    private static string PrefixOf(string pattern)
    {
        var end = pattern.AsSpan().IndexOfAny(Special);
        if (pattern.Contains('|', StringComparison.Ordinal))
        {
            return "";
        }

        var isCounted = end > 0 && pattern[end] is '*' or '?' or '{' or '+';
        return pattern[..Math.Max(0, isCounted ? end - 1 : end)];
    }

    // Checked here, not by .NET: a parenthesis too many would close the group that anchors the expression.
    private static string FaultOfStructure(string pattern)
    {
        var open = 0;
        for (var i = 0; i < pattern.Length; i++)
        {
            switch (pattern[i])
            {
                case '\\' when ++i == pattern.Length:
                    return "error parsing regexp: trailing backslash at end of expression";
                case '[' when (i = EndOfClass(pattern, i)) >= pattern.Length:
                    return "error parsing regexp: missing closing ]";
                case '(':
                    open++;
                    break;
                case ')' when --open < 0:
                    return "error parsing regexp: unexpected )";
                default:
                    break;
            }
        }

        return open > 0 ? "error parsing regexp: missing closing )" : "";
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

    private static int EndOfClass(string pattern, int start)
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

    private static string Translate(string pattern)
    {
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
            else if (c == '(' && pattern.AsSpan(i).StartsWith("(?P<"))
            {
                text.Append("(?<");
                i += 3;
            }
            else
            {
                text.Append(c == '$' ? @"\z" : c); // .NET's $ also matches before a last line feed
            }
        }

        return text.ToString();
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
