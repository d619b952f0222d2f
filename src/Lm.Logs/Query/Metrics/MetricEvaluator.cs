using Lm.Logs.Query.Pipeline;

namespace Lm.Logs.Query.Metrics;

/// <summary>A metric query over a grid of times.</summary>
/// <param name="reader">The lines.</param>
/// <param name="grid">The times.</param>
/// <param name="budget">What the query may hold.</param>
/// <param name="statistics">Counts what is read.</param>
/// <param name="withLevel">Whether <see cref="DetectedLevel"/> is a label of its series.</param>
/// <param name="cancellationToken">Ends it early.</param>
internal sealed class MetricEvaluator(
    ILogReader reader, MetricGrid grid, MetricBudget budget, LogScanStatistics statistics, bool withLevel, CancellationToken cancellationToken)
{
    /// <summary>Calculates an expression: a number, or series in no order.</summary>
    public MetricValue Evaluate(Expression expression, Grouping? push = null, VectorOperation? pushedBy = null)
    {
        cancellationToken.ThrowIfCancellationRequested();
        switch (expression)
        {
            case NumberLiteral number:
                return MetricValue.Of(number.Value);
            case VectorOf vector:
                var row = grid.EmptyRow();
                Array.Fill(row, vector.Value);
                return MetricValue.Of([new MetricSeries([], row)]);
            case RangeAggregation range:
                return MetricValue.Of(Checked(Range(range, push, pushedBy)));
            case VectorAggregation aggregation:
                var inner = Evaluate(aggregation.Inner, aggregation.Grouping ?? new Grouping(false, EquatableList<string>.Empty), aggregation.Operation);
                return MetricValue.Of(VectorAggregations.Aggregate(aggregation, inner.Series, grid));
            case LabelReplace replace:
                return MetricValue.Of(LabelReplacement.Apply(replace, Evaluate(replace.Inner).Series));
            case Binary binary:
                var operation = new BinaryOperations(binary, grid);
                var left = Evaluate(binary.Left);
                var result = operation.Apply(left, Evaluate(binary.Right));
                Checked(result.Series);
                return result;
            default:
                throw new ArgumentOutOfRangeException(nameof(expression));
        }
    }

    private IReadOnlyList<MetricSeries> Checked(IReadOnlyList<MetricSeries> series)
    {
        budget.CheckSeries(series.Count);
        budget.TakeCells((long)series.Count * grid.Count);
        return series;
    }

    private List<MetricSeries> Range(RangeAggregation range, Grouping? push, VectorOperation? pushedBy)
    {
        var grouping = range.Operation == RangeOperation.Absent ? new Grouping(false, EquatableList<string>.Empty) : range.Grouping;
        if (grouping is null && push is not null && IsSameInOneStep(range.Operation, pushedBy))
        {
            grouping = push; // the outer one adds up what is added up here: series that end up as one need not be told apart
        }

        var accumulators = Read(range, grouping);
        if (range.Operation == RangeOperation.Absent)
        {
            return Absent(range, accumulators);
        }

        var function = RangeFunctions.Of(range);
        var perSecond = range.Operation is RangeOperation.Rate or RangeOperation.BytesRate ? 1000.0 / range.RangeMs : 1;
        var wantsBytes = range.Operation is RangeOperation.Bytes or RangeOperation.BytesRate;
        return [.. accumulators.Select(accumulator => new MetricSeries(
            accumulator.Labels,
            function is null
                ? accumulator.Totals(wantsBytes, perSecond)
                : accumulator.Windows(grid, range.RangeMs, range.OffsetMs, function, cancellationToken)))];
    }

    private static bool IsSameInOneStep(RangeOperation inner, VectorOperation? outer) => (inner, outer) switch
    {
        (RangeOperation.Rate or RangeOperation.Count or RangeOperation.Bytes or RangeOperation.BytesRate or RangeOperation.Sum, VectorOperation.Sum) => true,
        (RangeOperation.Min, VectorOperation.Min) => true,
        (RangeOperation.Max, VectorOperation.Max) => true,
        _ => false,
    };

    private List<Accumulator> Read(RangeAggregation range, Grouping? grouping)
    {
        var program = new PipelineProgram(range.Lines);
        var stages = new List<RangeStage>();
        var gate = new Lock(); // stages: those of all threads
        var scan = new LogScan
        {
            From = grid.Start - range.OffsetMs - range.RangeMs + 1,
            Until = grid.End - range.OffsetMs + 1,
            Stream = program.Selects,
            Required = program.Required(),
        };
        RangeStage Make()
        {
            var stage = new RangeStage(range, program, grouping, grid, budget, withLevel);
            lock (gate)
            {
                stages.Add(stage);
            }

            return stage;
        }

        foreach (var _ in reader.Read(scan, Make, statistics, cancellationToken))
        {
            // Nothing leaves the stages.
        }

        return Merge(stages);
    }

    private List<Accumulator> Merge(List<RangeStage> stages)
    {
        var merged = new Dictionary<byte[], Accumulator>(Utf8Comparer.Instance);
        foreach (var (key, accumulator) in stages.SelectMany(stage => stage.Accumulators))
        {
            if (merged.TryGetValue(key, out var sum))
            {
                sum.Add(accumulator);
            }
            else
            {
                merged[key] = accumulator;
            }
        }

        budget.CheckSeries(merged.Count);
        return [.. merged.Values];
    }

    // 1 wherever there is no line, with the labels that the selector names.
    private List<MetricSeries> Absent(RangeAggregation range, List<Accumulator> accumulators)
    {
        var found = accumulators.Count > 0 ? accumulators[0].Totals(wantsBytes: false, 1) : grid.EmptyRow();
        var row = grid.EmptyRow();
        for (var i = 0; i < row.Length; i++)
        {
            row[i] = MetricGrid.IsMissing(found[i]) ? 1 : MetricGrid.Missing;
        }

        var labels = range.Lines.Matchers.Where(matcher => matcher.Comparison == TextComparison.Equal && matcher.Value.Length > 0)
            .Select(matcher => new LogField(matcher.Label, matcher.Value)).Distinct()
            .GroupBy(label => label.Name, StringComparer.Ordinal).Where(group => group.Count() == 1).Select(group => group.First());
        return [new MetricSeries([.. labels.OrderBy(label => label.Name, StringComparer.Ordinal)], row)];
    }
}

/// <summary>What an expression gives.</summary>
/// <param name="Scalar">A number; null for series.</param>
/// <param name="Series">Then: the series.</param>
internal sealed record MetricValue(double? Scalar, IReadOnlyList<MetricSeries> Series)
{
    /// <summary>A number.</summary>
    public static MetricValue Of(double scalar) => new(scalar, []);

    /// <summary>Series.</summary>
    public static MetricValue Of(IReadOnlyList<MetricSeries> series) => new(null, series);
}
