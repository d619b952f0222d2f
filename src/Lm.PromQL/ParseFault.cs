using System.Globalization;

namespace Lm.PromQL;

/// <summary>Why a query cannot be read.</summary>
/// <param name="Line">The line, from 1; 0 when the query is empty.</param>
/// <param name="Column">The column, from 1, in bytes of UTF-8.</param>
/// <param name="Message">What is wrong, in Prometheus' words.</param>
public readonly record struct ParseFault(int Line, int Column, string Message)
{
    /// <summary>As Prometheus prints it: <c>1:5: parse error: unexpected end of input</c>.</summary>
    public override string ToString() => Line == 0
        ? $"unknown position: parse error: {Message}"
        : string.Create(CultureInfo.InvariantCulture, $"{Line}:{Column}: parse error: {Message}");
}
