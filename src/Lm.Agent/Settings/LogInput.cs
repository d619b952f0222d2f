namespace Lm.Agent.Settings;

/// <summary>One <c>[[log_inputs]]</c>: files to follow. Validated now, followed by a later version.</summary>
/// <param name="Name">What the records' <c>input</c> says.</param>
/// <param name="Path">An absolute path or pattern.</param>
/// <param name="StartAtEnd">Whether lines that stand in a file when it is first seen are left out.</param>
internal sealed record LogInput(string Name, string Path, bool StartAtEnd);
