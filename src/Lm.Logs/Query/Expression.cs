using System.Text;

namespace Lm.Logs.Query;

/// <summary>A query as a tree; printing it gives a query that means the same.</summary>
internal abstract record Expression;

/// <summary>Lines: a selector of streams and what is done with their lines.</summary>
internal sealed record LineSelection(EquatableList<StreamMatcher> Matchers, EquatableList<Stage> Stages) : Expression
{
    public override string ToString() => $"{{{string.Join(", ", Matchers)}}}{string.Concat(Stages.Select(stage => " " + stage))}";
}

/// <summary>Lines over a range of time → a number for each series.</summary>
internal sealed record RangeAggregation(
    RangeOperation Operation, double? Parameter, LineSelection Lines, Unwrap? Unwrap, long RangeMs, long OffsetMs, Grouping? Grouping) : Expression
{
    public override string ToString()
    {
        var text = new StringBuilder(Operations.NameOf(Operation)).Append('(');
        text.Append(Parameter is { } parameter ? Quantity.PrintNumber(parameter) + ", " : "").Append(Lines);
        text.Append(Unwrap is null ? "" : " " + Unwrap).Append(" [").Append(Quantity.PrintDuration(RangeMs * 1e6)).Append(']');
        text.Append(OffsetMs == 0 ? "" : " offset " + Quantity.PrintDuration(OffsetMs * 1e6)).Append(')');
        return text.Append(Grouping is null ? "" : " " + Grouping).ToString();
    }
}

/// <summary>Series → fewer series.</summary>
internal sealed record VectorAggregation(VectorOperation Operation, double? Parameter, Grouping? Grouping, Expression Inner) : Expression
{
    public override string ToString() =>
        $"{Operations.NameOf(Operation)}{(Grouping is null ? "" : $" {Grouping} ")}({(Parameter is { } parameter ? Quantity.PrintNumber(parameter) + ", " : "")}{Inner})";
}

/// <summary>Two sides and what is between them.</summary>
internal sealed record Binary(BinaryOperation Operation, Expression Left, Expression Right, bool ReturnsBool, Matching? Matching) : Expression
{
    public override string ToString() =>
        $"{Inside(Left)} {Operations.SymbolOf(Operation)}{(ReturnsBool ? " bool" : "")}{(Matching is null ? "" : " " + Matching)} {Inside(Right)}";

    private static string Inside(Expression side) => side is Binary ? $"({side})" : side.ToString()!;
}

/// <summary>A number.</summary>
internal sealed record NumberLiteral(double Value) : Expression
{
    public override string ToString() => Quantity.PrintNumber(Value);
}

/// <summary><c>vector(1)</c>: a series without labels.</summary>
internal sealed record VectorOf(double Value) : Expression
{
    public override string ToString() => $"vector({Quantity.PrintNumber(Value)})";
}

/// <summary><c>label_replace(v, "to", "$1", "from", "(.*)")</c>.</summary>
internal sealed record LabelReplace(Expression Inner, string Target, string Replacement, string Source, string Pattern) : Expression
{
    public override string ToString() =>
        $"label_replace({Inner}, {string.Join(", ", ((string[])[Target, Replacement, Source, Pattern]).Select(QuotedString.Quote))})";
}

/// <summary><c>by (a, b)</c>, <c>without (a)</c>.</summary>
internal sealed record Grouping(bool IsWithout, EquatableList<string> Names)
{
    public override string ToString() => $"{(IsWithout ? "without" : "by")} ({string.Join(", ", Names)})";
}

/// <summary>Which series of the two sides belong together.</summary>
/// <param name="IsOn">Only the names count; else all but the names.</param>
/// <param name="Names">The labels.</param>
/// <param name="Many">Which side may have several for one of the other.</param>
/// <param name="Include">Labels taken from the side of one.</param>
internal sealed record Matching(bool IsOn, EquatableList<string> Names, ManySide Many, EquatableList<string> Include)
{
    public override string ToString()
    {
        var text = $"{(IsOn ? "on" : "ignoring")} ({string.Join(", ", Names)})";
        return Many == ManySide.Neither ? text : $"{text} group_{(Many == ManySide.Left ? "left" : "right")} ({string.Join(", ", Include)})";
    }
}

/// <summary>Which side of an operation may have several series for one of the other.</summary>
internal enum ManySide
{
    /// <summary>None: one to one.</summary>
    Neither,

    /// <summary><c>group_left</c>.</summary>
    Left,

    /// <summary><c>group_right</c>.</summary>
    Right,
}

/// <summary>Which label gives the number, and how.</summary>
internal sealed record Unwrap(string Label, QuantityKind Kind, EquatableList<LabelCondition> Filters)
{
    public override string ToString()
    {
        var label = Kind switch { QuantityKind.Duration => $"duration({Label})", QuantityKind.Bytes => $"bytes({Label})", _ => Label };
        return $"| unwrap {label}{string.Concat(Filters.Select(filter => " | " + filter))}";
    }
}
