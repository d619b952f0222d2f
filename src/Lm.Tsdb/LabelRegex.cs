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
    private readonly int? lengthMin; // set: everything that begins with the prefix and is at least so long matches
    private readonly string pattern;
    private Regex? capturing;
    private List<string> groupNames; // by number, from 1; empty for those without a name

    private LabelRegex(string pattern, HashSet<string>? literals, string prefix, int? lengthMin, Regex? regex, List<string> groupNames)
    {
        this.literals = literals;
        this.lengthMin = lengthMin;
        this.regex = regex;
        this.groupNames = groupNames;
        this.pattern = pattern;
        Prefix = prefix;
    }

    /// <summary>All values that match, when the expression lists them, as <c>a|b</c> does; else null.</summary>
    public IReadOnlyCollection<string>? Literals => literals;

    /// <summary>What every value that matches begins with; empty when nothing is known.</summary>
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

        if (LiteralsOf(pattern) is { } literals)
        {
            parsed = new LabelRegex(pattern, literals, "", null, null, []); // web1|web2|web3: no automaton needed
            return true;
        }

        var prefix = PrefixOf(pattern);
        if (pattern.AsSpan(prefix.Length) is ".*" or ".+")
        {
            parsed = new LabelRegex(pattern, null, prefix, pattern[^1] == '*' ? prefix.Length : prefix.Length + 1, null, []);
            return true;
        }

        fault = RegexFaults.Find(pattern);
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
            List<string> groupNames = [];
            var regex = Build(pattern, groupNames);
            parsed = new LabelRegex(pattern, null, prefix, null, regex, groupNames);
            return true;
        }
        catch (RegexParseException exception)
        {
            fault = RegexFaults.Describe(exception, pattern);
        }
        catch (NotSupportedException)
        {
            fault = "regular expression needs back-references, look-around or more states than are allowed";
        }

        return false;
    }

    /// <summary>Whether the whole value matches.</summary>
    /// <exception cref="RegexMatchTimeoutException">The value alone took longer than a second.</exception>
    public bool IsMatch(string value)
    {
        if (literals is not null)
        {
            return literals.Contains(value);
        }

        return lengthMin is { } length
            ? value.Length >= length && value.StartsWith(Prefix, StringComparison.Ordinal)
            : value.StartsWith(Prefix, StringComparison.Ordinal) && regex!.IsMatch(value);
    }

    // For those that need no automaton to match, but whose groups are asked for.
    private Regex Capturing
    {
        get
        {
            if (capturing is null)
            {
                List<string> names = [];
                var built = Build(pattern, names);
                (groupNames, capturing) = (names, built);
            }

            return capturing;
        }
    }

    private static Regex Build(string pattern, List<string> groupNames)
    {
        var translated = @"\A(?s:" + Translate(pattern, groupNames) + @")\z";
        return new Regex(translated, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1));
    }

    // Texts with | between them, in one group or none, as dashboards write a choice of hosts: punctuation may be escaped.
    private static HashSet<string>? LiteralsOf(string pattern)
    {
        var inside = pattern.AsSpan();
        if (inside is ['(', .., ')'])
        {
            inside = inside.StartsWith("(?:") ? inside[3..^1] : inside[1..^1];
        }

        var literals = new HashSet<string>(StringComparer.Ordinal);
        var text = new StringBuilder(inside.Length);
        for (var i = 0; i < inside.Length; i++)
        {
            if (inside[i] == '|')
            {
                literals.Add(text.ToString());
                text.Clear();
            }
            else if (inside[i] == '\\' && i + 1 < inside.Length && char.IsAscii(inside[i + 1]) && (char.IsPunctuation(inside[i + 1]) || char.IsSymbol(inside[i + 1])))
            {
                text.Append(inside[++i]);
            }
            else if (Special.Contains(inside[i]))
            {
                return null;
            }
            else
            {
                text.Append(inside[i]);
            }
        }

        literals.Add(text.ToString());
        return literals;
    }

    private static string PrefixOf(string pattern)
    {
        if (pattern.Contains('|', StringComparison.Ordinal))
        {
            return "";
        }

        var end = pattern.AsSpan().IndexOfAny(Special);
        if (end > 0 && pattern[end] is '*' or '?' or '{' or '+')
        {
            end -= char.IsLowSurrogate(pattern[end - 1]) ? 2 : 1; // the count is for the last character
        }

        return end > 0 ? pattern[..end] : "";
    }

    /// <summary>Matches the whole value and fills what its groups caught into a template.</summary>
    /// <param name="value">The value.</param>
    /// <param name="template">Text with <c>$1</c>, <c>${1}</c>, <c>$name</c>, <c>${name}</c> and <c>$$</c>; a group that is not there gives nothing.</param>
    /// <param name="expanded">The filled template; empty when false.</param>
    /// <exception cref="RegexMatchTimeoutException">The value alone took longer than a second.</exception>
    public bool TryExpand(string value, string template, out string expanded)
    {
        expanded = "";
        var match = (regex ?? Capturing).Match(value);
        if (!match.Success)
        {
            return false;
        }

        var text = new StringBuilder();
        for (var i = 0; i < template.Length;)
        {
            if (template[i] != '$' || !TryReadReference(template, i, out var name, out var length))
            {
                text.Append(template[i++]);
                continue;
            }

            i += length;
            text.Append(name == "$" ? "$" : Caught(match, name));
        }

        expanded = text.ToString();
        return true;
    }

    private string Caught(Match match, string name)
    {
        var isNumber = name.All(char.IsAsciiDigit);
        var number = !isNumber ? groupNames.LastIndexOf(name) + 1
            : name.Length > 4 ? int.MaxValue
            : int.Parse(name, System.Globalization.CultureInfo.InvariantCulture);
        return number > 0 || isNumber ? match.Groups[number].Value : "";
    }

    // The longest run of letters, digits and underscores is the name: $1x is the group "1x", not "1".
    private static bool TryReadReference(string template, int at, out string name, out int length)
    {
        (name, length) = ("", 0);
        if (at + 1 < template.Length && template[at + 1] == '$')
        {
            (name, length) = ("$", 2);
            return true;
        }

        var isBraced = at + 1 < template.Length && template[at + 1] == '{';
        var start = at + (isBraced ? 2 : 1);
        var end = start;
        while (end < template.Length && (char.IsLetterOrDigit(template[end]) || template[end] == '_'))
        {
            end++;
        }

        if (end == start || (isBraced && (end == template.Length || template[end] != '}')))
        {
            return false;
        }

        name = template[start..end];
        length = end - at + (isBraced ? 1 : 0);
        return true;
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

    internal static int EndOfClass(string pattern, int start)
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
                text.Append(c == '$' ? @"\z" : c); // .NET's $ also matches before a last line feed
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
