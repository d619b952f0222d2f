namespace Lm.Logs.Query;

/// <summary>Characters of a query → tokens.</summary>
internal static class Lexer
{
    // Longer ones first.
    private static readonly string[] Symbols =
        ["--", "|=", "|~", "|>", "!=", "!~", "!>", "==", "=~", ">=", "<=", "{", "}", "(", ")", "[", "]", ",", "|", "=", ">", "<", "+", "-", "*", "/", "%", "^", "."];

    /// <summary>Cuts a query into tokens, the last of which is the end.</summary>
    /// <exception cref="LogSyntaxException">A character or a text in quotes cannot be read.</exception>
    public static List<Token> Read(string query)
    {
        var tokens = new List<Token>();
        for (var at = 0; at < query.Length;)
        {
            var c = query[at];
            if (char.IsWhiteSpace(c))
            {
                at++;
            }
            else if (c == '#')
            {
                var end = query.IndexOf('\n', at);
                at = end < 0 ? query.Length : end;
            }
            else
            {
                var (token, length) = ReadToken(query, at);
                tokens.Add(token);
                at += length;
            }
        }

        tokens.Add(new Token(TokenKind.End, query.Length, ""));
        return tokens;
    }

    private static (Token Token, int Length) ReadToken(string query, int at)
    {
        var c = query[at];
        if (c is '"' or '`')
        {
            return ReadText(query, at);
        }

        if (char.IsAsciiLetter(c) || c == '_')
        {
            var length = LengthWhile(query, at, static other => char.IsAsciiLetterOrDigit(other) || other == '_');
            return (new Token(TokenKind.Word, at, query.Substring(at, length)), length);
        }

        if (char.IsAsciiDigit(c) || (c == '.' && at + 1 < query.Length && char.IsAsciiDigit(query[at + 1])))
        {
            var length = AmountLength(query, at);
            return (new Token(TokenKind.Amount, at, query.Substring(at, length)), length);
        }

        foreach (var symbol in Symbols)
        {
            if (string.CompareOrdinal(query, at, symbol, 0, symbol.Length) == 0)
            {
                return (new Token(TokenKind.Symbol, at, symbol), symbol.Length);
            }
        }

        var shown = char.IsControl(c) || char.IsSurrogate(c) ? $"U+{(int)c:X4}" : $"'{c}'";
        throw new LogSyntaxException(at, c == '\''
            ? "texts stand in double quotes or back quotes, not in single ones"
            : $"the character {shown} has no meaning here; other than in a text in quotes only letters, digits, _ and the operators are allowed");
    }

    private static (Token Token, int Length) ReadText(string query, int at)
    {
        var quote = query[at];
        for (var end = at + 1; end < query.Length && (quote == '`' || query[end] != '\n'); end++)
        {
            if (query[end] == '\\' && quote == '"')
            {
                end++;
            }
            else if (query[end] == quote)
            {
                var length = end + 1 - at;
                return QuotedString.TryUnquote(query.AsSpan(at, length), out var text, out var fault)
                    ? (new Token(TokenKind.Text, at, text), length)
                    : throw new LogSyntaxException(at + fault, @"this escape is not known; \a \b \f \n \r \t \v \\ \"" \xhh (up to 7f), \uhhhh, \Uhhhhhhhh and \ooo are; a text between back quotes needs none");
            }
        }

        throw new LogSyntaxException(at, $"the text that begins here has no closing {quote}");
    }

    // Digits, units and one exponent: 1.5s, 20MB, 1e-3.
    private static int AmountLength(string query, int at)
    {
        var length = LengthWhile(query, at, static c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or 'µ' or 'μ');
        var end = at + length;
        return query[end - 1] is 'e' or 'E' && end + 1 < query.Length && query[end] is '+' or '-' && char.IsAsciiDigit(query[end + 1])
            ? length + 1 + LengthWhile(query, end + 1, char.IsAsciiDigit)
            : length;
    }

    private static int LengthWhile(string query, int at, Func<char, bool> isPart)
    {
        var end = at;
        while (end < query.Length && isPart(query[end]))
        {
            end++;
        }

        return end - at;
    }
}

/// <summary>A query cannot be read; leaves the parser as a <see cref="LogQueryFault"/>.</summary>
/// <param name="at">Where, characters.</param>
/// <param name="message">What is wrong, and what is allowed.</param>
internal sealed class LogSyntaxException(int at, string message) : Exception(message)
{
    /// <summary>Where, characters.</summary>
    public int At { get; } = at;
}
