using System.Text;
using Lm.Platform;

namespace Lm.Logs.Query.Pipeline;

/// <summary>Lines that contain one of some texts or addresses, or none of them.</summary>
internal sealed class ContainsStep(LineFilter filter) : ILineStep
{
    private readonly byte[][] texts = [.. filter.Texts.Select(Encoding.UTF8.GetBytes)];
    private readonly AddressRange[] addresses = [.. filter.Addresses.Select(RangeOf)];
    private readonly bool isNegative = filter.IsNegative;

    public bool Apply(ref ReadOnlySpan<byte> line, LineContext context)
    {
        foreach (var text in texts)
        {
            if (line.IndexOf(text) >= 0)
            {
                return !isNegative;
            }
        }

        foreach (var range in addresses)
        {
            if (range.IsIn(line))
            {
                return !isNegative;
            }
        }

        return isNegative;
    }

    /// <summary>Makes a range of a text that the parser has checked.</summary>
    public static AddressRange RangeOf(string text) => AddressRange.TryParse(text, out var range) ? range! : throw new ArgumentException(text, nameof(text));
}

/// <summary>Lines in which one of some expressions matches, or none of them.</summary>
internal sealed class MatchesStep(LineFilter filter) : ILineStep
{
    private readonly SearchRegex.Matcher[] expressions = [.. filter.Texts.Select(MatcherOf)];
    private readonly bool isNegative = filter.IsNegative;

    public bool Apply(ref ReadOnlySpan<byte> line, LineContext context)
    {
        foreach (var expression in expressions)
        {
            if (expression.IsMatch(line, context.Characters))
            {
                return !isNegative;
            }
        }

        return isNegative;
    }

    /// <summary>Makes a matcher of an expression that the parser has checked.</summary>
    public static SearchRegex.Matcher MatcherOf(string expression) =>
        SearchRegex.TryParse(expression, out var parsed, out var fault) ? parsed!.CreateMatcher() : throw new ArgumentException(fault, nameof(expression));
}

/// <summary>Lines that are made as one of some patterns, or as none.</summary>
internal sealed class PatternFilterStep(LineFilter filter) : ILineStep
{
    private readonly LinePattern[] patterns = [.. filter.Texts.Select(text =>
        LinePattern.TryParse(text, isFilter: true, out var pattern, out var fault) ? pattern! : throw new ArgumentException(fault, nameof(filter)))];

    private readonly bool isNegative = filter.IsNegative;

    public bool Apply(ref ReadOnlySpan<byte> line, LineContext context)
    {
        foreach (var pattern in patterns)
        {
            if (pattern.IsMatch(line))
            {
                return !isNegative;
            }
        }

        return isNegative;
    }
}
