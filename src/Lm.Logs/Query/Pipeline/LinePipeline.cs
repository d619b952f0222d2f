using System.Text.RegularExpressions;

namespace Lm.Logs.Query.Pipeline;

/// <summary>The stages of a query at work. For one thread at a time.</summary>
internal sealed class LinePipeline(ILineStep[] steps)
{
    /// <summary>What is known of the line that was run last.</summary>
    public LineContext Context { get; } = new();

    /// <summary>Sends a line through all stages.</summary>
    /// <param name="line">The line.</param>
    /// <param name="body">The line as it came out; valid until the next.</param>
    /// <returns>False when it is left out.</returns>
    /// <exception cref="LogQueryException">A regular expression takes too long.</exception>
    public bool TryRun(in LogLine line, out ReadOnlySpan<byte> body)
    {
        body = line.Body;
        Context.Begin(line);
        try
        {
            foreach (var step in steps)
            {
                if (!step.Apply(ref body, Context))
                {
                    return false;
                }
            }
        }
        catch (RegexMatchTimeoutException exception)
        {
            throw new LogQueryException("a regular expression takes longer than a second for one line: simplify it", exception);
        }

        return true;
    }
}
