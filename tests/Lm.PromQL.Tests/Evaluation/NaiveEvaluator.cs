using Lm.Tsdb;

namespace Lm.PromQL.Tests.Evaluation;

/// <summary>PromQL told as plainly as possible: one time, one sample at a time, every window walked anew. Slow on purpose; the yardstick of properties.</summary>
internal sealed class NaiveEvaluator(ISeriesReader reader, PromSemantics semantics, long lookback, long defaultStep, long start, long end)
{
    private bool IsV2 => semantics == PromSemantics.V2;

    /// <summary>The series of a vector at a time.</summary>
    public List<(LabelSet Labels, double Value)> Vector(Expression expression, long time) => expression switch
    {
        Parenthesized inner => Vector(inner.Inner, time),
        VectorSelector selector => Select(selector, time, sample => sample.Value),
        Unary { IsMinus: true } minus => Map(Vector(minus.Inner, time), value => -value),
        Unary plus => Vector(plus.Inner, time),
        Aggregation aggregation => Aggregate(aggregation, time),
        Binary binary => Combine(binary, time),
        FunctionCall call => Call(call, time),
        _ => throw new NotSupportedException(expression.ToString()),
    };

    /// <summary>A number at a time.</summary>
    public double Scalar(Expression expression, long time) => expression switch
    {
        Parenthesized inner => Scalar(inner.Inner, time),
        NumberLiteral number => number.Value,
        Unary unary => (unary.IsMinus ? -1 : 1) * Scalar(unary.Inner, time),
        Binary binary => Operate(binary.Operator, Scalar(binary.Left, time), Scalar(binary.Right, time)),
        FunctionCall { Function.Name: "time" } => time / 1000.0,
        FunctionCall { Function.Name: "scalar" } call => Vector(call.Arguments[0], time) is [var only] ? only.Value : double.NaN,
        _ => throw new NotSupportedException(expression.ToString()),
    };

    private long At(TimeShift shift, long time) => shift.OffsetMs * -1 + shift.Pin switch
    {
        TimePin.At => shift.PinnedMs,
        TimePin.Start => start,
        TimePin.End => end,
        _ => time,
    };

    private List<(LabelSet Labels, double Value)> Select(VectorSelector selector, long time, Func<(long Time, double Value), double> pick, bool isTimestamp = false)
    {
        // timestamp() of Prometheus 2 looks at the pinned time itself, at what was read for the time moved by the offset.
        var at = At(selector.Shift, time);
        var looked = isTimestamp && IsV2 && selector.Shift.Pin != TimePin.None ? At(selector.Shift with { OffsetMs = 0 }, time) : at;
        var result = new List<(LabelSet, double)>();
        foreach (var (labels, samples) in Read(selector, Math.Max(at, looked) - lookback, Math.Min(at, looked)))
        {
            if (samples.Count > 0 && !StaleMarker.Is(samples[^1].Value))
            {
                result.Add((labels, pick(samples[^1])));
            }
        }

        return result;
    }

    // Without the left end, unless as Prometheus 2.
    private List<(LabelSet Labels, List<(long Time, double Value)> Samples)> Read(VectorSelector selector, long from, long until)
    {
        using var selection = reader.Find(selector.Matchers, from, until, CancellationToken.None);
        var result = new List<(LabelSet, List<(long, double)>)>();
        for (var i = 0; i < selection.Count; i++)
        {
            var buffer = new SampleBuffer();
            selection.Read(i, from, until, buffer);
            var samples = new List<(long, double)>();
            for (var j = 0; j < buffer.Count; j++)
            {
                if (buffer.Times[j] > from || IsV2)
                {
                    samples.Add((buffer.Times[j], buffer.Values[j]));
                }
            }

            result.Add((selection.Labels(i), samples));
        }

        return result;
    }

