namespace Lm.Logs.Query;

/// <summary>A selector of streams alone: <c>{instance="web1", input=~"nginx.*"}</c>; an empty one selects all.</summary>
public sealed class LogSelector
{
    private LogSelector(EquatableList<StreamMatcher> matchers) => Matchers = matchers;

    /// <summary>Selects all.</summary>
    public static LogSelector All { get; } = new(EquatableList<StreamMatcher>.Empty);

    /// <summary>The labels that it is about, each once.</summary>
    public IEnumerable<string> Labels => Matchers.Select(matcher => matcher.Label).Distinct(StringComparer.Ordinal);

    internal EquatableList<StreamMatcher> Matchers { get; }

    /// <summary>Reads a selector.</summary>
    public static bool TryParse(string text, out LogSelector? selector, out LogQueryFault fault)
    {
        selector = null;
        try
        {
            selector = new LogSelector(Parser.ReadSelector(text));
            fault = default;
            return true;
        }
        catch (LogSyntaxException exception)
        {
            fault = LogQuery.FaultOf(text, exception);
            return false;
        }
    }

    /// <summary>Whether it selects a stream.</summary>
    /// <exception cref="LogQueryException">A regular expression takes too long.</exception>
    public bool Selects(LogStream stream)
    {
        try
        {
            return Matchers.All(matcher => matcher.Matches(stream[matcher.Label]));
        }
        catch (System.Text.RegularExpressions.RegexMatchTimeoutException exception)
        {
            throw new LogQueryException("a regular expression takes longer than a second for one label value: simplify it", exception);
        }
    }
}
