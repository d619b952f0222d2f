namespace Lm.Logs.Query.Pipeline;

/// <summary>One stage of a query at work. For one thread at a time.</summary>
internal interface ILineStep
{
    /// <summary>Does with a line what the stage says.</summary>
    /// <param name="line">The line, valid UTF-8; a step may put another in its place.</param>
    /// <param name="context">Its labels and all else.</param>
    /// <returns>False when the line is left out.</returns>
    bool Apply(ref ReadOnlySpan<byte> line, LineContext context);
}