    private List<(LabelSet Labels, List<(long Time, double Value)> Samples)> Windows(Expression expression, long time)
    {
        if (expression is MatrixSelector matrix)
        {
            var until = At(matrix.Selector.Shift, time);
            return Read(matrix.Selector, until - matrix.RangeMs, until)
                .ConvertAll(series => (series.Labels, series.Samples.FindAll(sample => !StaleMarker.Is(sample.Value))));
        }

        var subquery = (Subquery)expression;
        var last = At(subquery.Shift, time);
        var step = subquery.StepMs > 0 ? subquery.StepMs : defaultStep;
        var result = new List<(LabelSet Labels, List<(long Time, double Value)> Samples)>();
        for (var at = (last - subquery.RangeMs) / step * step; at <= last; at += step)
        {
            if (at < last - subquery.RangeMs || (at == last - subquery.RangeMs && !IsV2))
            {
                continue;
            }

            foreach (var (labels, value) in Vector(subquery.Inner, at))
            {
                var place = result.FindIndex(series => series.Labels.Equals(labels));
                if (place < 0)
                {
                    place = result.Count;
                    result.Add((labels, []));
                }

                result[place].Samples.Add((at, value));
            }
        }

        return result;
    }

    private List<(LabelSet Labels, double Value)> Call(FunctionCall call, long time)
    {
        var name = call.Function.Name;
        if (call.Arguments.FirstOrDefault(argument => argument.Kind == ValueKind.Matrix) is { } range)
        {
            var windows = Windows(range, time).FindAll(series => series.Samples.Count > 0);
            var result = new List<(LabelSet, double)>();
            foreach (var (labels, samples) in windows)
            {
                if (Over(call, samples, range, time) is { } value)
                {
                    result.Add((name == "last_over_time" ? labels : Nameless(labels), value));
                }
            }

            return Distinct(result);
        }

        return name switch
        {
            "vector" => [(LabelSet.Empty, Scalar(call.Arguments[0], time))],
            "abs" => Map(Vector(call.Arguments[0], time), Math.Abs),
            "floor" => Map(Vector(call.Arguments[0], time), Math.Floor),
            "sgn" => Map(Vector(call.Arguments[0], time), value => value > 0 ? 1 : value < 0 ? -1 : value),
            "clamp_min" => Map(Vector(call.Arguments[0], time), value => Math.Max(value, Scalar(call.Arguments[1], time))),
            "timestamp" when call.Arguments[0] is VectorSelector selector => Map(Select(selector, time, sample => sample.Time / 1000.0, isTimestamp: true), value => value),
            "timestamp" => Map(Vector(call.Arguments[0], time), _ => time / 1000.0),
            "absent" => Vector(call.Arguments[0], time).Count > 0 ? [] : [(Asked(call.Arguments[0]), 1)],
            _ => throw new NotSupportedException(name),
        };
    }

    private static LabelSet Asked(Expression expression) => expression is not VectorSelector selector
        ? LabelSet.Empty
        : new LabelSet([.. selector.Matchers
            .Where(matcher => matcher.Kind == MatchKind.Equal && matcher.Name != LabelSet.MetricNameLabel)
            .Select(matcher => new Label(matcher.Name, matcher.Value))]);

    private double? Over(FunctionCall call, List<(long Time, double Value)> samples, Expression range, long time)
    {
        var values = samples.ConvertAll(sample => sample.Value);
        var pairs = values.Zip(values.Skip(1)).ToList();
        return call.Function.Name switch
        {
            "sum_over_time" => values.Sum(),
            "avg_over_time" => values.Sum() / values.Count,
            "count_over_time" => values.Count,
            "min_over_time" => Extreme(values, Enumerable.Min),
            "max_over_time" => Extreme(values, Enumerable.Max),
            "last_over_time" => values[^1],
            "present_over_time" => 1,
            "changes" => pairs.Count(pair => !pair.First.Equals(pair.Second)),
            "resets" => pairs.Count(pair => pair.Second < pair.First),
            "stdvar_over_time" => values.Sum(value => Math.Pow(value - values.Average(), 2)) / values.Count,
            "quantile_over_time" => Quantile(Scalar(call.Arguments[0], time), values),
            "idelta" => values.Count < 2 ? null : values[^1] - values[^2],
            "irate" => values.Count < 2 ? null : (values[^1] < values[^2] ? values[^1] : values[^1] - values[^2]) / ((samples[^1].Time - samples[^2].Time) / 1000.0),
            "rate" or "increase" or "delta" => Extrapolated(call.Function.Name, samples, range, time),
            "predict_linear" => values.Count < 2 ? null : Predicted(samples, time, Scalar(call.Arguments[1], time)),
            _ => throw new NotSupportedException(call.Function.Name),
        };
    }

