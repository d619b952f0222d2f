namespace Lm.Toml;

/// <summary>A TOML 1.0 document. The one seam through which the product reads TOML.</summary>
public sealed class TomlDocument
{
    private TomlDocument(TomlValue.Table? top, SettingsFaults faults)
    {
        Top = top;
        Faults = faults;
        Root = TomlTable.OfDocument(top, faults);
    }

    /// <summary>Reads a document.</summary>
    /// <param name="utf8">Its bytes; they need not be valid UTF-8, which is a fault then. At most 16 MiB, or that is the fault.</param>
    /// <param name="fileName">The name for messages, as the operator gave it.</param>
    /// <remarks>After a syntax fault <see cref="Root"/> is empty and <see cref="Faults"/> says why; reads then give defaults and add no faults.</remarks>
    public static TomlDocument Parse(ReadOnlySpan<byte> utf8, string fileName)
    {
        var faults = new SettingsFaults(fileName);
        var text = TomlText.Decode(utf8, faults);
        var top = text is null ? null : new TomlParser(text, faults).ParseDocument();
        faults.EndOfSyntax();
        return new TomlDocument(faults.Any ? null : top, faults);
    }

    /// <summary>The document's top table.</summary>
    public TomlTable Root { get; }

    /// <summary>All faults of the file: of its syntax, and those that readers of its tables add.</summary>
    public SettingsFaults Faults { get; }

    /// <summary>The values as they stand; null after a syntax fault.</summary>
    internal TomlValue.Table? Top { get; }
}
