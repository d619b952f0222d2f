namespace Lm.PromQL;

/// <content>Operators, calls, aggregations, literals.</content>
internal sealed partial class Parser
{
    private const int LowestPrecedence = 1;
    private const int UnaryPrecedence = 5; // that of multiplication
    private const int PowerPrecedence = 6;

    private Expression? ParseExpression(int precedenceMin)
    {
        if (++depth > PromParser.DepthMax)
        {
            return TooDeep();
        }

        var left = ParseOperand();
        while (left is not null && OperatorOf(Peek) is { } binary && binary.Precedence >= precedenceMin)
        {
            left = ParseBinary(left, binary.Operator, binary.Precedence);
        }

        depth--;
        return left;
    }

    private Expression? TooDeep()
    {
        FailAt(PeekToken().Start, $"expressions nest deeper than {PromParser.DepthMax} levels");
        return null;
    }

    private Expression? ParseBinary(Expression left, BinaryOperator symbol, int precedence)
    {
        var leftHeight = height;
        hasNext = false;
        if (!ParseModifiers(out var returnsBool, out var matching))
        {
            return null;
        }

        // ^ binds to the right: 2 ^ 3 ^ 2 is 2 ^ (3 ^ 2).
        var right = ParseExpression(precedence == PowerPrecedence ? precedence : precedence + 1);
        height = Math.Max(leftHeight, height) + 1;
        if (right is null)
        {
            return null;
        }

        if (height > PromParser.DepthMax)
        {
            return TooDeep();
        }

        if (symbol is BinaryOperator.And or BinaryOperator.Or or BinaryOperator.Unless && matching.Cardinality == MatchCardinality.OneToOne)
        {
            matching = matching with { Cardinality = MatchCardinality.ManyToMany };
        }

        // Labels named between other kinds are a fault that the type checker tells.
        var areVectors = left.Kind == ValueKind.Vector && right.Kind == ValueKind.Vector;
        return new Binary(symbol, left, right, returnsBool, areVectors || matching.Labels.Count > 0 ? matching : null, places.Between(left.Place.Start, right.Place.End));
    }

    private Expression? ParseOperand()
    {
        var sign = PeekToken();
        if (sign.Kind is not (TokenKind.Add or TokenKind.Subtract))
        {
            return ParsePostfix();
        }

        hasNext = false;
        var inner = ParseExpression(UnaryPrecedence + 1);
        if (inner is null)
        {
            return null;
        }

        height++;
        var place = places.Between(sign.Start, inner.Place.End);
        var isMinus = sign.Kind == TokenKind.Subtract;
        return inner is NumberLiteral number
            ? number with { Value = isMinus ? -number.Value : number.Value, Place = place }
            : new Unary(isMinus, inner, place);
    }

    private Expression? ParsePrimary()
    {
        height = 1;
        var token = PeekToken();
        switch (token.Kind)
        {
            case TokenKind.Number or TokenKind.Duration when token.Kind == TokenKind.Number || !IsV2:
                hasNext = false;
                return ParseNumber(token);
            case TokenKind.Text:
                hasNext = false;
                return new TextLiteral(QuotedText.Unquote(TextOf(token)), PlaceOf(token));
            case TokenKind.LeftParenthesis:
                return ParseParenthesized();
            case TokenKind.LeftBrace:
                return ParseSelector();
            case TokenKind.Aggregation or TokenKind.ExperimentalAggregation:
                return ParseAggregationOrName();
            case TokenKind.Identifier or TokenKind.DurationWord:
            case TokenKind.StartWord or TokenKind.EndWord when !IsV2:
                return ParseCallOrName();
        }

        if (IsMetricName(token.Kind))
        {
            return ParseSelector();
        }

        Unexpected();
        return null;
    }

    private NumberLiteral? ParseNumber(Token token)
    {
        if (token.Kind == TokenKind.Duration)
        {
            return TryReadDuration(token, out var milliseconds) ? new NumberLiteral(milliseconds / 1000.0, PlaceOf(token)) { IsDuration = true } : null;
        }

        if (!NumberText.TryParse(TextOf(token), out var number, out var reason))
        {
            FailAt(token.Start, reason);
            return null;
        }

        return new NumberLiteral(number, PlaceOf(token));
    }

    private bool TryReadDuration(Token token, out long milliseconds)
    {
        if (!PromDuration.TryParse(TextOf(token), out milliseconds, out var reason))
        {
            FailAt(token.Start, reason);
            return false;
        }

        if (IsV2 && milliseconds == 0)
        {
            FailAt(token.Start, "duration must be greater than 0");
            return false;
        }

        return true;
    }

    private Parenthesized? ParseParenthesized()
    {
        var open = Take();
        var inner = ParseExpression(LowestPrecedence);
        if (inner is null || !Expect(TokenKind.RightParenthesis, out var close))
        {
            return null;
        }

        height++;
        return new Parenthesized(inner, places.Between(open.Start, close.End));
    }

    private bool Expect(TokenKind kind, out Token token)
    {
        token = PeekToken();
        if (token.Kind != kind)
        {
            Unexpected();
            return false;
        }

        hasNext = false;
        return true;
    }