    private double? Extrapolated(string name, List<(long Time, double Value)> samples, Expression range, long time)
    {
        if (samples.Count < 2)
        {
            return null;
        }

        var (until, length) = range is MatrixSelector matrix
            ? (At(matrix.Selector.Shift, time), matrix.RangeMs)
            : (At(((Subquery)range).Shift, time), ((Subquery)range).RangeMs);
        var change = samples[^1].Value - samples[0].Value;
        if (name != "delta")
        {
            change += samples.Zip(samples.Skip(1)).Where(pair => pair.Second.Value < pair.First.Value).Sum(pair => pair.First.Value);
        }

        var sampled = (samples[^1].Time - samples[0].Time) / 1000.0;
        var between = sampled / (samples.Count - 1);
        var toStart = (samples[0].Time - (until - length)) / 1000.0;
        var toEnd = (until - samples[^1].Time) / 1000.0;
        var toZero = name != "delta" && change > 0 && samples[0].Value >= 0 ? sampled * samples[0].Value / change : double.PositiveInfinity;
        double Near(double distance) => distance < between * 1.1 ? distance : between / 2;
        toStart = IsV2 ? Near(Math.Min(toStart, toZero)) : Math.Min(Near(toStart), toZero);
        var result = change * (sampled + toStart + Near(toEnd)) / sampled;
        return name == "rate" ? result / (length / 1000.0) : result;
    }

    private static double Predicted(List<(long Time, double Value)> samples, long time, double ahead)
    {
        var meanX = samples.Average(sample => (sample.Time - time) / 1000.0);
        var meanY = samples.Average(sample => sample.Value);
        var slope = samples.Sum(sample => (((sample.Time - time) / 1000.0) - meanX) * (sample.Value - meanY))
            / samples.Sum(sample => Math.Pow(((sample.Time - time) / 1000.0) - meanX, 2));
        return meanY - (slope * meanX) + (slope * ahead);
    }

    private static double Quantile(double quantile, List<double> values)
    {
        var sorted = values.Order().ToList();
        var rank = quantile * (sorted.Count - 1);
        var below = (int)Math.Floor(rank);
        var weight = rank - below;
        return (sorted[below] * (1 - weight)) + (sorted[Math.Min(below + 1, sorted.Count - 1)] * weight);
    }

    // NaN only if there is nothing else.
    private static double Extreme(List<double> values, Func<IEnumerable<double>, double> pick) =>
        values.TrueForAll(double.IsNaN) ? double.NaN : pick(values.Where(value => !double.IsNaN(value)));

    private List<(LabelSet Labels, double Value)> Aggregate(Aggregation aggregation, long time)
    {
        var result = new List<(LabelSet, double)>();
        foreach (var group in Vector(aggregation.Inner, time).GroupBy(series => Group(series.Labels, !aggregation.IsWithout, aggregation.Grouping)))
        {
            var values = group.Select(series => series.Value).ToList();
            if (aggregation.Operator is AggregationOperator.Topk or AggregationOperator.Bottomk)
            {
                var k = (int)Scalar(aggregation.Parameter!, time);
                var ordered = aggregation.Operator == AggregationOperator.Topk ? group.OrderByDescending(series => series.Value) : group.OrderBy(series => series.Value);
                result.AddRange(ordered.Take(k));
                continue;
            }

            result.Add((group.Key, aggregation.Operator switch
            {
                AggregationOperator.Sum => values.Sum(),
                AggregationOperator.Avg => values.Average(),
                AggregationOperator.Count => values.Count,
                AggregationOperator.Min => Extreme(values, Enumerable.Min),
                AggregationOperator.Max => Extreme(values, Enumerable.Max),
                AggregationOperator.Group => 1,
                AggregationOperator.Stdvar => IsV2 && values.Count == 1 ? 0 : values.Sum(value => Math.Pow(value - values.Average(), 2)) / values.Count,
                AggregationOperator.Quantile => Quantile(Scalar(aggregation.Parameter!, time), values),
                _ => throw new NotSupportedException(aggregation.Operator.ToString()),
            }));
        }

        return result;
    }

