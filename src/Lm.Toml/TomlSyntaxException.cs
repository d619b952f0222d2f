namespace Lm.Toml;

/// <summary>A place where the text is not TOML. Thrown inside the parser and caught by it: never seen by a caller of <see cref="TomlDocument"/>.</summary>
internal sealed class TomlSyntaxException(TomlPosition position, string message) : Exception(message)
{
    /// <summary>Where.</summary>
    public TomlPosition Position { get; } = position;

    /// <summary>Whether the next line is surely a new expression. Not so after a string that does not end: what follows may be its text.</summary>
    public bool NextLineIsSure { get; init; } = true;
}
