using System.Globalization;
using System.Text;
using Lm.Tsdb;

namespace Lm.PromQL;

/// <summary>Expressions as text, as Prometheus prints them: on one line, with its blanks and its order of matchers.</summary>
public static class ExpressionText
{
    /// <summary>Prints an expression as Prometheus 3 does.</summary>
    public static string Format(Expression expression) => Format(expression, PromSemantics.V3);

    /// <summary>Prints an expression; 2.42 writes large numbers with an exponent and leaves out <c>ignoring ()</c>.</summary>
    public static string Format(Expression expression, PromSemantics semantics)
    {
        var text = new StringBuilder();
        Append(text, expression, semantics);
        return text.ToString();
    }

    /// <summary>An operator as it is written.</summary>
    public static string SymbolOf(BinaryOperator symbol) => symbol switch
    {
        BinaryOperator.Add => "+",
        BinaryOperator.Subtract => "-",
        BinaryOperator.Multiply => "*",
        BinaryOperator.Divide => "/",
        BinaryOperator.Modulo => "%",
        BinaryOperator.Power => "^",
        BinaryOperator.Atan2 => "atan2",
        BinaryOperator.Equal => "==",
        BinaryOperator.NotEqual => "!=",
        BinaryOperator.Less => "<",
        BinaryOperator.LessOrEqual => "<=",
        BinaryOperator.Greater => ">",
        BinaryOperator.GreaterOrEqual => ">=",
        BinaryOperator.And => "and",
        BinaryOperator.Or => "or",
        _ => "unless",
    };

    /// <summary>An aggregation as it is written.</summary>
    public static string NameOf(AggregationOperator aggregation) =>
        aggregation == AggregationOperator.CountValues ? "count_values" : aggregation.ToString().ToLowerInvariant();

    private static void Append(StringBuilder text, Expression expression, PromSemantics semantics)
    {
        switch (expression)
        {
            case NumberLiteral number:
                text.Append(TextOf(number, semantics));
                break;
            case TextLiteral literal:
                text.Append(GoText.Quote(literal.Value));
                break;
            case Parenthesized parenthesized:
                text.Append('(');
                Append(text, parenthesized.Inner, semantics);
                text.Append(')');
                break;
            case VectorSelector selector:
                AppendSelector(text, selector);
                AppendShift(text, selector.Shift);
                break;
            case MatrixSelector matrix:
                AppendSelector(text, matrix.Selector);
                text.Append('[').Append(PromDuration.Format(matrix.RangeMs)).Append(']');
                AppendShift(text, matrix.Selector.Shift);
                break;
            case Subquery subquery:
                Append(text, subquery.Inner, semantics);
                text.Append(SuffixOf(subquery));
                break;
            case Unary unary:
                text.Append(unary.IsMinus ? '-' : '+');
                Append(text, unary.Inner, semantics);
                break;
            case Binary binary:
                Append(text, binary.Left, semantics);
                text.Append(' ').Append(OperatorOf(binary, semantics)).Append(' ');
                Append(text, binary.Right, semantics);
                break;
            case Aggregation aggregation:
                text.Append(HeadOf(aggregation)).Append('(');
                AppendList(text, aggregation.Parameter is { } parameter ? [parameter, aggregation.Inner] : [aggregation.Inner], semantics);
                text.Append(')');
                break;
            case FunctionCall call:
                text.Append(call.Function.Name).Append('(');
                AppendList(text, call.Arguments, semantics);
                text.Append(')');
                break;
        }
    }

    /// <summary><c>[1h:5m] offset 1m</c>.</summary>
    internal static string SuffixOf(Subquery subquery)
    {
        var text = new StringBuilder();
        text.Append('[').Append(PromDuration.Format(subquery.RangeMs)).Append(':').Append(subquery.StepMs != 0 ? PromDuration.Format(subquery.StepMs) : "").Append(']');
        AppendShift(text, subquery.Shift);
        return text.ToString();
    }