    private List<(LabelSet Labels, double Value)> Combine(Binary binary, long time)
    {
        var isFilter = binary.Operator is >= BinaryOperator.Equal and <= BinaryOperator.GreaterOrEqual && !binary.ReturnsBool;
        if (binary.Left.Kind == ValueKind.Scalar || binary.Right.Kind == ValueKind.Scalar)
        {
            var isSwapped = binary.Left.Kind == ValueKind.Scalar;
            var number = Scalar(isSwapped ? binary.Left : binary.Right, time);
            var list = Vector(isSwapped ? binary.Right : binary.Left, time);
            double Value(double value) => isSwapped ? Operate(binary.Operator, number, value) : Operate(binary.Operator, value, number);
            return isFilter ? list.FindAll(series => Value(series.Value) == 1) : Map(list, Value);
        }

        var matching = binary.Matching!;
        var (left, right) = (Vector(binary.Left, time), Vector(binary.Right, time));
        LabelSet Key(LabelSet labels) => Group(labels, matching.IsOn, matching.Labels);
        bool Has(List<(LabelSet Labels, double Value)> list, LabelSet labels) => list.Exists(series => Key(series.Labels).Equals(Key(labels)));
        switch (binary.Operator)
        {
            case BinaryOperator.And:
                return left.FindAll(series => Has(right, series.Labels));
            case BinaryOperator.Unless:
                return left.FindAll(series => !Has(right, series.Labels));
            case BinaryOperator.Or:
                return Distinct([.. left, .. right.FindAll(series => !Has(left, series.Labels))]);
        }

        if (left.Count == 0 || right.Count == 0)
        {
            return [];
        }

        var isGroupRight = matching.Cardinality == MatchCardinality.OneToMany;
        var (many, one) = isGroupRight ? (right, left) : (left, right);
        Refuse(one.GroupBy(series => Key(series.Labels)).Any(group => group.Count() > 1));
        var result = new List<(LabelSet Labels, double Value)>();
        var matched = new List<(LabelSet Key, LabelSet Labels)>();
        foreach (var series in many)
        {
            var partner = one.FindIndex(other => Key(other.Labels).Equals(Key(series.Labels)));
            if (partner < 0)
            {
                continue;
            }

            var (first, second) = isGroupRight ? (one[partner].Value, series.Value) : (series.Value, one[partner].Value);
            var value = Operate(binary.Operator, first, second);
            if (IsV2 && isFilter && value == 0)
            {
                continue; // what the filter drops was not matched
            }

            var labels = isFilter ? series.Labels : Nameless(series.Labels);
            if (matching.Cardinality == MatchCardinality.OneToOne)
            {
                labels = matching.IsOn ? labels.Only([.. matching.Labels]) : labels.Without([.. matching.Labels]);
            }

            labels = matching.Include.Aggregate(labels, (with, name) => with.With(name, one[partner].Labels.ValueOf(name)));
            var place = (Key(series.Labels), matching.Cardinality == MatchCardinality.OneToOne ? LabelSet.Empty : labels);
            Refuse(matched.Contains(place));
            matched.Add(place);
            if (!isFilter || value == 1)
            {
                result.Add((labels, isFilter ? first : value));
            }
        }

        return Distinct(result);
    }

    private static double Operate(BinaryOperator op, double left, double right) => op switch
    {
        BinaryOperator.Add => left + right,
        BinaryOperator.Subtract => left - right,
        BinaryOperator.Multiply => left * right,
        BinaryOperator.Divide => left / right,
        BinaryOperator.Equal => left == right ? 1 : 0,
        BinaryOperator.NotEqual => left != right ? 1 : 0,
        BinaryOperator.Less => left < right ? 1 : 0,
        BinaryOperator.LessOrEqual => left <= right ? 1 : 0,
        BinaryOperator.Greater => left > right ? 1 : 0,
        BinaryOperator.GreaterOrEqual => left >= right ? 1 : 0,
        _ => throw new NotSupportedException(op.ToString()),
    };

    private static LabelSet Group(LabelSet labels, bool isOn, IReadOnlyList<string> names) =>
        isOn ? labels.Only([.. names]) : labels.Without([.. names, LabelSet.MetricNameLabel]);

    private static LabelSet Nameless(LabelSet labels) => labels.Without(LabelSet.MetricNameLabel);

    private static List<(LabelSet Labels, double Value)> Map(List<(LabelSet Labels, double Value)> list, Func<double, double> change) =>
        Distinct(list.ConvertAll(series => (Nameless(series.Labels), change(series.Value))));

    private static List<(LabelSet Labels, double Value)> Distinct(List<(LabelSet Labels, double Value)> list)
    {
        Refuse(list.DistinctBy(series => series.Labels).Count() < list.Count);
        return list;
    }

    private static void Refuse(bool isFault)
    {
        if (isFault)
        {
            throw new QueryException(QueryFault.Execution, "refused");
        }
    }
}
