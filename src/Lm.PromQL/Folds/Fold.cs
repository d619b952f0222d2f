namespace Lm.PromQL.Folds;

/// <summary>One group while its series are added: a cell for each step.</summary>
internal abstract class Fold
{
    /// <summary>The fold of an aggregation.</summary>
    /// <param name="op">Which.</param>
    /// <param name="first">The step of the first cell.</param>
    /// <param name="length">How many cells.</param>
    /// <param name="semantics">Whose sums.</param>
    public static Fold For(AggregationOperator op, int first, int length, PromSemantics semantics) => (op, semantics) switch
    {
        (AggregationOperator.Sum, PromSemantics.V3) => new Cells<ExactSum>(first, length),
        (AggregationOperator.Sum, _) => new Cells<PlainSum>(first, length),
        (AggregationOperator.Avg, PromSemantics.V3) => new Cells<ExactMean>(first, length),
        (AggregationOperator.Avg, _) => new Cells<RunningMean>(first, length),
        (AggregationOperator.Min, _) => new Cells<Lowest>(first, length),
        (AggregationOperator.Max, _) => new Cells<Highest>(first, length),
        (AggregationOperator.Count, _) => new Cells<Counter>(first, length),
        (AggregationOperator.Group, _) => new Cells<Presence>(first, length),
        (AggregationOperator.Stddev, PromSemantics.V3) => new Cells<Deviation<Spread>>(first, length),
        (AggregationOperator.Stddev, _) => new Cells<Deviation<SpreadFromZero>>(first, length),
        (_, PromSemantics.V3) => new Cells<Spread>(first, length),
        _ => new Cells<SpreadFromZero>(first, length),
    };

    /// <summary>Adds a series.</summary>
    public abstract void Add(StepSeries series);

    /// <summary>The group's values; absent where nothing was added.</summary>
    public abstract double[] Finish();

    // Cells are structs, so that the compiler makes a loop of its own for each kind: they are the inner loop of every aggregation.
    private sealed class Cells<TCell>(int first, int length) : Fold
        where TCell : struct, IFoldCell
    {
        private readonly TCell[] cells = new TCell[length];
        private readonly bool[] isUsed = new bool[length];

        public override void Add(StepSeries series)
        {
            var values = series.Values.AsSpan();
            var target = cells.AsSpan(series.First - first, values.Length);
            var used = isUsed.AsSpan(series.First - first, values.Length);
            for (var i = 0; i < values.Length; i++)
            {
                if (StepSeries.IsAbsent(values[i]))
                {
                    continue;
                }

                if (used[i])
                {
                    target[i].Add(values[i]);
                }
                else
                {
                    used[i] = true;
                    target[i].Begin(values[i]);
                }
            }
        }

        public override double[] Finish()
        {
            var values = new double[cells.Length];
            for (var i = 0; i < values.Length; i++)
            {
                values[i] = isUsed[i] ? cells[i].Value : StepSeries.Absent;
            }

            return values;
        }
    }
}
