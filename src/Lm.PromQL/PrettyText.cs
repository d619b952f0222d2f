using System.Text;

namespace Lm.PromQL;

/// <summary>Expressions on several lines, as Prometheus' <c>format_query</c> prints them: what is longer than 100 bytes is broken up, two blanks a level.</summary>
public static class PrettyText
{
    private const int LineBytesMax = 100;

    /// <summary>Prints an expression.</summary>
    public static string Format(Expression expression) => Format(expression, 0);

    private static string Format(Expression expression, int level)
    {
        var indent = new string(' ', 2 * level);
        switch (expression)
        {
            case Unary unary: // its operand stands right behind the sign
                return $"{indent}{(unary.IsMinus ? '-' : '+')}{Format(unary.Inner, level).Trim()}";
            case Subquery subquery when IsLong(expression):
                return Format(subquery.Inner, level) + ExpressionText.SuffixOf(subquery);
            case Subquery:
                return ExpressionText.Format(expression);
        }

        if (expression is VectorSelector or MatrixSelector or NumberLiteral or TextLiteral || !IsLong(expression))
        {
            return indent + ExpressionText.Format(expression);
        }

        return expression switch
        {
            Aggregation aggregation => $"{indent}{ExpressionText.HeadOf(aggregation)}(\n"
                + (aggregation.Parameter is { } parameter ? $"{Format(parameter, level + 1)},\n" : "") + $"{Format(aggregation.Inner, level + 1)}\n{indent})",
            Binary binary => $"{Format(binary.Left, level + 1)}\n{indent}{ExpressionText.OperatorOf(binary)}\n{Format(binary.Right, level + 1)}",
            FunctionCall call => $"{indent}{call.Function.Name}(\n{string.Join(",\n", call.Arguments.Select(argument => Format(argument, level + 1)))}\n{indent})",
            Parenthesized parenthesized => $"{indent}(\n{Format(parenthesized.Inner, level + 1)}\n{indent})",
            _ => indent + ExpressionText.Format(expression),
        };
    }

    private static bool IsLong(Expression expression) => Encoding.UTF8.GetByteCount(ExpressionText.Format(expression)) > LineBytesMax;
}
