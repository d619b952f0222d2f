using Lm.Logs.Query.Templates;
using Lm.Platform;

namespace Lm.Logs.Query;

/// <content>Stages and label filters.</content>
internal sealed partial class Parser
{
    private const string StageNames =
        "json, logfmt, regexp, pattern, unpack, line_format, label_format, drop, keep, decolorize, unwrap (in metric queries), or a label filter as in status >= 500";

    // Until something that is no stage follows; unwrap is not one of lines.
    private void ReadStages(List<Stage> stages)
    {
        while (true)
        {
            var filter = Current.Kind == TokenKind.Symbol ? Array.IndexOf(LineFilter.Symbols, Current.Text) : -1;
            if (filter >= 0)
            {
                Advance();
                stages.Add(ReadLineFilter((LineFilterKind)filter));
            }
            else if (Current.Is("|") && !Next.IsWord("unwrap"))
            {
                Advance();
                stages.Add(ReadStage());
            }
            else
            {
                return;
            }

            CheckCount(stages.Count);
        }
    }

    private LineFilter ReadLineFilter(LineFilterKind kind)
    {
        var texts = new List<string>();
        var addresses = new List<string>();
        do
        {
            var token = Current;
            if (token.IsWord("ip"))
            {
                addresses.Add(kind is LineFilterKind.Contains or LineFilterKind.ContainsNot
                    ? ReadAddresses()
                    : throw new LogSyntaxException(token.Start, "ip(\"…\") stands behind |= and != alone"));
            }
            else
            {
                var text = ReadText("a text in quotes");
                Check(kind, text, token.Start);
                texts.Add(text);
            }

            CheckCount(texts.Count + addresses.Count);
        }
        while (TakeWord("or"));
        return new LineFilter(kind, new EquatableList<string>(texts), new EquatableList<string>(addresses));
    }

    private string ReadAddresses()
    {
        Advance();
        Expect("(");
        var start = Current.Start;
        var text = ReadText("an address, a prefix as 10.0.0.0/8 or a range as 10.0.0.1-10.0.0.9, in quotes");
        Expect(")");
        return AddressRange.TryParse(text, out _)
            ? text
            : throw new LogSyntaxException(start, $"{QuotedString.Quote(text)} is neither an address nor a prefix as 10.0.0.0/8 nor a range as 10.0.0.1-10.0.0.9");
    }

    private static void Check(LineFilterKind kind, string text, int start)
    {
        var fault = "";
        var isGood = kind switch
        {
            LineFilterKind.Matches or LineFilterKind.MatchesNot => SearchRegex.TryParse(text, out _, out fault),
            LineFilterKind.Pattern or LineFilterKind.PatternNot => LinePattern.TryParse(text, isFilter: true, out _, out fault),
            _ => true,
        };
        if (!isGood)
        {
            throw new LogSyntaxException(start, fault);
        }
    }

    private Stage ReadStage()
    {
        if (Current.Is("("))
        {
            return new LabelFilterStage(ReadCondition());
        }

        if (Current.Kind != TokenKind.Word)
        {
            throw Unexpected(StageNames);
        }

        // A label may be called json, too: then an operator follows.
        var isFilter = Next.Kind == TokenKind.Symbol && Next.Text is "=" or "!=" or "=~" or "!~" or "==" or ">" or "<" or ">=" or "<=";
        return isFilter && !StartsLineFilter() ? new LabelFilterStage(ReadCondition()) : ReadNamedStage();
    }

    // In "| json != "x"" a line filter follows, as in Loki.
    private bool StartsLineFilter() => Next.Text is "!=" or "!~" && Current.Text is "json" or "logfmt" or "unpack" or "decolorize";

