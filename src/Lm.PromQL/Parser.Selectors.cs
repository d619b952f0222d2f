using Lm.Tsdb;

namespace Lm.PromQL;

/// <content>Selectors, ranges, subqueries, <c>offset</c>, <c>@</c>.</content>
internal sealed partial class Parser
{
    private Expression? ParsePostfix()
    {
        var inner = ParsePrimary();
        while (inner is not null)
        {
            switch (Peek)
            {
                case TokenKind.LeftBracket:
                    inner = ParseBrackets(inner);
                    break;
                case TokenKind.Offset:
                    hasNext = false;
                    inner = ParseOffset(inner);
                    break;
                case TokenKind.At:
                    hasNext = false;
                    inner = ParseAt(inner);
                    break;
                case TokenKind.RangeModifier:
                    FailAt(inner.Place.Start, $"{TextOf(PeekToken()).ToString().ToLowerInvariant()} modifier is experimental and not enabled");
                    return null;
                default:
                    return fault is null ? inner : null;
            }
        }

        return null;
    }

    // A keyword can be a metric's name where it cannot be anything else.
    private static bool IsMetricName(TokenKind kind) => kind is TokenKind.Identifier or TokenKind.MetricIdentifier or TokenKind.Aggregation
        or TokenKind.ExperimentalAggregation or TokenKind.By or TokenKind.Without or TokenKind.And or TokenKind.Or or TokenKind.Unless or TokenKind.Offset
        or TokenKind.StartWord or TokenKind.EndWord or TokenKind.DurationWord or TokenKind.RangeModifier;

    private VectorSelector? ParseSelector() => Peek == TokenKind.LeftBrace ? ParseMatchers("", PeekToken().Start) : ParseSelector(Take());

    private VectorSelector? ParseSelector(Token name)
    {
        var word = TextOf(name).ToString();
        return Peek == TokenKind.LeftBrace
            ? ParseMatchers(word, name.Start)
            : new VectorSelector(word, [LabelMatcher.Equal(LabelSet.MetricNameLabel, word)], TimeShift.None, PlaceOf(name));
    }

    private VectorSelector? ParseMatchers(string name, int start)
    {
        const string context = "label matching";
        hasNext = false; // the brace
        var matchers = new List<LabelMatcher>();
        Token close;
        while (true)
        {
            if (Peek == TokenKind.RightBrace)
            {
                close = Take();
                break;
            }

            if (ParseMatcher() is not { } matcher)
            {
                return null;
            }

            matchers.Add(matcher);
            if (Peek is not (TokenKind.Comma or TokenKind.RightBrace))
            {
                Unexpected(context, "\",\" or \"}\"");
                return null;
            }

            TryTake(TokenKind.Comma);
        }

        if (name.Length > 0)
        {
            matchers.Add(LabelMatcher.Equal(LabelSet.MetricNameLabel, name));
        }

        return new VectorSelector(name, matchers, TimeShift.None, places.Between(start, close.End));
    }

    private LabelMatcher? ParseMatcher()
    {
        const string context = "label matching";
        var label = PeekToken();
        if (label.Kind != TokenKind.Identifier && (label.Kind != TokenKind.Text || IsV2))
        {
            Unexpected(context, "identifier or \"}\"");
            return null;
        }

        hasNext = false;
        var isQuoted = label.Kind == TokenKind.Text;
        var name = isQuoted ? QuotedText.Unquote(TextOf(label)) : TextOf(label).ToString();
        MatchKind? kind = Peek switch
        {
            TokenKind.Assign => MatchKind.Equal,
            TokenKind.NotEqual => MatchKind.NotEqual,
            TokenKind.Matches => MatchKind.Regex,
            TokenKind.MatchesNot => MatchKind.NotRegex,
            _ => null,
        };
        if (kind is null)
        {
            if (isQuoted)
            {
                return LabelMatcher.Equal(LabelSet.MetricNameLabel, name); // {"a.metric"}
            }

            Unexpected(context, "label matching operator");
            return null;
        }

        hasNext = false;
        var value = PeekToken();
        if (value.Kind != TokenKind.Text)
        {
            Unexpected(context, "string");
            return null;
        }

        hasNext = false;
        if (!LabelMatcher.TryCreate(kind.Value, name, QuotedText.Unquote(TextOf(value)), out var matcher, out var reason))
        {
            // 2.42 anchors without the flag.
            FailAt(label.Start, IsV2 ? reason.Replace("`^(?s:", "`^(?:", StringComparison.Ordinal) : reason);
            return null;
        }

        return matcher;
    }

