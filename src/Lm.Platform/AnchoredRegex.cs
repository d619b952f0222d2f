using System.Buffers;
using System.Text;
using System.Text.RegularExpressions;

namespace Lm.Platform;

/// <summary>A regular expression in RE2's dialect that matches whole values, as those of labels, in time linear in the value.</summary>
/// <remarks>A dot is any character, a line feed too, as Prometheus has it.</remarks>
public sealed class AnchoredRegex
{
    /// <summary>Longest expression, characters. Grafana's lists of hosts stay below.</summary>
    public const int LengthMax = Re2Syntax.LengthMax;

    private const string Opening = @"\A(?s:";
    private const string Closing = @")\z";

    private static readonly SearchValues<char> Special = SearchValues.Create(@".+*?()[]{}^$\");

    private readonly HashSet<string>? literals;
    private readonly Re2Automaton? automaton;
    private readonly int? lengthMin; // set: everything that begins with the prefix and is at least so long matches
    private readonly string pattern;
    private Re2Automaton? capturing;
    private List<string> groupNames; // by number, from 1; empty for those without a name

    private AnchoredRegex(string pattern, HashSet<string>? literals, string prefix, int? lengthMin, Re2Automaton? automaton, List<string> groupNames)
    {
        this.literals = literals;
        this.lengthMin = lengthMin;
        this.automaton = automaton;
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
    public static bool TryParse(string pattern, out AnchoredRegex? parsed, out string fault)
    {
        parsed = null;
        fault = "";
        if (pattern.Length > LengthMax)
        {
            fault = Re2Syntax.TooLong(pattern);
            return false;
        }

        if (LiteralsOf(pattern) is { } literals)
        {
            parsed = new AnchoredRegex(pattern, literals, "", null, null, []); // web1|web2|web3: no automaton needed
            return true;
        }

        var prefix = PrefixOf(pattern);
        if (pattern.AsSpan(prefix.Length) is ".*" or ".+")
        {
            parsed = new AnchoredRegex(pattern, null, prefix, pattern[^1] == '*' ? prefix.Length : prefix.Length + 1, null, []);
            return true;
        }

        List<string> groupNames = [];
        if (!Re2Syntax.TryBuild(pattern, Opening, Closing, groupNames, out var automaton, out fault))
        {
            return false;
        }

        parsed = new AnchoredRegex(pattern, null, prefix, null, automaton, groupNames);
        return true;
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
            : value.StartsWith(Prefix, StringComparison.Ordinal) && automaton!.For(value).IsMatch(value);
    }

    // For those that need no automaton to match, but whose groups are asked for.
    private Re2Automaton Capturing
    {
        get
        {
            if (capturing is null)
            {
                List<string> names = [];
                Re2Syntax.TryBuild(pattern, Opening, Closing, names, out var built, out _); // it is plain text
                (groupNames, capturing) = (names, built);
            }

            return capturing!;
        }
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
        var match = (automaton ?? Capturing).For(value).Match(value);
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
}
