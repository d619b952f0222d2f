using System.Globalization;
using System.Text;

namespace Lm.Logs.Query;

/// <summary>Texts in quotes: between back quotes as they are, between double quotes with the escapes of Go.</summary>
/// <remarks>Source: https://go.dev/ref/spec#String_literals. Escapes of single bytes above 0x7f are refused: a line is always valid UTF-8.</remarks>
internal static class QuotedString
{
    /// <summary>Resolves one.</summary>
    /// <param name="quoted">The text with its quotes, both there.</param>
    /// <param name="text">What it means; empty when false.</param>
    /// <param name="at">Then: where in it the fault is.</param>
    public static bool TryUnquote(ReadOnlySpan<char> quoted, out string text, out int at)
    {
        at = 0;
        var inner = quoted[1..^1];
        if (quoted[0] == '`' || !inner.Contains('\\'))
        {
            text = inner.ToString();
            return true;
        }

        var resolved = new StringBuilder(inner.Length);
        for (var i = 0; i < inner.Length;)
        {
            if (inner[i] != '\\')
            {
                resolved.Append(inner[i++]);
                continue;
            }

            if (!TryEscape(inner[i..], resolved, out var length))
            {
                (text, at) = ("", i + 1);
                return false;
            }

            i += length;
        }

        text = resolved.ToString();
        return true;
    }

    /// <summary>Writes a text in double quotes.</summary>
    public static string Quote(string text)
    {
        var quoted = new StringBuilder(text.Length + 2).Append('"');
        foreach (var c in text)
        {
            switch (c)
            {
                case '"' or '\\':
                    quoted.Append('\\').Append(c);
                    break;
                case '\n':
                    quoted.Append(@"\n");
                    break;
                case '\t':
                    quoted.Append(@"\t");
                    break;
                case '\r':
                    quoted.Append(@"\r");
                    break;
                case < ' ' or '\x7f':
                    quoted.Append(CultureInfo.InvariantCulture, $"\\x{(int)c:x2}");
                    break;
                default:
                    quoted.Append(c);
                    break;
            }
        }

        return quoted.Append('"').ToString();
    }

    private static bool TryEscape(ReadOnlySpan<char> text, StringBuilder into, out int length)
    {
        length = 2;
        var c = text.Length > 1 ? text[1] : '\0';
        var simple = "abfnrtv\\\"'".IndexOf(c, StringComparison.Ordinal);
        if (simple >= 0)
        {
            into.Append("\a\b\f\n\r\t\v\\\"'"[simple]);
            return true;
        }

        var digits = c switch { 'x' => 2, 'u' => 4, 'U' => 8, >= '0' and <= '7' => 3, _ => 0 };
        var start = digits == 3 ? 1 : 2;
        length = start + digits;
        if (digits == 0 || text.Length < length)
        {
            return false;
        }

        var number = 0L;
        foreach (var digit in text[start..length])
        {
            var value = char.IsAsciiHexDigit(digit) ? Convert.ToInt32(digit.ToString(), 16) : 16;
            if (value >= (digits == 3 ? 8 : 16))
            {
                return false;
            }

            number = (number * (digits == 3 ? 8 : 16)) + value;
        }

        if (number > (c is 'u' or 'U' ? 0x10ffff : 0x7f) || !Rune.IsValid((int)number))
        {
            return false;
        }

        into.Append(new Rune((int)number).ToString());
        return true;
    }
}
