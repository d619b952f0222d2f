using Lm.Platform;

namespace Lm.Logs.Query;

/// <summary>Tokens → a tree; a fault leaves as <see cref="LogSyntaxException"/>.</summary>
/// <remarks>The language: https://grafana.com/docs/loki/latest/query/. What differs stands in docs/logql.md.</remarks>
internal sealed partial class Parser
{
    /// <summary>Longest query, characters.</summary>
    public const int LengthMax = 64 * 1024;

    /// <summary>How many parentheses, functions, conditions and operators a query may have: none can nest deeper than there are.</summary>
    public const int PartsMax = 256;

    // Stages of one query, matchers of one selector, texts of one filter: each costs time for every line.
    private const int ListMax = 128;

    private readonly List<Token> tokens;
    private int at;
    private int parts;

    private Parser(List<Token> tokens) => this.tokens = tokens;

    private Token Current => tokens[at];

    /// <summary>Reads a whole query.</summary>
    public static Expression Read(string query)
    {
        if (query.Length > LengthMax)
        {
            throw new LogSyntaxException(0, $"the query has {query.Length} characters, at most {LengthMax} are allowed");
        }

        var parser = new Parser(Lexer.Read(query));
        var expression = parser.ReadExpression(0);
        return parser.Current.Kind == TokenKind.End
            ? expression
            : throw parser.Unexpected(expression is LineSelection ? "a stage (|= != |~ !~ |> !> or |) or the end of the query" : "an operator or the end of the query");
    }

    /// <summary>Reads a selector of streams alone, which may be empty.</summary>
    public static EquatableList<StreamMatcher> ReadSelector(string query)
    {
        if (query.Length > LengthMax)
        {
            throw new LogSyntaxException(0, $"the selector has {query.Length} characters, at most {LengthMax} are allowed");
        }

        var parser = new Parser(Lexer.Read(query));
        var matchers = parser.ReadMatchers(mayBeEmpty: true);
        return parser.Current.Kind == TokenKind.End ? matchers : throw parser.Unexpected("the end of the selector");
    }

    private EquatableList<StreamMatcher> ReadMatchers(bool mayBeEmpty)
    {
        var start = Current.Start;
        Expect("{");
        var matchers = new List<StreamMatcher>();
        while (!Current.Is("}"))
        {
            matchers.Add(ReadMatcher());
            CheckCount(matchers.Count);
            if (!Current.Is("}"))
            {
                Expect(",", "',' or '}'");
            }
        }

        Advance();
        return mayBeEmpty || matchers.Exists(matcher => !matcher.Matches(""))
            ? new EquatableList<StreamMatcher>(matchers)
            : throw new LogSyntaxException(start, "the selector may select every stream: at least one matcher must not match an empty value, as in {instance=\"web1\"} or {input=~\".+\"}");
    }

    private StreamMatcher ReadMatcher()
    {
        var label = ReadName("a label's name");
        var comparison = Array.IndexOf(TextCondition.Symbols, Current.Text);
        if (Current.Kind != TokenKind.Symbol || comparison < 0)
        {
            throw Unexpected("one of = != =~ !~");
        }

        Advance();
        var value = Current;
        var text = ReadText("the value in quotes");
        if (comparison >= (int)TextComparison.Match && !AnchoredRegex.TryParse(text, out _, out var fault))
        {
            throw new LogSyntaxException(value.Start, fault);
        }

        return new StreamMatcher(label, (TextComparison)comparison, text);
    }

    private LineSelection ReadLines()
    {
        var matchers = ReadMatchers(mayBeEmpty: false);
        var stages = new List<Stage>();
        ReadStages(stages);
        return new LineSelection(matchers, new EquatableList<Stage>(stages));
    }

    private string ReadName(string what)
    {
        var token = Current;
        if (token.Kind != TokenKind.Word)
        {
            throw Unexpected(what);
        }

        Advance();
        return token.Text;
    }

    private string ReadText(string what)
    {
        var token = Current;
        if (token.Kind != TokenKind.Text)
        {
            throw Unexpected(what);
        }

        Advance();
        return token.Text;
    }

    private double ReadNumber(string what)
    {
        var sign = Current.Is("-") ? -1 : 1;
        at += Current.Is("-") || Current.Is("+") ? 1 : 0;
        if (Current.Kind != TokenKind.Amount || !Quantity.TryNumber(System.Text.Encoding.UTF8.GetBytes(Current.Text), out var number))
        {
            throw Unexpected(what);
        }

        Advance();
        return sign * number;
    }

    private List<string> ReadNames()
    {
        Expect("(");
        var names = new List<string>();
        while (!Current.Is(")"))
        {
            names.Add(ReadName("a label's name"));
            CheckCount(names.Count);
            if (!Current.Is(")"))
            {
                Expect(",", "',' or ')'");
            }
        }

        Advance();
        return names;
    }

    private bool Take(string symbol)
    {
        var found = Current.Is(symbol);
        at += found ? 1 : 0;
        return found;
    }

    private bool TakeWord(string word)
    {
        var found = Current.IsWord(word);
        at += found ? 1 : 0;
        return found;
    }

    private void Expect(string symbol, string? what = null)
    {
        if (!Take(symbol))
        {
            throw Unexpected(what ?? $"'{symbol}'");
        }
    }

    private void Advance() => at++;

    private Token Next => tokens[Math.Min(at + 1, tokens.Count - 1)];

    private LogSyntaxException Unexpected(string expected) => new(Current.Start, $"found {Current.Shown}, expected {expected}");

    private void CheckCount(int count)
    {
        if (count > ListMax)
        {
            throw new LogSyntaxException(Current.Start, $"there are more than {ListMax} of these, at most {ListMax} are allowed");
        }
    }

    private void CountPart()
    {
        if (++parts > PartsMax)
        {
            throw new LogSyntaxException(Current.Start, $"the query has more than {PartsMax} operators, conditions and parentheses, at most {PartsMax} are allowed");
        }
    }
}
