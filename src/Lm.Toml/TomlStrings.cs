using System.Globalization;
using System.Text;

namespace Lm.Toml;

/// <summary>The four kinds of strings.</summary>
/// <remarks>Source: TOML 1.0.0, "String". A fault never quotes a string's text: it may be a secret.</remarks>
internal static class TomlStrings
{
    /// <summary>Reads a value that begins with a quote: one-line or multi-line, basic or literal.</summary>
    public static string Read(TomlLexer lexer) => lexer switch
    {
        _ when lexer.StartsWith("\"\"\"") => ReadMultiLine(lexer, '"'),
        _ when lexer.StartsWith("'''") => ReadMultiLine(lexer, '\''),
        _ => ReadOneLine(lexer),
    };

    /// <summary>Reads a string that ends in its line, the only kind that may be a key.</summary>
    public static string ReadOneLine(TomlLexer lexer)
    {
        var start = lexer.Position;
        var quote = (char)lexer.Current;
        lexer.Advance();
        var text = new StringBuilder();
        while (!lexer.TryTake(quote))
        {
            if (lexer.IsAtLineEnd)
            {
                throw Unclosed(start, $"the string that begins here has no closing {quote} in its line");
            }

            if (quote == '"' && lexer.Current == '\\')
            {
                AppendEscape(lexer, text);
                continue;
            }

            AppendCurrent(lexer, text);
        }

        return text.ToString();
    }

    private static string ReadMultiLine(TomlLexer lexer, char quote)
    {
        var start = lexer.Position;
        lexer.Advance(3);
        // A line end right after the opening quotes is not part of the string.
        lexer.TryTakeLineEnd();
        var text = new StringBuilder();
        while (!TryTakeClosing(lexer, quote, text))
        {
            if (lexer.Current == TomlLexer.End)
            {
                throw Unclosed(start, $"the string that begins here has no closing {quote}{quote}{quote}");
            }

            if (quote == '"' && lexer.Current == '\\')
            {
                AppendEscapeOrJoinLines(lexer, text);
            }
            else if (lexer.IsAtLineEnd)
            {
                AppendLineEnd(lexer, text);
            }
            else
            {
                AppendCurrent(lexer, text);
            }
        }

        return text.ToString();
    }

    /// <summary>Takes a run of quotes. Three close the string; one or two more before them belong to its text.</summary>
    private static bool TryTakeClosing(TomlLexer lexer, char quote, StringBuilder text)
    {
        var count = 0;
        while (count < 5 && lexer.TryTake(quote))
        {
            count++;
        }

        text.Append(quote, count < 3 ? count : count - 3);
        return count >= 3;
    }

    private static void AppendLineEnd(TomlLexer lexer, StringBuilder text)
    {
        text.Append(lexer.Current == '\r' ? "\r\n" : "\n");
        lexer.TryTakeLineEnd();
    }

    private static void AppendCurrent(TomlLexer lexer, StringBuilder text)
    {
        lexer.RefuseForbidden();
        text.Append((char)lexer.Current);
        lexer.Advance();
    }

    private static void AppendEscapeOrJoinLines(TomlLexer lexer, StringBuilder text)
    {
        var backslash = lexer.Position;
        if (lexer.Next is not (' ' or '\t' or '\r' or '\n'))
        {
            AppendEscape(lexer, text);
            return;
        }

        lexer.Advance();
        lexer.SkipBlanks();
        if (!lexer.TryTakeLineEnd())
        {
            throw new TomlSyntaxException(backslash, "a backslash before blanks must be the last of its line")
            {
                NextLineIsSure = false,
            };
        }

        do
        {
            lexer.SkipBlanks();
        }
        while (lexer.TryTakeLineEnd());
    }

    private static void AppendEscape(TomlLexer lexer, StringBuilder text)
    {
        var backslash = lexer.Position;
        lexer.Advance();
        var kind = lexer.Current;
        switch (kind)
        {
            case 'u' or 'U':
                lexer.Advance();
                AppendCodePoint(lexer, text, backslash, digits: kind == 'u' ? 4 : 8);
                return;
            case 'b' or 't' or 'n' or 'f' or 'r' or '"' or '\\':
                lexer.Advance();
                text.Append(kind switch { 'b' => '\b', 't' => '\t', 'n' => '\n', 'f' => '\f', 'r' => '\r', _ => (char)kind });
                return;
            default:
                throw new TomlSyntaxException(
                    backslash,
                    """unknown escape; allowed are \b \t \n \f \r \" \\ \uXXXX \UXXXXXXXX (or a 'literal string', which has none)""")
                {
                    NextLineIsSure = false,
                };
        }
    }

    private static void AppendCodePoint(TomlLexer lexer, StringBuilder text, TomlPosition backslash, int digits)
    {
        var start = lexer.Index;
        while (lexer.Index - start < digits && lexer.Current != TomlLexer.End && char.IsAsciiHexDigit((char)lexer.Current))
        {
            lexer.Advance();
        }

        var hex = lexer.From(start);
        if (hex.Length != digits
            || !uint.TryParse(hex, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value)
            || !Rune.TryCreate(value, out var rune))
        {
            throw new TomlSyntaxException(
                backslash,
                $"not an escape of a character: {digits} hexadecimal digits are expected, up to 10FFFF and not D800 to DFFF")
            {
                NextLineIsSure = false,
            };
        }

        Span<char> units = stackalloc char[2];
        text.Append(units[..rune.EncodeToUtf16(units)]);
    }

    private static TomlSyntaxException Unclosed(TomlPosition start, string message) => new(start, message) { NextLineIsSure = false };
}
