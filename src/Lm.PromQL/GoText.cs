using System.Globalization;
using System.Text;

namespace Lm.PromQL;

/// <summary>Texts as Go's <c>%q</c> prints them, which is how Prometheus quotes in messages and printed queries.</summary>
/// <remarks>Escapes of a query can spell bytes that are no UTF-8. Such a byte is kept as the lone surrogate U+DC00 plus its value, which no valid
/// text has, so that it equals itself, is never a label of a series, and can be printed again. Source: https://pkg.go.dev/strconv#Quote.</remarks>
public static class GoText
{
    private const int ByteBase = 0xDC00;

    /// <summary>A byte that is no UTF-8, as it stands in a text.</summary>
    internal static char OfByte(byte value) => (char)(ByteBase + value);

    /// <summary>Whether a text is UTF-8 as a whole.</summary>
    public static bool IsValid(ReadOnlySpan<char> text)
    {
        while (!text.IsEmpty)
        {
            if (Rune.DecodeFromUtf16(text, out _, out var length) != System.Buffers.OperationStatus.Done)
            {
                return false;
            }

            text = text[length..];
        }

        return true;
    }

    /// <summary>A text in double quotes.</summary>
    public static string Quote(ReadOnlySpan<char> text)
    {
        var quoted = new StringBuilder(text.Length + 2);
        quoted.Append('"');
        while (!text.IsEmpty)
        {
            var status = Rune.DecodeFromUtf16(text, out var rune, out var length);
            if (status == System.Buffers.OperationStatus.Done)
            {
                AppendRune(quoted, rune, '"');
            }
            else
            {
                quoted.Append(CultureInfo.InvariantCulture, $"\\x{text[0] & 0xff:x2}");
            }

            text = text[length..];
        }

        return quoted.Append('"').ToString();
    }

    /// <summary>The first runes of a text in double quotes: <c>%.10q</c>.</summary>
    internal static string Quote(ReadOnlySpan<char> text, int runesMax)
    {
        var end = 0;
        for (var i = 0; i < runesMax && end < text.Length; i++)
        {
            Rune.DecodeFromUtf16(text[end..], out _, out var length);
            end += length;
        }

        return Quote(text[..end]);
    }

    /// <summary>A character in single quotes; U+FFFD for the end of the text, as Go has it.</summary>
    internal static string QuoteRune(Rune rune)
    {
        var quoted = new StringBuilder(12);
        quoted.Append('\'');
        AppendRune(quoted, rune, '\'');
        return quoted.Append('\'').ToString();
    }

    /// <summary>A character as <c>%#U</c> prints it: <c>U+0071 'q'</c>.</summary>
    internal static string CodePoint(Rune rune) =>
        string.Create(CultureInfo.InvariantCulture, $"U+{rune.Value:X4}{(IsPrintable(rune) ? $" '{rune}'" : "")}");

    private static void AppendRune(StringBuilder text, Rune rune, char quote)
    {
        var simple = rune.Value is >= '\a' and <= '\r' ? "abtnvfr"[rune.Value - '\a'] : '\0';
        if (rune.Value == quote || rune.Value == '\\')
        {
            text.Append('\\').Append((char)rune.Value);
        }
        else if (simple != '\0')
        {
            text.Append('\\').Append(simple);
        }
        else if (IsPrintable(rune))
        {
            text.Append(rune.ToString());
        }
        else
        {
            var form = rune.Value < ' ' || rune.Value == 0x7f ? $"\\x{rune.Value:x2}" : rune.IsBmp ? $"\\u{rune.Value:x4}" : $"\\U{rune.Value:x8}";
            text.Append(form);
        }
    }

    // Letters, marks, numbers, punctuation, symbols and the plain blank.
    private static bool IsPrintable(Rune rune) => rune.Value == ' ' || Rune.GetUnicodeCategory(rune) is not (
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned
        or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.SpaceSeparator);
}
