using Lm.Tsdb;

namespace Lm.PromQL;

/// <summary>Whether a tree's parts fit: scalars, instant vectors, range vectors and texts where each is wanted.</summary>
/// <remarks>Children before their parents and left before right, in the order in which Prometheus checks: the first fault is the one that is told.</remarks>
internal sealed class TypeChecker(string text, QueryPlaces places)
{
    private ParseFault? fault;

    /// <summary>The first fault; null when there is none.</summary>
    public ParseFault? FaultOf(Expression expression)
    {
        Check(expression);
        return fault;
    }

    private void Fail(int start, string message)
    {
        var (line, column) = places.Of(start);
        fault ??= new ParseFault(line, column, message);
    }

    private void Check(Expression expression)
    {
        if (fault is not null)
        {
            return;
        }

        switch (expression)
        {
            case Aggregation aggregation:
                CheckAggregation(aggregation);
                break;
            case Binary binary:
                CheckBinary(binary);
                break;
            case FunctionCall call:
                CheckCall(call);
                break;
            case Parenthesized parenthesized:
                Check(parenthesized.Inner);
                break;
            case Unary unary:
                Check(unary.Inner);
                if (unary.Inner.Kind is not (ValueKind.Scalar or ValueKind.Vector))
                {
                    Fail(unary.Place.Start, $"unary expression only allowed on expressions of type scalar or instant vector, got \"{NameOf(unary.Inner.Kind)}\"");
                }

                break;
            case Subquery subquery:
                Check(subquery.Inner);
                if (subquery.Inner.Kind != ValueKind.Vector)
                {
                    Fail(subquery.Place.Start, $"subquery is only allowed on instant vector, got {ShortNameOf(subquery.Inner.Kind)} instead");
                }

                break;
            case MatrixSelector matrix:
                CheckSelector(matrix.Selector);
                break;
            case VectorSelector selector:
                CheckSelector(selector);
                break;
        }
    }

    private void Expect(Expression expression, ValueKind wanted, string where)
    {
        Check(expression);
        if (expression.Kind != wanted)
        {
            Fail(expression.Place.Start, $"expected type {NameOf(wanted)} in {where}, got {NameOf(expression.Kind)}");
        }
    }

    private void CheckAggregation(Aggregation aggregation)
    {
        Expect(aggregation.Inner, ValueKind.Vector, "aggregation expression");
        if (aggregation.Parameter is { } parameter)
        {
            Expect(parameter, aggregation.Operator == AggregationOperator.CountValues ? ValueKind.Text : ValueKind.Scalar, "aggregation parameter");
        }
    }

    private void CheckBinary(Binary binary)
    {
        Check(binary.Left);
        Check(binary.Right);
        var (left, right) = (binary.Left.Kind, binary.Right.Kind);
        var isComparison = binary.Operator is >= BinaryOperator.Equal and <= BinaryOperator.GreaterOrEqual;
        if (binary.ReturnsBool && !isComparison)
        {
            Fail(StartOfOperator(binary), "bool modifier can only be used on comparison operators");
        }

        if (isComparison && !binary.ReturnsBool && left == ValueKind.Scalar && right == ValueKind.Scalar)
        {
            Fail(StartOfOperator(binary), "comparisons between scalars must use BOOL modifier");
        }

        if (binary.Matching is { IsOn: true } matching && matching.Labels.FirstOrDefault(matching.Include.Contains) is { } twice)
        {
            Fail(StartOfOperator(binary), $"label {GoText.Quote(twice)} must not occur in ON and GROUP clause at once");
        }

        CheckSide(binary.Left);
        CheckSide(binary.Right);
        var isSet = binary.Operator is BinaryOperator.And or BinaryOperator.Or or BinaryOperator.Unless;
        if (left != ValueKind.Vector || right != ValueKind.Vector)
        {
            if (binary.Matching is not null)
            {
                Fail(binary.Place.Start, "vector matching only allowed between instant vectors");
            }
        }
        else if (isSet && binary.Matching!.Cardinality != MatchCardinality.ManyToMany)
        {
            Fail(binary.Place.Start, $"no grouping allowed for \"{ExpressionText.SymbolOf(binary.Operator)}\" operation");
        }

        if (isSet && (left == ValueKind.Scalar || right == ValueKind.Scalar))
        {
            Fail(binary.Place.Start, $"set operator \"{ExpressionText.SymbolOf(binary.Operator)}\" not allowed in binary scalar expression");
        }
    }

    private void CheckSide(Expression side)
    {
        if (side.Kind is not (ValueKind.Scalar or ValueKind.Vector))
        {
            Fail(side.Place.Start, "binary expression must contain only scalar and instant vector types");
        }
    }

    private int StartOfOperator(Binary binary)
    {
        var start = binary.Left.Place.End;
        while (start < text.Length && text[start] is ' ' or '\t' or '\n' or '\r')
        {
            start++;
        }

        return start;
    }

    private void CheckCall(FunctionCall call)
    {
        var (function, given) = (call.Function, call.Arguments.Count);
        var most = function.Parameters.Count;
        var name = GoText.Quote(function.Name);
        if (function.OptionalCount == 0)
        {
            if (given != most)
            {
                Fail(call.Place.Start, $"expected {most} argument(s) in call to {name}, got {given}");
            }
        }
        else
        {
            var least = most - 1;
            if (given < least)
            {
                Fail(call.Place.Start, $"expected at least {least} argument(s) in call to {name}, got {given}");
            }
            else if (function.OptionalCount > 0 && given > least + function.OptionalCount)
            {
                Fail(call.Place.Start, $"expected at most {least + function.OptionalCount} argument(s) in call to {name}, got {given}");
            }
        }

        for (var i = 0; i < given && fault is null; i++)
        {
            Expect(call.Arguments[i], function.Parameters[Math.Min(i, most - 1)], $"call to function {name}");
        }
    }

    private void CheckSelector(VectorSelector selector)
    {
        if (selector.Name.Length > 0)
        {
            // The last matcher is the name's own.
            var twice = selector.Matchers.SkipLast(1).FirstOrDefault(matcher => matcher.Name == LabelSet.MetricNameLabel);
            if (twice is not null)
            {
                Fail(selector.Place.Start, $"metric name must not be set twice: {GoText.Quote(selector.Name)} or {GoText.Quote(twice.Value)}");
            }
        }
        else if (!selector.Matchers.Any(matcher => !matcher.MatchesEmpty))
        {
            Fail(selector.Place.Start, "vector selector must contain at least one non-empty matcher");
        }
    }

    private static string NameOf(ValueKind kind) => kind switch
    {
        ValueKind.Scalar => "scalar",
        ValueKind.Text => "string",
        ValueKind.Vector => "instant vector",
        _ => "range vector",
    };

    private static string ShortNameOf(ValueKind kind) => kind switch
    {
        ValueKind.Scalar => "scalar",
        ValueKind.Text => "string",
        ValueKind.Vector => "vector",
        _ => "matrix",
    };
}
