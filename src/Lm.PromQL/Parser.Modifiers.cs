namespace Lm.PromQL;

/// <content>What stands behind operators (<c>bool</c>, <c>on</c>, <c>group_left</c>) and around aggregations (<c>by</c>, <c>without</c>).</content>
internal sealed partial class Parser
{
    private static readonly VectorMatching PlainMatching = new(MatchCardinality.OneToOne, false, [], []);

    private bool ParseModifiers(out bool returnsBool, out VectorMatching matching)
    {
        matching = PlainMatching;
        returnsBool = TryTake(TokenKind.Bool);
        if (Peek is TokenKind.On or TokenKind.Ignoring)
        {
            var isOn = Take().Kind == TokenKind.On;
            if (!ParseLabelList(out var labels))
            {
                return false;
            }

            matching = new VectorMatching(MatchCardinality.OneToOne, isOn, labels, []);
            if (Peek is TokenKind.GroupLeft or TokenKind.GroupRight)
            {
                var cardinality = Take().Kind == TokenKind.GroupLeft ? MatchCardinality.ManyToOne : MatchCardinality.OneToMany;
                IReadOnlyList<string> include = [];
                if ((Peek == TokenKind.LeftParenthesis || !BeginsExpression(Peek)) && !ParseLabelList(out include))
                {
                    return false;
                }

                matching = matching with { Cardinality = cardinality, Include = include };
            }
        }

        if (Peek == TokenKind.Fill && !IsV2)
        {
            FailAt(PeekToken().Start, "binop fill modifiers are experimental and not enabled");
            return false;
        }

        return fault is null;
    }

    private bool ParseGrouping(out bool isWithout, out IReadOnlyList<string> labels)
    {
        isWithout = Take().Kind == TokenKind.Without;
        return ParseLabelList(out labels);
    }

    private bool ParseLabelList(out IReadOnlyList<string> labels)
    {
        const string context = "grouping opts";
        var names = new List<string>();
        labels = names;
        if (!TryTake(TokenKind.LeftParenthesis))
        {
            Unexpected(context, "\"(\"");
            return false;
        }

        while (!TryTake(TokenKind.RightParenthesis))
        {
            if (!ParseLabel(out var name))
            {
                return false;
            }

            names.Add(name);
            if (Peek is not (TokenKind.Comma or TokenKind.RightParenthesis))
            {
                Unexpected(context, "\",\" or \")\"");
                return false;
            }

            TryTake(TokenKind.Comma);
        }

        return fault is null;
    }

    private bool ParseLabel(out string name)
    {
        const string context = "grouping opts";
        var token = PeekToken();
        name = "";
        if (token.Kind == TokenKind.Text && !IsV2)
        {
            hasNext = false;
            name = QuotedText.Unquote(TextOf(token));
            if (name.Length == 0 || !GoText.IsValid(name))
            {
                FailAt(token.Start, $"invalid label name for grouping: {GoText.Quote(name)}");
                return false;
            }

            return true;
        }

        // Prometheus 2 has no colon in labels; without is the one word that is no label.
        if (!IsLabelName(token.Kind) || (token.Kind == TokenKind.MetricIdentifier && IsV2))
        {
            Unexpected(context, "label");
            return false;
        }

        hasNext = false;
        name = TextOf(token).ToString();
        return true;
    }

    private static bool IsLabelName(TokenKind kind) => kind is TokenKind.Identifier or TokenKind.MetricIdentifier or TokenKind.Atan2 or TokenKind.And or TokenKind.Or
        or TokenKind.Unless or TokenKind.Aggregation or TokenKind.ExperimentalAggregation or TokenKind.Bool or TokenKind.By or TokenKind.On or TokenKind.Ignoring
        or TokenKind.GroupLeft or TokenKind.GroupRight or TokenKind.Offset or TokenKind.RangeModifier or TokenKind.Fill or TokenKind.StartWord or TokenKind.EndWord
        or TokenKind.DurationWord;
}
