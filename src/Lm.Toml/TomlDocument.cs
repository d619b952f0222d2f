namespace Lm.Toml;

/// <summary>A TOML 1.0 document. The one seam through which the product reads TOML.</summary>
public sealed class TomlDocument
{
    private TomlDocument() => throw new NotImplementedException();

    /// <summary>Reads a document.</summary>
    /// <param name="utf8">Its bytes; they need not be valid UTF-8, which is a fault then.</param>
    /// <param name="fileName">The name for messages, as the operator gave it.</param>
    /// <remarks>After a syntax fault <see cref="Root"/> is empty and <see cref="Faults"/> says why.</remarks>
    public static TomlDocument Parse(ReadOnlySpan<byte> utf8, string fileName) => throw new NotImplementedException();

    /// <summary>The document's top table.</summary>
    public TomlTable Root { get; }

    /// <summary>All faults of the file: of its syntax, and those that readers of its tables add.</summary>
    public SettingsFaults Faults { get; }
}
