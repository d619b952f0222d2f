namespace Lm.Logs.Query;

/// <summary>A condition on a line's labels.</summary>
internal abstract record LabelCondition;

/// <summary>The comparisons of texts.</summary>
internal enum TextComparison
{
    /// <summary><c>=</c>.</summary>
    Equal,

    /// <summary><c>!=</c>.</summary>
    NotEqual,

    /// <summary><c>=~</c>, anchored.</summary>
    Match,

    /// <summary><c>!~</c>.</summary>
    NotMatch,
}

/// <summary><c>level="error"</c>.</summary>
internal sealed record TextCondition(string Label, TextComparison Comparison, string Value) : LabelCondition
{
    /// <summary>The operators in the order of <see cref="TextComparison"/>.</summary>
    public static readonly string[] Symbols = ["=", "!=", "=~", "!~"];

    public override string ToString() => $"{Label}{Symbols[(int)Comparison]}{QuotedString.Quote(Value)}";
}

/// <summary><c>size &gt; 20MB</c>.</summary>
internal sealed record QuantityCondition(string Label, BinaryOperation Comparison, QuantityKind Kind, double Value) : LabelCondition
{
    public override string ToString()
    {
        var value = Kind switch
        {
            QuantityKind.Duration => Quantity.PrintDuration(Value),
            QuantityKind.Bytes => Quantity.PrintBytes(Value),
            _ => Quantity.PrintNumber(Value),
        };
        return $"{Label} {Operations.SymbolOf(Comparison)} {value}";
    }
}

/// <summary><c>addr=ip("10.0.0.0/8")</c>.</summary>
internal sealed record AddressCondition(string Label, bool IsNegative, string Addresses) : LabelCondition
{
    public override string ToString() => $"{Label}{(IsNegative ? "!=" : "=")}ip({QuotedString.Quote(Addresses)})";
}

/// <summary>Both must hold.</summary>
internal sealed record BothConditions(LabelCondition Left, LabelCondition Right) : LabelCondition
{
    public override string ToString() => $"{(Left is EitherCondition ? $"({Left})" : Left)} and {(Right is BothConditions or EitherCondition ? $"({Right})" : Right)}";
}

/// <summary>One must hold.</summary>
internal sealed record EitherCondition(LabelCondition Left, LabelCondition Right) : LabelCondition
{
    public override string ToString() => $"{Left} or {(Right is EitherCondition ? $"({Right})" : Right)}";
}
