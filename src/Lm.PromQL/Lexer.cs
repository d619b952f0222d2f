using System.Text;

namespace Lm.PromQL;

/// <summary>Cuts a query into words, one at a time and only when asked: which fault is met first is part of the answer.</summary>
/// <remarks>Reads each character a bounded number of times, so it is linear in the query. Messages and places are those of Prometheus 3, or of
/// 2.42 where that says something else.</remarks>
internal sealed partial class Lexer(string text, PromSemantics semantics)
{
    private const string Digits = "0123456789";
    private const string HexDigits = "0123456789abcdefABCDEF";

    private int at;
    private int start;
    private int parenthesisDepth;
    private bool isInBraces;
    private bool isInBrackets;
    private bool isAtDuration; // behind a bracket, until the first number
    private bool hasColon;
    private bool hasDuration; // Prometheus never takes it back, either

    /// <summary>Why the last word is a <see cref="TokenKind.Fault"/>.</summary>
    public string Fault { get; private set; } = "";

    /// <summary>The next word.</summary>
    public Token Next()
    {
        SkipSpaceAndComments();
        if (isInBraces)
        {
            return NextInBraces();
        }

        return isAtDuration ? semantics == PromSemantics.V2 ? DurationOnly() : NextInDuration() : NextOutside();
    }

    private bool IsAtEnd => at >= text.Length;

    private char Current => at < text.Length ? text[at] : '\0';

    private void SkipSpaceAndComments()
    {
        while (!IsAtEnd && (Current is ' ' or '\t' or '\n' or '\r' || (Current == '#' && !isAtDuration)))
        {
            if (Current == '#')
            {
                var length = text.AsSpan(at).IndexOfAny('\n', '\r');
                at = length < 0 ? text.Length : at + length;
            }
            else
            {
                at++;
            }
        }

        start = at;
    }

    private Token NextOutside()
    {
        if (IsAtEnd)
        {
            return parenthesisDepth != 0 ? Fail("unclosed left parenthesis") : isInBrackets ? Fail("unclosed left bracket") : Emit(TokenKind.End);
        }

        var c = Current;
        if (char.IsAsciiDigit(c) || (c == '.' && at + 1 < text.Length && char.IsAsciiDigit(text[at + 1])))
        {
            return NumberOrDuration();
        }

        if (IsAlpha(c) || c == ':')
        {
            return isInBrackets ? WordInBrackets(c) : Word();
        }

        at++;
        switch (c)
        {
            case ',': return Emit(TokenKind.Comma);
            case '*': return Emit(TokenKind.Multiply);
            case '/': return Emit(TokenKind.Divide);
            case '%': return Emit(TokenKind.Modulo);
            case '+': return Emit(TokenKind.Add);
            case '-': return Emit(TokenKind.Subtract);
            case '^': return Emit(TokenKind.Power);
            case '@': return Emit(TokenKind.At);
            case '=': return EqualSign();
            case '!': return ExclamationMark();
            case '<': return Accept('=') ? Emit(TokenKind.LessOrEqual) : Trim('<', TokenKind.Less);
            case '>': return Accept('=') ? Emit(TokenKind.GreaterOrEqual) : Trim('>', TokenKind.Greater);
            case '"' or '\'' or '`': return Quoted(c);
            case '(': return Parenthesis(TokenKind.LeftParenthesis, 1);
            case ')': return Parenthesis(TokenKind.RightParenthesis, -1);
            case '{':
                isInBraces = true;
                return Emit(TokenKind.LeftBrace);
            case '[': return LeftBracket();
            case ']': return RightBracket();
            default:
                at--;
                return Fail($"unexpected character: {DescribeNext()}");
        }
    }

    private Token EqualSign()
    {
        if (Current == '~')
        {
            return Fail("unexpected character after '=': '~'");
        }

        return Emit(Accept('=') ? TokenKind.Equal : TokenKind.Assign);
    }

    private Token ExclamationMark() => Accept('=') ? Emit(TokenKind.NotEqual) : Fail($"unexpected character after '!': {DescribeNext()}");

    // Prometheus 3 cuts native histograms with </ and >/.
    private Token Trim(char sign, TokenKind otherwise) =>
        semantics == PromSemantics.V3 && Current == '/' ? Fail($"operator {sign}/ works on native histograms, which are not supported") : Emit(otherwise);

    private Token Parenthesis(TokenKind kind, int step)
    {
        parenthesisDepth += step;
        if (parenthesisDepth < 0)
        {
            start = at;
            return Fail("unexpected right parenthesis ')'");
        }

        return Emit(kind);
    }

