using System.Text;

namespace Lm.PromQL;

/// <summary>Expressions on several lines, as Prometheus' <c>format_query</c> prints them: what is longer than 100 bytes is broken up, two blanks a level.</summary>
public static class PrettyText
{
    private const int LineBytesMax = 100;

    /// <summary>Prints an expression.</summary>
    public static string Format(Expression expression, PromSemantics semantics) => Format(expression, semantics, 0);

    private static string Format(Expression expression, PromSemantics semantics, int level)
    {
        var indent = new string(' ', 2 * level);
        switch (expression)
        {
            case Unary unary: // its operand stands right behind the sign
                return $"{indent}{(unary.IsMinus ? '-' : '+')}{Format(unary.Inner, semantics, level).Trim()}";
            case Subquery subquery when IsLong(expression, semantics):
                return Format(subquery.Inner, semantics, level) + ExpressionText.SuffixOf(subquery);
            case Subquery:
                return ExpressionText.Format(expression, semantics);
        }

        if (expression is VectorSelector or MatrixSelector or NumberLiteral or TextLiteral || !IsLong(expression, semantics))
        {
            return indent + ExpressionText.Format(expression, semantics);
        }

        return expression switch
        {
            Aggregation aggregation => $"{indent}{ExpressionText.HeadOf(aggregation)}(\n"
                + (aggregation.Parameter is { } parameter ? $"{Format(parameter, semantics, level + 1)},\n" : "") + $"{Format(aggregation.Inner, semantics, level + 1)}\n{indent})",
            Binary binary => $"{Format(binary.Left, semantics, level + 1)}\n{indent}{ExpressionText.OperatorOf(binary, semantics)}\n{Format(binary.Right, semantics, level + 1)}",
            FunctionCall call => $"{indent}{call.Function.Name}(\n{string.Join(",\n", call.Arguments.Select(argument => Format(argument, semantics, level + 1)))}\n{indent})",
            Parenthesized parenthesized => $"{indent}(\n{Format(parenthesized.Inner, semantics, level + 1)}\n{indent})",
            _ => indent + ExpressionText.Format(expression, semantics),
        };
    }

    private static bool IsLong(Expression expression, PromSemantics semantics) => Encoding.UTF8.GetByteCount(ExpressionText.Format(expression, semantics)) > LineBytesMax;
}
