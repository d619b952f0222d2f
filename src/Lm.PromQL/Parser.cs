using System.Diagnostics.CodeAnalysis;

namespace Lm.PromQL;

/// <summary>Reads one query, by recursive descent and by the operators' precedence.</summary>
/// <remarks>
/// The first fault counts, and Prometheus' generated parser decides which one that is. Therefore:
/// a word is cut only when it is needed; what a finished part says wrongly is noted as soon as its last word is taken; a word that fits nowhere
/// is described by the innermost open construct that has a message of its own (braces, label lists, brackets, offset, @, an open aggregation).
/// A method that returns null has noted a fault.
/// </remarks>
internal sealed partial class Parser
{
    private readonly string text;
    private readonly PromSemantics semantics;
    private readonly Lexer lexer;
    private readonly QueryPlaces places;

    private Token next;
    private bool hasNext;
    private int lastClosing; // end of the last bracket, number or duration: where selectors with an offset end
    private int openAggregations;
    private int depth;
    private int height; // of the expression that was read last
    private ParseFault? fault;

    /// <summary>Makes a parser for one text.</summary>
    public Parser(string text, PromSemantics semantics)
    {
        this.text = text;
        this.semantics = semantics;
        lexer = new Lexer(text, semantics);
        places = new QueryPlaces(text);
    }

    private bool IsV2 => semantics == PromSemantics.V2;

    private TokenKind Peek => PeekToken().Kind;

    /// <summary>Reads a whole query.</summary>
    public bool TryParseQuery([NotNullWhen(true)] out Expression? expression, out ParseFault reason)
    {
        expression = null;
        if (Peek == TokenKind.End)
        {
            FailAt(0, "no expression found in input");
        }
        else
        {
            expression = ParseExpression(LowestPrecedence);
            if (expression is not null && Peek != TokenKind.End)
            {
                Unexpected();
            }
        }

        if (fault is null && expression is not null && new TypeChecker(text, places).FaultOf(expression) is { } typeFault)
        {
            fault = typeFault;
        }

        reason = fault ?? default;
        expression = fault is null ? expression : null;
        return expression is not null;
    }

    /// <summary>Reads a selector alone.</summary>
    public bool TryParseSelector([NotNullWhen(true)] out VectorSelector? selector, out ParseFault reason)
    {
        selector = null;
        var first = PeekToken();
        if (first.Kind == TokenKind.LeftBrace || IsMetricName(first.Kind))
        {
            selector = ParseSelector();
            if (selector is not null && Peek != TokenKind.End)
            {
                Unexpected();
            }
        }
        else
        {
            Unexpected();
        }

        reason = fault ?? default;
        selector = fault is null ? selector : null;
        return selector is not null;
    }

    private ref readonly Token PeekToken()
    {
        if (!hasNext)
        {
            next = lexer.Next();
            hasNext = true;
            if (next.Kind == TokenKind.Fault)
            {
                FailAt(next.Start, lexer.Fault);
            }
            else if (next.Kind is TokenKind.RightBrace or TokenKind.RightParenthesis or TokenKind.RightBracket or TokenKind.Duration or TokenKind.Number)
            {
                lastClosing = next.End;
            }
        }

        return ref next;
    }

    private Token Take()
    {
        var token = PeekToken();
        hasNext = false;
        return token;
    }

    private bool TryTake(TokenKind kind)
    {
        if (Peek != kind)
        {
            return false;
        }

        hasNext = false;
        return true;
    }

    private ReadOnlySpan<char> TextOf(Token token) => text.AsSpan(token.Start, token.End - token.Start);

    private TextPlace PlaceOf(Token token) => places.Between(token.Start, token.End);

    private void FailAt(int place, string message)
    {
        if (fault is null)
        {
            var (line, column) = places.Of(place);
            fault = new ParseFault(text.Length == 0 && !IsV2 ? 0 : line, column, message);
        }
    }

    private void Unexpected(string context = "", string expected = "")
    {
        var token = PeekToken();
        if (context.Length == 0 && openAggregations > 0)
        {
            context = "aggregation";
        }

        FailAt(token.Start, $"unexpected {Describe(token)}{(context.Length > 0 ? " in " + context : "")}{(expected.Length > 0 ? ", expected " + expected : "")}");
    }

    private string Describe(Token token)
    {
        var word = TextOf(token);
        return token.Kind switch
        {
            TokenKind.End => "end of input",
            TokenKind.Identifier => $"identifier {GoText.Quote(word)}",
            TokenKind.MetricIdentifier => $"metric identifier {GoText.Quote(word)}",
            TokenKind.Text => $"string {Shortened(word)}",
            TokenKind.Number => $"number {Shortened(word)}",
            TokenKind.Duration => $"duration {Shortened(word)}",
            TokenKind.Aggregation or TokenKind.ExperimentalAggregation => $"<aggr:{word}>",
            >= TokenKind.Bool and <= TokenKind.Fill => $"<{word}>",
            (>= TokenKind.Matches and <= TokenKind.Unless) => $"<op:{word}>",
            _ => Shortened(word),
        };
    }

    private static string Shortened(ReadOnlySpan<char> word) =>
        System.Text.Encoding.UTF8.GetByteCount(word) > 10 ? GoText.Quote(word, 10) + "..." : GoText.Quote(word);
}
