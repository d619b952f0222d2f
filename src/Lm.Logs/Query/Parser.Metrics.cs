namespace Lm.Logs.Query;

/// <content>Metric queries.</content>
internal sealed partial class Parser
{
    private const string Operands = "a selector as in {instance=\"web1\"}, an aggregation as in sum(rate({…}[5m])), a number or '('";

    // Operators of at least a strength; what binds more is read first.
    private Expression ReadExpression(int strengthMin)
    {
        CountPart();
        var start = Current.Start;
        var left = ReadOperand();
        while (Current.Kind is TokenKind.Symbol or TokenKind.Word && Operations.TryBinary(Current.Text, out var operation, out var strength) && strength >= strengthMin)
        {
            CountPart();
            var place = Current.Start;
            Advance();
            left = ReadBinary(operation, strength, left, start, place);
        }

        return left;
    }

    private Binary ReadBinary(BinaryOperation operation, int strength, Expression left, int start, int place)
    {
        var returnsBool = TakeWord("bool");
        if (returnsBool && !Operations.IsComparison(operation))
        {
            throw new LogSyntaxException(place, "bool is for comparisons alone (== != > >= < <=)");
        }

        var matching = ReadMatching();
        var rightStart = Current.Start;
        var right = ReadExpression(operation == BinaryOperation.Power ? strength : strength + 1);
        CheckOperand(left, start);
        CheckOperand(right, rightStart);
        if (Operations.IsSet(operation) && (left is NumberLiteral || right is NumberLiteral))
        {
            throw new LogSyntaxException(place, $"{Operations.SymbolOf(operation)} stands between series; one side is a number");
        }

        if (matching is not null && (left is NumberLiteral || right is NumberLiteral))
        {
            throw new LogSyntaxException(place, "on and ignoring stand between series; one side is a number");
        }

        return matching is { Many: not ManySide.Neither } && Operations.IsSet(operation)
            ? throw new LogSyntaxException(place, "group_left and group_right are for arithmetic and comparisons, not for and, or, unless")
            : new Binary(operation, left, right, returnsBool, matching);
    }

    private static void CheckOperand(Expression side, int start)
    {
        if (side is LineSelection)
        {
            throw new LogSyntaxException(start, "lines cannot be calculated with; make a number of them, as in count_over_time({…}[5m])");
        }
    }

    private Matching? ReadMatching()
    {
        var isOn = Current.IsWord("on");
        if (!isOn && !Current.IsWord("ignoring"))
        {
            return null;
        }

        Advance();
        var names = new EquatableList<string>(ReadNames());
        var many = Current.IsWord("group_left") ? ManySide.Left : Current.IsWord("group_right") ? ManySide.Right : ManySide.Neither;
        if (many == ManySide.Neither)
        {
            return new Matching(isOn, names, many, EquatableList<string>.Empty);
        }

        Advance();
        return new Matching(isOn, names, many, Current.Is("(") ? new EquatableList<string>(ReadNames()) : EquatableList<string>.Empty);
    }

    private Expression ReadOperand()
    {
        var token = Current;
        if (token.Is("{"))
        {
            return ReadLines();
        }

        if (token.Kind == TokenKind.Amount || token.Is("-") || token.Is("+"))
        {
            return new NumberLiteral(ReadNumber("a number"));
        }

        if (Take("("))
        {
            var inside = ReadExpression(0);
            Expect(")", "')' or an operator");
            return inside;
        }

        if (token.Kind != TokenKind.Word)
        {
            throw Unexpected(Operands);
        }

        Advance();
        return Operations.TryRange(token.Text, out var range) ? ReadRange(range, token)
            : Operations.TryVector(token.Text, out var vector) ? ReadVector(vector, token)
            : token.Text switch
            {
                "vector" => ReadVectorOf(),
                "label_replace" => ReadLabelReplace(),
                _ => throw new LogSyntaxException(token.Start,
                    $"found {token.Shown}, expected {Operands}; the aggregations are {Operations.RangeNames}; {Operations.VectorNames}; and the functions vector and label_replace"),
            };
    }

    private RangeAggregation ReadRange(RangeOperation operation, Token name)
    {
        Expect("(");
        double? parameter = null;
        if (operation == RangeOperation.Quantile)
        {
            parameter = ReadNumber("the quantile, a number from 0 to 1");
            Expect(",");
        }

        var isInParentheses = Take("(");
        if (!Current.Is("{"))
        {
            throw Unexpected("a selector as in {instance=\"web1\"}");
        }

        var matchers = ReadMatchers(mayBeEmpty: false);
        var stages = new List<Stage>();
        ReadStages(stages);
        var unwrap = ReadUnwrap();
        if (isInParentheses)
        {
            Expect(")");
        }

        var (range, offset) = ReadWindow(isThere: false);
        if (range == 0)
        {
            throw Unexpected("a stage, or the range as in [5m]");
        }

        // {…}[5m] | json is allowed, too.
        if (unwrap is null)
        {
            ReadStages(stages);
            unwrap = ReadUnwrap();
        }

        offset = offset == 0 ? ReadOffset() : offset;
        Expect(")", "offset or ')'");
        var grouping = ReadGrouping();
        CheckRange(operation, name, unwrap, grouping);
        return new RangeAggregation(
            operation, parameter, new LineSelection(matchers, new EquatableList<Stage>(stages)), unwrap, range, offset, grouping);
    }