    private Stage ReadNamedStage()
    {
        var name = Current;
        Advance();
        switch (name.Text)
        {
            case "json":
                return new JsonStage(ReadExtractions(static path => JsonPath.TryParse(path, out _), "a path as in a.b[0][\"c d\"]"));
            case "logfmt":
                var (isStrict, keepsEmpty) = ReadLogfmtFlags();
                return new LogfmtStage(isStrict, keepsEmpty, ReadExtractions(static path => path.Length > 0, "a key"));
            case "regexp":
                return new RegexpStage(ReadRegexp());
            case "pattern":
                var start = Current.Start;
                var pattern = ReadText("a pattern in quotes, as in \"<ip> - <method>\"");
                return LinePattern.TryParse(pattern, isFilter: false, out _, out var fault) ? new PatternStage(pattern) : throw new LogSyntaxException(start, fault);
            case "unpack":
                return new UnpackStage();
            case "decolorize":
                return new DecolorizeStage();
            case "line_format":
                return new LineFormatStage(ReadTemplate("a template in quotes, as in \"{{.status}} {{.path}}\""));
            case "label_format":
                return new LabelFormatStage(ReadFormats());
            case "drop":
                return new DropStage(ReadPicks());
            case "keep":
                return new KeepStage(ReadPicks());
            default:
                at--;
                throw Next.Kind == TokenKind.Symbol || Next.Kind == TokenKind.End
                    ? new LogSyntaxException(name.Start, $"found {name.Shown}, expected {StageNames}")
                    : new LogSyntaxException(Next.Start, $"found {Next.Shown}, expected a comparison (= != =~ !~ == > >= < <=) after the label {name.Text}");
        }
    }

    private (bool IsStrict, bool KeepsEmpty) ReadLogfmtFlags()
    {
        var (isStrict, keepsEmpty) = (false, false);
        while (Take("--"))
        {
            if (TakeWord("strict"))
            {
                isStrict = true;
            }
            else if (Current.IsWord("keep") && Next.Is("-") && tokens[at + 2].IsWord("empty"))
            {
                keepsEmpty = true;
                at += 3;
            }
            else
            {
                throw Unexpected("strict or keep-empty");
            }
        }

        return (isStrict, keepsEmpty);
    }

    private EquatableList<Extraction> ReadExtractions(Func<string, bool> isPath, string what)
    {
        var extractions = new List<Extraction>();
        while (Current.Kind == TokenKind.Word)
        {
            var label = Current.Text;
            Advance();
            var path = Current.Is("=") ? null : label;
            if (path is null)
            {
                Advance();
                var start = Current.Start;
                path = ReadText(what + " in quotes");
                if (!isPath(path))
                {
                    throw new LogSyntaxException(start, $"{QuotedString.Quote(path)} is not {what}");
                }
            }

            extractions.Add(new Extraction(label, path));
            CheckCount(extractions.Count);
            if (!Take(","))
            {
                break;
            }

            if (Current.Kind != TokenKind.Word)
            {
                throw Unexpected("a label's name");
            }
        }

        return new EquatableList<Extraction>(extractions);
    }

    private string ReadRegexp()
    {
        var start = Current.Start;
        var text = ReadText("a regular expression in quotes");
        if (!SearchRegex.TryParse(text, out var regex, out var fault))
        {
            throw new LogSyntaxException(start, fault);
        }

        var names = regex!.GroupNames.Where(name => name.Length > 0).ToArray();
        if (names.Length == 0)
        {
            throw new LogSyntaxException(start, "at least one group needs a name that becomes a label, as in (?P<status>\\d+)");
        }

        var bad = Array.Find(names, name => !LabelNames.IsValid(name)) ?? names.GroupBy(name => name, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1)?.Key;
        return bad is null ? text : throw new LogSyntaxException(start, $"the group's name {QuotedString.Quote(bad)} is used twice, or has other than letters, digits and _");
    }

    private string ReadTemplate(string what)
    {
        var start = Current.Start;
        var text = ReadText(what);
        return Template.TryParse(text, out _, out var fault) ? text : throw new LogSyntaxException(start, fault);
    }

    private EquatableList<LabelFormat> ReadFormats()
    {
        var formats = new List<LabelFormat>();
        do
        {
            var name = Current;
            var label = ReadName("the name of the label that is made, as in label_format a=b, c=\"{{.d}}\"");
            if (formats.Exists(format => format.Label == label))
            {
                throw new LogSyntaxException(name.Start, $"label_format makes {label} twice; only once is allowed");
            }

            if (label == LabelNames.Error)
            {
                throw new LogSyntaxException(name.Start, $"{label} cannot be formatted");
            }

            Expect("=");
            formats.Add(Current.Kind == TokenKind.Word
                ? new LabelFormat(label, ReadName("a label"), IsTemplate: false)
                : new LabelFormat(label, ReadTemplate("another label's name, or a template in quotes"), IsTemplate: true));
            CheckCount(formats.Count);
        }
        while (Take(","));
        return new EquatableList<LabelFormat>(formats);
    }

