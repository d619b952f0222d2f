using Lm.Platform;

namespace Lm.Logs.Query;

/// <summary>A condition on the labels of streams: <c>instance="web1"</c>. A label that a stream does not have counts as empty.</summary>
internal sealed record StreamMatcher(string Label, TextComparison Comparison, string Value)
{
    private readonly AnchoredRegex? regex = Comparison < TextComparison.Match ? null
        : AnchoredRegex.TryParse(Value, out var parsed, out var fault) ? parsed
        : throw new ArgumentException(fault, nameof(Value));

    /// <summary>Whether a value satisfies it.</summary>
    /// <exception cref="System.Text.RegularExpressions.RegexMatchTimeoutException">The value alone took longer than a second.</exception>
    public bool Matches(string value) => Comparison switch
    {
        TextComparison.Equal => value == Value,
        TextComparison.NotEqual => value != Value,
        TextComparison.Match => regex!.IsMatch(value),
        _ => !regex!.IsMatch(value),
    };

    public bool Equals(StreamMatcher? other) => other is not null && Label == other.Label && Comparison == other.Comparison && Value == other.Value;

    public override int GetHashCode() => HashCode.Combine(Label, Comparison, Value);

    public override string ToString() => $"{Label}{TextCondition.Symbols[(int)Comparison]}{QuotedString.Quote(Value)}";
}