    private static void CheckRange(RangeOperation operation, Token name, Unwrap? unwrap, Grouping? grouping)
    {
        if (unwrap is null && Operations.NeedsUnwrap(operation))
        {
            throw new LogSyntaxException(name.Start, $"{name.Text} is about a label's numbers: it needs | unwrap label before the range");
        }

        if (unwrap is not null && !Operations.NeedsUnwrap(operation) && operation is not (RangeOperation.Rate or RangeOperation.Absent))
        {
            throw new LogSyntaxException(name.Start, $"{name.Text} is about lines: it takes no | unwrap");
        }

        if (grouping is not null && !Operations.TakesGrouping(operation))
        {
            throw new LogSyntaxException(name.Start, $"{name.Text} takes no by or without; write sum by (…) ({name.Text}(…))");
        }
    }

    private (long RangeMs, long OffsetMs) ReadWindow(bool isThere)
    {
        if (!isThere && !Current.Is("["))
        {
            return (0, 0);
        }

        Expect("[");
        var start = Current.Start;
        var range = ReadDurationMs();
        if (range <= 0)
        {
            throw new LogSyntaxException(start, "the range must be longer than nothing, at least 1ms");
        }

        if (Take(":"))
        {
            throw Unexpected("']'");
        }

        Expect("]");
        return (range, ReadOffset());
    }

    private long ReadOffset() => TakeWord("offset") ? ReadDurationMs() : 0;

    private long ReadDurationMs()
    {
        const double yearMs = 365.0 * 86_400_000;
        var sign = Take("-") ? -1 : 1;
        var token = Current;
        if (token.Kind != TokenKind.Amount || !Quantity.TryDuration(System.Text.Encoding.UTF8.GetBytes(token.Text), out var nanoseconds)
            || Math.Abs(nanoseconds / 1e6) > 200 * yearMs)
        {
            throw Unexpected("a duration as 5m or 1h30m, at most 200y");
        }

        Advance();
        return sign * (long)Math.Round(nanoseconds / 1e6);
    }

    private Unwrap? ReadUnwrap()
    {
        if (!Current.Is("|") || !Next.IsWord("unwrap"))
        {
            return null;
        }

        at += 2;
        var word = Current;
        var label = ReadName("the label whose numbers are taken, or duration(label), bytes(label)");
        var kind = QuantityKind.Number;
        if (Take("("))
        {
            kind = word.Text switch
            {
                "duration" or "duration_seconds" => QuantityKind.Duration,
                "bytes" => QuantityKind.Bytes,
                _ => throw new LogSyntaxException(word.Start, $"found {word.Shown}, expected duration, duration_seconds or bytes"),
            };
            label = ReadName("a label's name");
            Expect(")");
        }

        var filters = new List<LabelCondition>();
        while (Take("|"))
        {
            filters.Add(ReadCondition());
            CheckCount(filters.Count);
        }

        return new Unwrap(label, kind, new EquatableList<LabelCondition>(filters));
    }

    private VectorAggregation ReadVector(VectorOperation operation, Token name)
    {
        var grouping = ReadGrouping();
        Expect("(", "'(', by or without");
        double? parameter = null;
        if (operation is VectorOperation.Top or VectorOperation.Bottom)
        {
            var start = Current.Start;
            parameter = ReadNumber("how many series, a number");
            if (parameter is not (>= 1 and <= 1_000_000) || parameter != Math.Floor(parameter.Value))
            {
                throw new LogSyntaxException(start, $"{name.Text} takes a whole number from 1 to 1000000");
            }

            Expect(",");
        }

        var inner = ReadSeries();
        Expect(")", "')' or an operator");
        grouping ??= ReadGrouping();
        return grouping is not null && operation is VectorOperation.Sort or VectorOperation.SortDescending && grouping is not null
            ? throw new LogSyntaxException(name.Start, $"{name.Text} takes no by or without")
            : new VectorAggregation(operation, parameter, grouping, inner);
    }

    // An expression that gives series.
    private Expression ReadSeries()
    {
        var start = Current.Start;
        var inner = ReadExpression(0);
        return inner switch
        {
            LineSelection => throw new LogSyntaxException(start, "found lines, expected series: make a number of the lines, as in count_over_time({…}[5m])"),
            _ when IsScalar(inner) => throw new LogSyntaxException(start, "found a number, expected series, as vector(1)"),
            _ => inner,
        };
    }

    private static bool IsScalar(Expression expression) => expression is NumberLiteral || (expression is Binary binary && IsScalar(binary.Left) && IsScalar(binary.Right));

    private Grouping? ReadGrouping()
    {
        var isWithout = Current.IsWord("without");
        if (!isWithout && !Current.IsWord("by"))
        {
            return null;
        }

        Advance();
        return new Grouping(isWithout, new EquatableList<string>(ReadNames()));
    }

    private VectorOf ReadVectorOf()
    {
        Expect("(");
        var number = ReadNumber("a number");
        Expect(")");
        return new VectorOf(number);
    }

    private LabelReplace ReadLabelReplace()
    {
        Expect("(");
        var inner = ReadSeries();
        Expect(",");
        var target = ReadArgument("the label that is made");
        Expect(",");
        var replacement = ReadArgument("its value, with $1 for what the first group caught");
        Expect(",");
        var source = ReadArgument("the label that is looked at");
        Expect(",");
        var start = Current.Start;
        var pattern = ReadArgument("a regular expression");
        Expect(")");
        return !LabelNames.IsValid(target) ? throw new LogSyntaxException(start, $"{QuotedString.Quote(target)} is no label's name: letters, digits and _ are allowed")
            : !Lm.Platform.AnchoredRegex.TryParse(pattern, out _, out var fault) ? throw new LogSyntaxException(start, fault)
            : new LabelReplace(inner, target, replacement, source, pattern);
    }

    private string ReadArgument(string what) => ReadText(what + " in quotes");
}