    /// <summary><c>sum by (job) </c>.</summary>
    internal static string HeadOf(Aggregation aggregation)
    {
        var name = NameOf(aggregation.Operator);
        return aggregation.IsWithout ? $"{name} without ({ListOf(aggregation.Grouping)}) "
            : aggregation.Grouping.Count > 0 ? $"{name} by ({ListOf(aggregation.Grouping)}) "
            : name;
    }

    /// <summary><c>+ on (job) group_left (name)</c>.</summary>
    internal static string OperatorOf(Binary binary, PromSemantics semantics)
    {
        var text = new StringBuilder(SymbolOf(binary.Operator));
        text.Append(binary.ReturnsBool ? " bool" : "");
        if (binary.Matching is not { } matching || binary.Left.Kind != ValueKind.Vector || binary.Right.Kind != ValueKind.Vector)
        {
            return text.ToString();
        }

        var isGrouped = matching.Cardinality is MatchCardinality.ManyToOne or MatchCardinality.OneToMany;
        if (semantics == PromSemantics.V2 && matching.Labels.Count == 0 && !matching.IsOn)
        {
            return text.ToString();
        }

        if (matching.Labels.Count > 0 || matching.IsOn || isGrouped)
        {
            text.Append(CultureInfo.InvariantCulture, $" {(matching.IsOn ? "on" : "ignoring")} ({ListOf(matching.Labels)})");
        }

        if (isGrouped)
        {
            text.Append(CultureInfo.InvariantCulture, $" group_{(matching.Cardinality == MatchCardinality.ManyToOne ? "left" : "right")} ({ListOf(matching.Include)})");
        }

        return text.ToString();
    }

    private static void AppendList(StringBuilder text, IReadOnlyList<Expression> expressions, PromSemantics semantics)
    {
        for (var i = 0; i < expressions.Count; i++)
        {
            text.Append(i > 0 ? ", " : "");
            Append(text, expressions[i], semantics);
        }
    }

    private static void AppendSelector(StringBuilder text, VectorSelector selector)
    {
        text.Append(selector.Name);
        var matchers = new List<string>();
        foreach (var matcher in selector.Matchers)
        {
            var isName = matcher.Name == LabelSet.MetricNameLabel && matcher.Kind == MatchKind.Equal && matcher.Value == selector.Name && matcher.Value.Length > 0;
            if (!isName)
            {
                matchers.Add(TextOf(matcher));
            }
        }

        if (matchers.Count > 0)
        {
            matchers.Sort(StringComparer.Ordinal);
            text.Append('{').AppendJoin(',', matchers).Append('}');
        }
    }

    private static string TextOf(LabelMatcher matcher)
    {
        var symbol = matcher.Kind switch
        {
            MatchKind.Equal => "=",
            MatchKind.NotEqual => "!=",
            MatchKind.Regex => "=~",
            _ => "!~",
        };
        return LabelText(matcher.Name) + symbol + GoText.Quote(matcher.Value);
    }

    private static void AppendShift(StringBuilder text, TimeShift shift)
    {
        text.Append(shift.Pin switch
        {
            TimePin.At => string.Create(CultureInfo.InvariantCulture, $" @ {shift.PinnedMs / 1000.0:F3}"),
            TimePin.Start => " @ start()",
            TimePin.End => " @ end()",
            _ => "",
        });
        if (shift.OffsetMs != 0)
        {
            text.Append(" offset ").Append(PromDuration.Format(shift.OffsetMs));
        }
    }

    private static string ListOf(IReadOnlyList<string> labels) => string.Join(", ", labels.Select(LabelText));

    // A name that is not an identifier is quoted.
    private static string LabelText(string name) =>
        name.Length > 0 && !char.IsAsciiDigit(name[0]) && name.All(c => c == '_' || char.IsAsciiLetterOrDigit(c)) ? name : GoText.Quote(name);

    private static string TextOf(NumberLiteral number, PromSemantics semantics)
    {
        if (semantics == PromSemantics.V2)
        {
            return FloatText.General(number.Value);
        }

        return number.IsDuration ? PromDuration.Format((long)Math.Round(number.Value * 1000)) : FloatText.Plain(number.Value);
    }
}
