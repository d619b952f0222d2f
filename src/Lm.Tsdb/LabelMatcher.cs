using Lm.Platform;

namespace Lm.Tsdb;

/// <summary>One condition of a selector. A label that a series does not have counts as empty.</summary>
public sealed class LabelMatcher
{
    private readonly AnchoredRegex? regex;

    private LabelMatcher(MatchKind kind, string name, string value, AnchoredRegex? regex)
    {
        Kind = kind;
        Name = name;
        Value = value;
        this.regex = regex;
    }

    /// <summary>Which comparison.</summary>
    public MatchKind Kind { get; }

    /// <summary>The label's name.</summary>
    public string Name { get; }

    /// <summary>The value or the expression.</summary>
    public string Value { get; }

    /// <summary>Whether series without the label match; a selector may not consist of such matchers alone.</summary>
    public bool MatchesEmpty => Matches("");

    /// <summary>The only values that can match, when the condition lists them: one for <c>=</c>, those of <c>=~"a|b"</c>; else null.</summary>
    public IReadOnlyCollection<string>? NamedValues => Kind switch
    {
        MatchKind.Equal => [Value],
        MatchKind.Regex => regex!.Literals,
        _ => null,
    };

    /// <summary>What every value that matches begins with; empty when nothing is known.</summary>
    public string ValuePrefix => Kind switch
    {
        MatchKind.Equal => Value,
        MatchKind.Regex => regex!.Prefix,
        _ => "",
    };

    /// <summary><c>name="value"</c>.</summary>
    public static LabelMatcher Equal(string name, string value) => new(MatchKind.Equal, name, value, null);

    /// <summary>Makes a matcher.</summary>
    /// <param name="kind">Which comparison.</param>
    /// <param name="name">The label's name.</param>
    /// <param name="value">The value or, for the regular kinds, the expression.</param>
    /// <param name="matcher">The matcher; null when the expression is not usable.</param>
    /// <param name="fault">Then: why not.</param>
    public static bool TryCreate(MatchKind kind, string name, string value, out LabelMatcher? matcher, out string fault)
    {
        matcher = null;
        fault = "";
        AnchoredRegex? regex = null;
        if (kind is MatchKind.Regex or MatchKind.NotRegex && !AnchoredRegex.TryParse(value, out regex, out fault))
        {
            return false;
        }

        matcher = new LabelMatcher(kind, name, value, regex);
        return true;
    }

    /// <summary>Whether a label with this value satisfies the condition.</summary>
    public bool Matches(string value) => Kind switch
    {
        MatchKind.Equal => value == Value,
        MatchKind.NotEqual => value != Value,
        MatchKind.Regex => regex!.IsMatch(value),
        _ => !regex!.IsMatch(value),
    };
}

/// <summary>The four comparisons of a selector.</summary>
public enum MatchKind
{
    /// <summary><c>=</c>.</summary>
    Equal,

    /// <summary><c>!=</c>.</summary>
    NotEqual,

    /// <summary><c>=~</c>, anchored at both ends.</summary>
    Regex,

    /// <summary><c>!~</c>.</summary>
    NotRegex,
}
