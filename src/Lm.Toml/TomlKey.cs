using System.Globalization;
using System.Text;

namespace Lm.Toml;

/// <summary>One part of a dotted key, unquoted.</summary>
internal sealed record TomlKey(string Name, TomlPosition Position)
{
    private const int ShownMax = 64;

    /// <summary>Whether a character may stand in a key without quotes.</summary>
    public static bool IsBare(int unit) => unit is (>= 'a' and <= 'z') or (>= 'A' and <= 'Z') or (>= '0' and <= '9') or '_' or '-';

    /// <summary>A key as it may be written in a file: bare where that is allowed, quoted otherwise, cut when it is very long.</summary>
    public static string Show(string name)
    {
        var isBare = name.Length > 0 && name.All(unit => IsBare(unit));
        return isBare ? Cut(name) : Quote(name);
    }

    /// <summary>Text in quotes, its control characters escaped so that they cannot play with a terminal, cut when it is very long.</summary>
    public static string Quote(string text)
    {
        var quoted = new StringBuilder("\"");
        foreach (var rune in Cut(text).EnumerateRunes())
        {
            quoted.Append(rune.Value switch
            {
                '"' => "\\\"",
                '\\' => "\\\\",
                _ when Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format
                    or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator =>
                    rune.IsBmp ? $"\\u{rune.Value:X4}" : $"\\U{rune.Value:X8}",
                _ => rune.ToString(),
            });
        }

        return quoted.Append('"').ToString();
    }

    private static string Cut(string text)
    {
        if (text.Length <= ShownMax)
        {
            return text;
        }

        var length = char.IsHighSurrogate(text[ShownMax - 1]) ? ShownMax - 1 : ShownMax;
        return text[..length] + "…";
    }
}
