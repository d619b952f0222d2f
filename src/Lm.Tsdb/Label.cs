namespace Lm.Tsdb;

/// <summary>One label of a series.</summary>
/// <param name="Name">Its name; the metric's name is the label <c>__name__</c>.</param>
/// <param name="Value">Its value; empty means that the series does not have the label.</param>
public readonly record struct Label(string Name, string Value);