    private Expression? ParseBrackets(Expression inner)
    {
        var open = Take();
        var isSubquery = false;
        if (!ParseRange(out var rangeMs))
        {
            return null;
        }

        long stepMs = 0;
        if (TryTake(TokenKind.Colon))
        {
            isSubquery = true;
            if (Peek != TokenKind.RightBracket && !ParseStep(out stepMs))
            {
                return null;
            }
        }

        if (Peek != TokenKind.RightBracket)
        {
            Unexpected(isSubquery ? "subquery selector" : "subquery or range", isSubquery ? "\"]\"" : "\":\" or \"]\"");
            return null;
        }

        var close = Take();
        var place = places.Between(inner.Place.Start, close.End);
        if (isSubquery)
        {
            height++;
            return height > PromParser.DepthMax ? TooDeep() : new Subquery(inner, rangeMs, stepMs, TimeShift.None, place);
        }

        if (FaultOfRange(inner) is { } reason)
        {
            FailAt(open.Start, reason);
            return null;
        }

        return new MatrixSelector((VectorSelector)inner, rangeMs, place);
    }

    private string? FaultOfRange(Expression inner)
    {
        if (inner is not VectorSelector selector)
        {
            return "ranges only allowed for vector selectors";
        }

        if (selector.Shift.OffsetMs != 0)
        {
            return "no offset modifiers allowed before range";
        }

        return selector.Shift.Pin == TimePin.At || (selector.Shift.Pin != TimePin.None && !IsV2) ? "no @ modifiers allowed before range" : null;
    }

    private bool ParseRange(out long milliseconds) => ParsePositiveDuration(
        IsV2 ? "subquery selector" : "subquery or range selector", IsV2 ? "duration" : "number, duration, step(), or range()", out milliseconds);

    private bool ParseStep(out long milliseconds) => ParsePositiveDuration(
        "subquery selector", IsV2 ? "duration or \"]\"" : "number, duration, step(), range(), or \"]\"", out milliseconds);

    private bool ParsePositiveDuration(string context, string expected, out long milliseconds)
    {
        milliseconds = 0;
        if (IsV2)
        {
            var token = PeekToken();
            if (token.Kind != TokenKind.Duration)
            {
                Unexpected(context, expected);
                return false;
            }

            hasNext = false;
            return TryReadDuration(token, out milliseconds);
        }

        if (ParseDurationNumber(context, expected) is not { } number)
        {
            return false;
        }

        // 1 + 2 inside brackets is an experiment of Prometheus 3.
        if (OperatorOf(Peek) is not null)
        {
            FailAt(number.Place.Start, "experimental duration expression is not enabled");
            return false;
        }

        if (fault is null && number.Value <= 0)
        {
            FailAt(number.Place.Start, "duration must be greater than 0");
        }

        milliseconds = MillisecondsOf(number.Value);
        return fault is null;
    }

    private NumberLiteral? ParseDurationNumber(string context, string expected)
    {
        var token = PeekToken();
        var isMinus = false;
        while (PeekToken().Kind is TokenKind.Add or TokenKind.Subtract)
        {
            isMinus ^= Take().Kind == TokenKind.Subtract;
        }

        var word = PeekToken();
        if (word.Kind is TokenKind.DurationWord or TokenKind.LeftParenthesis)
        {
            FailAt(word.Start, "experimental duration expression is not enabled");
            return null;
        }

        if (word.Kind is not (TokenKind.Number or TokenKind.Duration))
        {
            Unexpected(context, expected);
            return null;
        }

        hasNext = false;
        if (ParseNumber(word) is not { } number)
        {
            return null;
        }

        // Of Go's nanoseconds in 64 bits.
        if (!(Math.Abs(number.Value) <= long.MaxValue / 1e9))
        {
            FailAt(word.Start, "duration out of range");
            return null;
        }

        return number with { Value = isMinus ? -number.Value : number.Value, Place = places.Between(token.Start, word.End) };
    }