    private EquatableList<LabelPick> ReadPicks()
    {
        var picks = new List<LabelPick>();
        do
        {
            var isCondition = Next.Kind == TokenKind.Symbol && Array.IndexOf(TextCondition.Symbols, Next.Text) >= 0
                && tokens[Math.Min(at + 2, tokens.Count - 1)].Kind == TokenKind.Text;
            if (isCondition)
            {
                var condition = ReadTextCondition();
                picks.Add(new LabelPick(condition.Label, condition));
            }
            else
            {
                picks.Add(new LabelPick(ReadName("a label's name"), null));
            }

            CheckCount(picks.Count);
        }
        while (Take(","));
        return new EquatableList<LabelPick>(picks);
    }

    private LabelCondition ReadCondition()
    {
        CountPart();
        var left = ReadConjunction();
        while (TakeWord("or"))
        {
            CountPart();
            left = new EitherCondition(left, ReadConjunction());
        }

        return left;
    }

    private LabelCondition ReadConjunction()
    {
        var left = ReadSingleCondition();
        while (true)
        {
            var hasWord = TakeWord("and") || Take(",");
            if (!hasWord && !Current.Is("(") && (Current.Kind != TokenKind.Word || Current.IsWord("or")))
            {
                return left;
            }

            CountPart();
            left = new BothConditions(left, ReadSingleCondition());
        }
    }

    private LabelCondition ReadSingleCondition()
    {
        if (Take("("))
        {
            var inside = ReadCondition();
            Expect(")", "')', and, or");
            return inside;
        }

        if (Current.Kind != TokenKind.Word)
        {
            throw Unexpected("a label's name or '('");
        }

        var value = tokens[Math.Min(at + 2, tokens.Count - 1)];
        return value.Kind == TokenKind.Text ? ReadTextCondition() : ReadQuantityCondition();
    }

    private TextCondition ReadTextCondition()
    {
        var label = ReadName("a label's name");
        var comparison = Array.IndexOf(TextCondition.Symbols, Current.Text);
        if (Current.Kind != TokenKind.Symbol || comparison < 0)
        {
            throw Unexpected("one of = != =~ !~ before a text; other comparisons are for numbers, durations and sizes");
        }

        Advance();
        var start = Current.Start;
        var value = ReadText("a text in quotes");
        return comparison >= (int)TextComparison.Match && !AnchoredRegex.TryParse(value, out _, out var fault)
            ? throw new LogSyntaxException(start, fault)
            : new TextCondition(label, (TextComparison)comparison, value);
    }

    private LabelCondition ReadQuantityCondition()
    {
        var label = ReadName("a label's name");
        var symbol = Current.Text == "=" ? "==" : Current.Text;
        if (Current.Kind != TokenKind.Symbol || !Operations.TryBinary(symbol, out var comparison, out _) || !Operations.IsComparison(comparison))
        {
            throw Unexpected($"a comparison (= != =~ !~ == > >= < <=) after the label {label}");
        }

        Advance();
        if (Current.IsWord("ip"))
        {
            return comparison is BinaryOperation.Equal or BinaryOperation.NotEqual
                ? new AddressCondition(label, comparison == BinaryOperation.NotEqual, ReadAddresses())
                : throw new LogSyntaxException(Current.Start, "ip(\"…\") is compared with = and != alone");
        }

        var sign = Take("-") ? -1 : 1;
        var token = Current;
        var text = System.Text.Encoding.UTF8.GetBytes(token.Text);
        Advance();
        return token.Kind != TokenKind.Amount ? throw BadAmount(token)
            : Quantity.TryNumber(text, out var number) ? new QuantityCondition(label, comparison, QuantityKind.Number, sign * number)
            : !Quantity.LooksLikeBytes(token.Text) && Quantity.TryDuration(text, out var nanoseconds) ? new QuantityCondition(label, comparison, QuantityKind.Duration, sign * Math.Round(nanoseconds))
            : Quantity.TryBytes(text, out var bytes) ? new QuantityCondition(label, comparison, QuantityKind.Bytes, sign * bytes)
            : throw BadAmount(token);
    }

    private static LogSyntaxException BadAmount(Token token) =>
        new(token.Start, $"found {token.Shown}, expected a text in quotes, a number, a duration as 1.5s or a size as 20MB");
}