    private Token LeftBracket()
    {
        if (isInBrackets)
        {
            return Fail("unexpected left bracket '['");
        }

        hasColon = false;
        isInBrackets = true;
        isAtDuration = true;
        return Emit(TokenKind.LeftBracket);
    }

    private Token RightBracket()
    {
        if (!isInBrackets)
        {
            return Fail("unexpected right bracket ']'");
        }

        isInBrackets = false;
        return Emit(TokenKind.RightBracket);
    }

    private Token NextInBraces()
    {
        if (IsAtEnd)
        {
            return Fail("unexpected end of input inside braces");
        }

        var c = Current;
        if (IsAlpha(c))
        {
            while (IsAlphaNumeric(Current))
            {
                at++;
            }

            return Emit(TokenKind.Identifier);
        }

        at++;
        switch (c)
        {
            case ',': return Emit(TokenKind.Comma);
            case '"' or '\'' or '`': return Quoted(c);
            case '=': return Emit(Accept('~') ? TokenKind.Matches : TokenKind.Assign);
            case '!' when Accept('~'): return Emit(TokenKind.MatchesNot);
            case '!' when Accept('='): return Emit(TokenKind.NotEqual);
            case '!': return Fail($"unexpected character after '!' inside braces: {DescribeNext()}");
            case '{': return Fail("unexpected left brace '{'");
            case '}':
                isInBraces = false;
                return Emit(TokenKind.RightBrace);
            default:
                at--;
                return Fail($"unexpected character inside braces: {DescribeNext()}");
        }
    }

    // Behind a bracket, Prometheus 2 takes a duration and nothing else.
    private Token DurationOnly()
    {
        isAtDuration = false;
        if (ScanNumber())
        {
            return Fail("missing unit character in duration");
        }

        return ScanDurationRest() ? Emit(TokenKind.Duration) : Fail($"bad duration syntax: {GoText.Quote(text.AsSpan(start, at - start))}");
    }

    private Token NextInDuration()
    {
        if (IsAtEnd)
        {
            return Fail("unexpected end of input in duration expression");
        }

        var c = Current;
        if (char.IsAsciiDigit(c) || (c == '.' && at + 1 < text.Length && char.IsAsciiDigit(text[at + 1])))
        {
            isAtDuration = false;
            hasDuration = true;
            return NumberOrDuration();
        }

        if ("sSmMrR".Contains(c, StringComparison.Ordinal))
        {
            return DurationWord($"unexpected character in duration expression: '{c}'");
        }

        at++;
        switch (c)
        {
            case ']':
                isInBrackets = false;
                isAtDuration = false;
                return Emit(TokenKind.RightBracket);
            case ':': return ColonInDuration();
            case '(': return Parenthesis(TokenKind.LeftParenthesis, 1);
            case ')': return Parenthesis(TokenKind.RightParenthesis, -1);
            case '+': return Emit(TokenKind.Add);
            case '-': return Emit(TokenKind.Subtract);
            case '*': return Emit(TokenKind.Multiply);
            case '/': return Emit(TokenKind.Divide);
            case '%': return Emit(TokenKind.Modulo);
            case '^': return Emit(TokenKind.Power);
            case ',': return Emit(TokenKind.Comma);
            default:
                at--;
                return Fail($"unexpected character in duration expression: {DescribeNext()}");
        }
    }

    private Token ColonInDuration()
    {
        if (!hasDuration || hasColon)
        {
            start = at;
            return Fail(hasDuration ? "unexpected repeated colon in duration expression" : "unexpected colon before duration in duration expression");
        }

        hasColon = true;
        return Emit(TokenKind.Colon);
    }

    private Token WordInBrackets(char c)
    {
        if (semantics == PromSemantics.V2)
        {
            // Prometheus 2 takes any letter for the colon.
            at++;
            if (hasColon)
            {
                return Fail($"unexpected colon '{c}'");
            }

            hasColon = true;
            return Emit(TokenKind.Colon);
        }

        if (c != ':')
        {
            return DurationWord($"unexpected character: '{c}', expected ':'");
        }

        at++;
        if (hasColon)
        {
            return Fail("unexpected colon ':'");
        }

        hasColon = true;
        return Emit(TokenKind.Colon);
    }

    private Token DurationWord(string fault)
    {
        while (IsAlpha(Current))
        {
            at++;
        }

        return Keywords.Find(text.AsSpan(start, at - start), semantics, out _) == TokenKind.DurationWord ? Emit(TokenKind.DurationWord) : Fail(fault);
    }