    private static long MillisecondsOf(double seconds) => (long)(Int128)Math.Round(seconds * 1e9, MidpointRounding.AwayFromZero) / 1_000_000;

    private Expression? ParseOffset(Expression inner)
    {
        long offsetMs;
        if (IsV2)
        {
            var isMinus = TryTake(TokenKind.Subtract);
            var token = PeekToken();
            if (token.Kind != TokenKind.Duration)
            {
                Unexpected("offset", "duration");
                return null;
            }

            hasNext = false;
            if (!TryReadDuration(token, out offsetMs))
            {
                return null;
            }

            offsetMs = isMinus ? -offsetMs : offsetMs;
        }
        else
        {
            if (ParseDurationNumber("offset", "number, duration, step(), or range()") is not { } number)
            {
                return null;
            }

            offsetMs = MillisecondsOf(number.Value);
        }

        return Shifted(inner, "offset modifier", shift =>
        {
            if (shift.OffsetMs != 0)
            {
                FailAt(inner.Place.Start, "offset may not be set multiple times");
            }

            return shift with { OffsetMs = offsetMs };
        });
    }

    private Expression? ParseAt(Expression inner)
    {
        if (Peek is TokenKind.StartWord or TokenKind.EndWord)
        {
            var pin = Take().Kind == TokenKind.StartWord ? TimePin.Start : TimePin.End;
            if (!TryTake(TokenKind.LeftParenthesis) || !TryTake(TokenKind.RightParenthesis))
            {
                Unexpected("@", "timestamp");
                return null;
            }

            return Pinned(inner, pin, 0);
        }

        var isMinus = false;
        if (Peek is TokenKind.Add or TokenKind.Subtract)
        {
            isMinus = Take().Kind == TokenKind.Subtract;
        }

        var token = PeekToken();
        if (token.Kind != TokenKind.Number && (token.Kind != TokenKind.Duration || IsV2))
        {
            Unexpected("@", "timestamp");
            return null;
        }

        hasNext = false;
        if (ParseNumber(token) is not { } number)
        {
            return null;
        }

        var seconds = isMinus ? -number.Value : number.Value;
        if (!(Math.Abs(seconds) < long.MaxValue))
        {
            FailAt(inner.Place.Start, $"timestamp out of bounds for @ modifier: {Fixed(seconds)}");
            return null;
        }

        return Pinned(inner, TimePin.At, (long)Int128.Clamp((Int128)Math.Round(seconds * 1000, MidpointRounding.AwayFromZero), long.MinValue, long.MaxValue));
    }

    // Go's %f.
    private static string Fixed(double value) => double.IsNaN(value) ? "NaN" : double.IsInfinity(value) ? value > 0 ? "+Inf" : "-Inf"
        : value.ToString("F6", System.Globalization.CultureInfo.InvariantCulture);

    private Expression? Pinned(Expression inner, TimePin pin, long milliseconds) => Shifted(inner, "@ modifier", shift =>
    {
        if (shift.Pin != TimePin.None)
        {
            FailAt(inner.Place.Start, "@ <timestamp> may not be set multiple times");
        }

        return shift with { Pin = pin, PinnedMs = milliseconds };
    });

    private Expression? Shifted(Expression inner, string what, Func<TimeShift, TimeShift> change)
    {
        var place = places.Between(inner.Place.Start, lastClosing);
        Expression? shifted = inner switch
        {
            VectorSelector selector => selector with { Shift = change(selector.Shift), Place = place },
            MatrixSelector matrix => matrix with { Selector = matrix.Selector with { Shift = change(matrix.Selector.Shift) }, Place = place },
            Subquery subquery => subquery with { Shift = change(subquery.Shift), Place = place },
            _ => null,
        };
        if (shifted is null)
        {
            FailAt(inner.Place.Start, $"{what} must be preceded by an instant vector selector or range vector selector or a subquery");
        }

        return fault is null ? shifted : null;
    }
}
