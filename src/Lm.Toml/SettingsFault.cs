namespace Lm.Toml;

/// <summary>One fault.</summary>
/// <param name="FileName">The file.</param>
/// <param name="Position">Where in it.</param>
/// <param name="Message">What was found and what is allowed.</param>
public sealed record SettingsFault(string FileName, TomlPosition Position, string Message)
{
    /// <summary><c>file:line:column: message</c>.</summary>
    public override string ToString() => $"{FileName}:{Position.Line}:{Position.Column}: {Message}";
}

/// <summary>A place in a TOML file.</summary>
/// <param name="Line">From 1.</param>
/// <param name="Column">From 1, in characters (code points).</param>
public readonly record struct TomlPosition(int Line, int Column);
