namespace Lm.Logs.Query;

/// <summary>Something that is done with a line: keep it or not, find labels in it, change it.</summary>
internal abstract record Stage;

/// <summary>What a line filter looks for.</summary>
internal enum LineFilterKind
{
    /// <summary><c>|=</c>.</summary>
    Contains,

    /// <summary><c>!=</c>.</summary>
    ContainsNot,

    /// <summary><c>|~</c>.</summary>
    Matches,

    /// <summary><c>!~</c>.</summary>
    MatchesNot,

    /// <summary><c>|&gt;</c>.</summary>
    Pattern,

    /// <summary><c>!&gt;</c>.</summary>
    PatternNot,
}

/// <summary><c>|= "a" or ip("10.0.0.0/8")</c>: lines that have one of the texts or an address of one of the ranges; the negated ones: lines that have none.</summary>
internal sealed record LineFilter(LineFilterKind Kind, EquatableList<string> Texts, EquatableList<string> Addresses) : Stage
{
    /// <summary>The operators in the order of <see cref="LineFilterKind"/>.</summary>
    public static readonly string[] Symbols = ["|=", "!=", "|~", "!~", "|>", "!>"];

    /// <summary>Whether lines that have it are left out.</summary>
    public bool IsNegative => Kind is LineFilterKind.ContainsNot or LineFilterKind.MatchesNot or LineFilterKind.PatternNot;

    public override string ToString() =>
        $"{Symbols[(int)Kind]} {string.Join(" or ", Texts.Select(QuotedString.Quote).Concat(Addresses.Select(static addresses => $"ip({QuotedString.Quote(addresses)})")))}";
}

/// <summary>A label and where its value stands.</summary>
internal sealed record Extraction(string Label, string Path)
{
    public override string ToString() => $"{Label}={QuotedString.Quote(Path)}";
}

/// <summary><c>| json</c>, <c>| json a="b.c"</c>.</summary>
internal sealed record JsonStage(EquatableList<Extraction> Extractions) : Stage
{
    public override string ToString() => "| json" + (Extractions.Count == 0 ? "" : " " + string.Join(", ", Extractions));
}

/// <summary><c>| logfmt --strict --keep-empty a="b"</c>.</summary>
internal sealed record LogfmtStage(bool IsStrict, bool KeepsEmpty, EquatableList<Extraction> Extractions) : Stage
{
    public override string ToString() =>
        $"| logfmt{(IsStrict ? " --strict" : "")}{(KeepsEmpty ? " --keep-empty" : "")}{(Extractions.Count == 0 ? "" : " " + string.Join(", ", Extractions))}";
}

/// <summary><c>| regexp "(?P&lt;a&gt;…)"</c>.</summary>
internal sealed record RegexpStage(string Expression) : Stage
{
    public override string ToString() => "| regexp " + QuotedString.Quote(Expression);
}

/// <summary><c>| pattern "&lt;a&gt; …"</c>.</summary>
internal sealed record PatternStage(string Pattern) : Stage
{
    public override string ToString() => "| pattern " + QuotedString.Quote(Pattern);
}

/// <summary><c>| unpack</c>.</summary>
internal sealed record UnpackStage : Stage
{
    public override string ToString() => "| unpack";
}

/// <summary><c>| status &gt;= 500</c>.</summary>
internal sealed record LabelFilterStage(LabelCondition Condition) : Stage
{
    public override string ToString() => "| " + Condition;
}

/// <summary><c>| line_format "…"</c>.</summary>
internal sealed record LineFormatStage(string Template) : Stage
{
    public override string ToString() => "| line_format " + QuotedString.Quote(Template);
}

/// <summary>A label that is made: from another's value, or from a template.</summary>
internal sealed record LabelFormat(string Label, string Value, bool IsTemplate)
{
    public override string ToString() => $"{Label}={(IsTemplate ? QuotedString.Quote(Value) : Value)}";
}

/// <summary><c>| label_format a=b, c="…"</c>.</summary>
internal sealed record LabelFormatStage(EquatableList<LabelFormat> Formats) : Stage
{
    public override string ToString() => "| label_format " + string.Join(", ", Formats);
}

/// <summary>A label by name, perhaps only with some values.</summary>
internal sealed record LabelPick(string Label, TextCondition? Condition)
{
    public override string ToString() => Condition is null ? Label : Condition.ToString();
}

/// <summary><c>| drop a, b="x"</c>.</summary>
internal sealed record DropStage(EquatableList<LabelPick> Picks) : Stage
{
    public override string ToString() => "| drop " + string.Join(", ", Picks);
}

/// <summary><c>| keep a, b="x"</c>.</summary>
internal sealed record KeepStage(EquatableList<LabelPick> Picks) : Stage
{
    public override string ToString() => "| keep " + string.Join(", ", Picks);
}

/// <summary><c>| decolorize</c>.</summary>
internal sealed record DecolorizeStage : Stage
{
    public override string ToString() => "| decolorize";
}
