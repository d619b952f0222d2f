using System.Globalization;
using System.Text;

namespace Lm.Protocol.Decoding;

/// <summary>Foreign text in a message for people: short, on one line, with nothing that a terminal or a log would act on.</summary>
internal static class Quote
{
    private const int CharsMax = 64;

    /// <summary>The text in quotation marks, cut after 64 characters.</summary>
    public static string Text(ReadOnlySpan<byte> utf8)
    {
        // Four bytes a character at most: what lies behind is cut anyway, so it need not be turned into a string.
        var text = Encoding.UTF8.GetString(utf8[..Math.Min(utf8.Length, 4 * CharsMax)]);
        var quoted = new StringBuilder("\"");
        foreach (var rune in text.AsSpan(0, Math.Min(text.Length, CharsMax)).EnumerateRunes())
        {
            Append(quoted, rune);
        }

        return quoted.Append(text.Length > CharsMax || utf8.Length > 4 * CharsMax ? "…\"" : "\"").ToString();
    }

    /// <summary>The same without quotation marks, in brackets behind a space, to name a record: <c> (node_load1)</c>.</summary>
    public static string InBrackets(ReadOnlySpan<byte> utf8) => $" ({Text(utf8)[1..^1]})";

    private static void Append(StringBuilder quoted, Rune rune)
    {
        var category = Rune.GetUnicodeCategory(rune);
        if (rune.Value is '"' or '\\')
        {
            quoted.Append('\\').Append(rune.ToString());
        }
        else if (category is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator
            or UnicodeCategory.ParagraphSeparator or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned)
        {
            quoted.Append(CultureInfo.InvariantCulture, $"\\u{{{rune.Value:x}}}");
        }
        else
        {
            quoted.Append(rune.ToString());
        }
    }
}
