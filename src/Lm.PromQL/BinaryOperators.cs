namespace Lm.PromQL;

/// <summary>Arithmetic and comparison, between numbers, and between numbers and vectors; two vectors are <see cref="VectorPairs"/>' and <see cref="SetOperators"/>'.</summary>
internal static class BinaryOperators
{
    public static bool IsComparison(BinaryOperator op) => op is >= BinaryOperator.Equal and <= BinaryOperator.GreaterOrEqual;

    public static bool IsSet(BinaryOperator op) => op is BinaryOperator.And or BinaryOperator.Or or BinaryOperator.Unless;

    /// <summary>The value of an arithmetic operator.</summary>
    public static double Arithmetic(BinaryOperator op, double left, double right) => op switch
    {
        BinaryOperator.Add => left + right,
        BinaryOperator.Subtract => left - right,
        BinaryOperator.Multiply => left * right,
        BinaryOperator.Divide => left / right,
        BinaryOperator.Modulo => left % right, // as C's fmod: the sign of the left side
        BinaryOperator.Power => Math.Pow(left, right),
        _ => Math.Atan2(left, right),
    };

    /// <summary>Whether a comparison holds.</summary>
    public static bool Compare(BinaryOperator op, double left, double right) => op switch
    {
        BinaryOperator.Equal => left == right,
        BinaryOperator.NotEqual => left != right,
        BinaryOperator.Less => left < right,
        BinaryOperator.LessOrEqual => left <= right,
        BinaryOperator.Greater => left > right,
        _ => left >= right,
    };

    public static double[] Scalar(Binary binary, Evaluator evaluator, TimeGrid grid)
    {
        var left = evaluator.Scalar(binary.Left, grid);
        var right = evaluator.Scalar(binary.Right, grid);
        var isComparison = IsComparison(binary.Operator);
        for (var i = 0; i < left.Length; i++)
        {
            left[i] = isComparison ? (Compare(binary.Operator, left[i], right[i]) ? 1 : 0) : Arithmetic(binary.Operator, left[i], right[i]);
        }

        return left;
    }

    public static List<StepSeries> Vector(Binary binary, Evaluator evaluator, TimeGrid grid)
    {
        if (binary.Left.Kind == ValueKind.Scalar)
        {
            var number = evaluator.Scalar(binary.Left, grid);
            return WithScalar(binary, evaluator.Vector(binary.Right, grid), number, isSwapped: true, evaluator.Scope, grid);
        }

        var left = evaluator.Vector(binary.Left, grid);
        if (binary.Right.Kind == ValueKind.Scalar)
        {
            return WithScalar(binary, left, evaluator.Scalar(binary.Right, grid), isSwapped: false, evaluator.Scope, grid);
        }

        var right = evaluator.Vector(binary.Right, grid);
        var result = IsSet(binary.Operator)
            ? SetOperators.Evaluate(binary, left, right, evaluator.Scope, grid)
            : new VectorPairs(binary, evaluator.Scope, grid).Evaluate(left, right);
        return result.Result(mayMerge: grid.Count > 1);
    }

    private static List<StepSeries> WithScalar(
        Binary binary, List<StepSeries> list, double[] number, bool isSwapped, QueryScope scope, TimeGrid grid)
    {
        var isFilter = IsComparison(binary.Operator) && !binary.ReturnsBool;
        var kept = 0;
        foreach (var series in list)
        {
            scope.Budget.Work(series.Values.Length);
            var values = series.Values.AsSpan();
            var numbers = number.AsSpan(series.First);
            for (var i = 0; i < values.Length; i++)
            {
                if (!StepSeries.IsAbsent(values[i]))
                {
                    var (left, right) = isSwapped ? (numbers[i], values[i]) : (values[i], numbers[i]);
                    values[i] = isFilter ? (Compare(binary.Operator, left, right) ? values[i] : StepSeries.Absent)
                        : binary.ReturnsBool ? (Compare(binary.Operator, left, right) ? 1 : 0)
                        : Arithmetic(binary.Operator, left, right);
                }
            }

            var result = isFilter ? StepSeries.FromPlaces(series.Labels, series.First, values) : series;
            if (result is not null)
            {
                list[kept++] = result;
            }
        }

        list.RemoveRange(kept, list.Count - kept);
        return isFilter ? list : SeriesMerger.WithoutName(list, scope.Semantics, mayMerge: grid.Count > 1);
    }
}