    private Expression? ParseCallOrName()
    {
        var name = Take();
        if (Peek != TokenKind.LeftParenthesis)
        {
            return ParseSelector(name);
        }

        if (ParseArguments() is not { } arguments)
        {
            return null;
        }

        var place = places.Between(name.Start, lastClosing);
        var word = TextOf(name).ToString();
        if (FunctionTable.Find(word, semantics) is not { } function)
        {
            FailAt(name.Start, FunctionTable.IsExperimental(word, semantics) ? $"function {GoText.Quote(word)} is not enabled" : $"unknown function with name {GoText.Quote(word)}");
            return null;
        }

        return new FunctionCall(function, arguments, place);
    }

    private List<Expression>? ParseArguments()
    {
        hasNext = false; // the parenthesis
        var arguments = new List<Expression>();
        var highest = 0;
        if (TryTake(TokenKind.RightParenthesis))
        {
            height = 1;
            return arguments;
        }

        while (true)
        {
            if (ParseExpression(LowestPrecedence) is not { } argument)
            {
                return null;
            }

            arguments.Add(argument);
            highest = Math.Max(highest, height);
            var token = PeekToken();
            if (token.Kind == TokenKind.RightParenthesis)
            {
                hasNext = false;
                height = highest + 1;
                return arguments;
            }

            if (token.Kind != TokenKind.Comma)
            {
                Unexpected();
                return null;
            }

            hasNext = false;
            if (Peek == TokenKind.RightParenthesis)
            {
                FailAt(token.Start, "trailing commas not allowed in function call args");
                return null;
            }
        }
    }

    private Expression? ParseAggregationOrName()
    {
        var name = Take();
        if (Peek is not (TokenKind.LeftParenthesis or TokenKind.By or TokenKind.Without))
        {
            return ParseSelector(name);
        }

        openAggregations++;
        var isWithout = false;
        IReadOnlyList<string> grouping = [];
        var isGrouped = Peek != TokenKind.LeftParenthesis;
        if (isGrouped && !ParseGrouping(out isWithout, out grouping))
        {
            return null;
        }

        if (Peek != TokenKind.LeftParenthesis)
        {
            Unexpected();
            return null;
        }

        if (ParseArguments() is not { } arguments)
        {
            return null;
        }

        openAggregations--;
        var end = lastClosing;
        if (!isGrouped && Peek is TokenKind.By or TokenKind.Without)
        {
            openAggregations++;
            if (!ParseGrouping(out isWithout, out grouping))
            {
                return null;
            }

            openAggregations--;
            end = lastClosing;
        }

        return fault is null ? MakeAggregation(name, arguments, isWithout, grouping, places.Between(name.Start, end)) : null;
    }

    private Aggregation? MakeAggregation(Token name, List<Expression> arguments, bool isWithout, IReadOnlyList<string> grouping, TextPlace place)
    {
        if (arguments.Count == 0)
        {
            FailAt(name.Start, "no arguments for aggregate expression provided");
            return null;
        }

        if (name.Kind == TokenKind.ExperimentalAggregation)
        {
            FailAt(name.Start, $"{TextOf(name).ToString().ToLowerInvariant()}() is experimental and must be enabled with --enable-feature=promql-experimental-functions");
            return null;
        }

        var hasParameter = name.Aggregation is AggregationOperator.Topk or AggregationOperator.Bottomk or AggregationOperator.CountValues or AggregationOperator.Quantile;
        var wanted = hasParameter ? 2 : 1;
        if (arguments.Count != wanted)
        {
            FailAt(name.Start, $"wrong number of arguments for aggregate expression provided, expected {wanted}, got {arguments.Count}");
            return null;
        }

        return new Aggregation(name.Aggregation, arguments[^1], hasParameter ? arguments[0] : null, isWithout, grouping, place);
    }

    private static (BinaryOperator Operator, int Precedence)? OperatorOf(TokenKind kind) => kind switch
    {
        TokenKind.Or => (BinaryOperator.Or, LowestPrecedence),
        TokenKind.And => (BinaryOperator.And, 2),
        TokenKind.Unless => (BinaryOperator.Unless, 2),
        TokenKind.Equal => (BinaryOperator.Equal, 3),
        TokenKind.NotEqual => (BinaryOperator.NotEqual, 3),
        TokenKind.Less => (BinaryOperator.Less, 3),
        TokenKind.LessOrEqual => (BinaryOperator.LessOrEqual, 3),
        TokenKind.Greater => (BinaryOperator.Greater, 3),
        TokenKind.GreaterOrEqual => (BinaryOperator.GreaterOrEqual, 3),
        TokenKind.Add => (BinaryOperator.Add, 4),
        TokenKind.Subtract => (BinaryOperator.Subtract, 4),
        TokenKind.Multiply => (BinaryOperator.Multiply, UnaryPrecedence),
        TokenKind.Divide => (BinaryOperator.Divide, UnaryPrecedence),
        TokenKind.Modulo => (BinaryOperator.Modulo, UnaryPrecedence),
        TokenKind.Atan2 => (BinaryOperator.Atan2, UnaryPrecedence),
        TokenKind.Power => (BinaryOperator.Power, PowerPrecedence),
        _ => null,
    };
}