    private Token Word()
    {
        while (IsAlphaNumeric(Current) || Current == ':')
        {
            at++;
        }

        var word = text.AsSpan(start, at - start);
        var kind = Keywords.Find(word, semantics, out var aggregation);
        if (kind == TokenKind.Identifier || (kind == TokenKind.Fill && !IsBeforeParenthesis()))
        {
            return Emit(word.Contains(':') ? TokenKind.MetricIdentifier : TokenKind.Identifier);
        }

        return Emit(kind) with { Aggregation = aggregation };
    }

    private bool IsBeforeParenthesis()
    {
        var rest = text.AsSpan(at).TrimStart(" \t\n\r");
        return !rest.IsEmpty && rest[0] == '(';
    }

    private Token Quoted(char quote)
    {
        while (true)
        {
            if (IsAtEnd || (Current == '\n' && quote != '`'))
            {
                return Fail(quote == '`' ? "unterminated raw string" : "unterminated quoted string");
            }

            var c = Current;
            if (c == '\\' && quote != '`')
            {
                at++;
                if (FaultOfEscape(quote) is { } fault)
                {
                    return Fail(fault);
                }

                continue;
            }

            if (Rune.DecodeFromUtf16(text.AsSpan(at), out var rune, out var length) != System.Buffers.OperationStatus.Done || rune == Rune.ReplacementChar)
            {
                return Fail("invalid UTF-8 rune");
            }

            at += length;
            if (c == quote)
            {
                return Emit(TokenKind.Text);
            }
        }
    }

    // Go's escapes: https://go.dev/ref/spec#Rune_literals.
    private string? FaultOfEscape(char quote)
    {
        if (IsAtEnd)
        {
            return "escape sequence not terminated";
        }

        var c = Current;
        if (c == quote || "abfnrtv\\".Contains(c, StringComparison.Ordinal))
        {
            at++;
            return null;
        }

        var (skip, digits, radix, max) = c switch
        {
            'x' => (1, 2, 16, 255),
            'u' => (1, 4, 16, 0x10FFFF),
            'U' => (1, 8, 16, 0x10FFFF),
            >= '0' and <= '7' => (0, 3, 8, 255),
            _ => (0, 0, 0, 0),
        };
        if (digits == 0)
        {
            Rune.DecodeFromUtf16(text.AsSpan(at), out var rune, out _);
            return $"unknown escape sequence {GoText.CodePoint(rune)}";
        }

        at += skip;
        long number = 0;
        for (var i = 0; i < digits; i++, at++)
        {
            var digit = char.IsAsciiHexDigit(Current) ? Convert.ToInt32(Current.ToString(), 16) : radix;
            if (digit >= radix)
            {
                Rune.DecodeFromUtf16(text.AsSpan(Math.Min(at, text.Length)), out var rune, out _);
                return IsAtEnd ? "escape sequence not terminated" : $"illegal character {GoText.CodePoint(rune)} in escape sequence";
            }

            number = (number * radix) + digit;
        }

        return number > max || number is >= 0xD800 and < 0xE000 ? "escape sequence is an invalid Unicode code point" : null;
    }

    private bool Accept(char c)
    {
        if (IsAtEnd || Current != c)
        {
            return false;
        }

        at++;
        return true;
    }

    private bool AcceptAny(string characters)
    {
        if (IsAtEnd || !characters.Contains(Current, StringComparison.Ordinal))
        {
            return false;
        }

        at++;
        return true;
    }

    private bool AcceptRun(string characters)
    {
        var length = text.AsSpan(at).IndexOfAnyExcept(characters);
        length = length < 0 ? text.Length - at : length;
        at += length;
        return length > 0;
    }

    private Token Emit(TokenKind kind) => new(kind, start, at);

    private Token Fail(string reason)
    {
        Fault = reason;
        return new Token(TokenKind.Fault, start, text.Length);
    }

    private string DescribeNext()
    {
        if (IsAtEnd)
        {
            return GoText.QuoteRune(Rune.ReplacementChar); // what Go prints for its end of file
        }

        Rune.DecodeFromUtf16(text.AsSpan(at), out var rune, out _);
        return GoText.QuoteRune(rune);
    }

    private static bool IsAlpha(char c) => c == '_' || char.IsAsciiLetter(c);

    private static bool IsAlphaNumeric(char c) => IsAlpha(c) || char.IsAsciiDigit(c);
}
