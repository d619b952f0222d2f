using System.Diagnostics.CodeAnalysis;
using Lm.Tsdb;

namespace Lm.PromQL;

/// <summary>Reads PromQL: text to a checked tree, or the first fault in Prometheus' words and at its place.</summary>
/// <remarks>Linear in the query's length. Depth and length are bounded, so no text can exhaust the stack.</remarks>
public static class PromParser
{
    /// <summary>Longest query, UTF-16 units. Grafana's lists of hosts stay below.</summary>
    public const int LengthMax = 131_072;

    /// <summary>How deep operators, calls and parentheses may nest.</summary>
    public const int DepthMax = 500;

    /// <summary>Reads a query of Prometheus 3.</summary>
    /// <param name="query">The query.</param>
    /// <param name="expression">What it means; null when it cannot be read.</param>
    /// <param name="fault">Then: why not.</param>
    public static bool TryParse(string query, [NotNullWhen(true)] out Expression? expression, out ParseFault fault) =>
        TryParse(query, PromSemantics.V3, out expression, out fault);

    /// <summary>Reads a query.</summary>
    /// <param name="query">The query.</param>
    /// <param name="semantics">Whose language: 2.42 has other functions, no quoted names, and durations only where durations stand.</param>
    /// <param name="expression">What it means; null when it cannot be read.</param>
    /// <param name="fault">Then: why not.</param>
    public static bool TryParse(string query, PromSemantics semantics, [NotNullWhen(true)] out Expression? expression, out ParseFault fault)
    {
        if (FaultOfLength(query) is { } tooLong)
        {
            expression = null;
            fault = tooLong;
            return false;
        }

        return new Parser(query, semantics).TryParseQuery(out expression, out fault);
    }

    /// <summary>Reads a selector alone: <c>up{job="node"}</c>, as the parameter <c>match[]</c> has it.</summary>
    /// <param name="text">The selector.</param>
    /// <param name="semantics">Whose language.</param>
    /// <param name="matchers">Its conditions; null when it cannot be read.</param>
    /// <param name="fault">Then: why not.</param>
    public static bool TryParseSelector(string text, PromSemantics semantics, [NotNullWhen(true)] out IReadOnlyList<LabelMatcher>? matchers, out ParseFault fault)
    {
        matchers = null;
        if (FaultOfLength(text) is { } tooLong)
        {
            fault = tooLong;
            return false;
        }

        if (!new Parser(text, semantics).TryParseSelector(out var selector, out fault))
        {
            return false;
        }

        matchers = selector.Matchers;
        return true;
    }

    private static ParseFault? FaultOfLength(string text) =>
        text.Length > LengthMax ? new ParseFault(1, LengthMax + 1, $"the query has {text.Length} characters, at most {LengthMax} are allowed") : null;
}
