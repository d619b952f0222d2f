namespace Lm.Logs;

/// <summary>A name and a value: a label of a stream, or an attribute of a line.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Value">Its value; empty means that there is none.</param>
public readonly record struct LogField(string Name, string Value);
