using System.Globalization;

namespace Lm.Logs.Query;

/// <summary>Why a log query cannot be read.</summary>
/// <param name="Line">The line, from 1.</param>
/// <param name="Column">The column, from 1, in characters.</param>
/// <param name="Message">What is wrong, and what is allowed.</param>
public readonly record struct LogQueryFault(int Line, int Column, string Message)
{
    /// <summary><c>line 1, column 5: …</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"line {Line}, column {Column}: {Message}");
}
