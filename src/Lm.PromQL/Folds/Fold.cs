namespace Lm.PromQL.Folds;

/// <summary>One group while its series are added: a cell for each step.</summary>
internal abstract class Fold
{
    private Fold(int first) => First = End = first;

    /// <summary>The step of the first cell.</summary>
    public int First { get; private set; }

    /// <summary>The step behind the last.</summary>
    public int End { get; private set; }

    /// <summary>The fold of an aggregation; it has cells from the first to the last step of its series.</summary>
    /// <param name="op">Which.</param>
    /// <param name="first">The step at which its first series begins.</param>
    /// <param name="steps">How many steps there are.</param>
    /// <param name="semantics">Whose sums.</param>
    public static Fold For(AggregationOperator op, int first, int steps, PromSemantics semantics) => (op, semantics) switch
    {
        (AggregationOperator.Sum, PromSemantics.V3) => new Cells<ExactSum>(first, steps),
        (AggregationOperator.Sum, _) => new Cells<PlainSum>(first, steps),
        (AggregationOperator.Avg, PromSemantics.V3) => new Cells<ExactMean>(first, steps),
        (AggregationOperator.Avg, _) => new Cells<RunningMean>(first, steps),
        (AggregationOperator.Min, _) => new Cells<Lowest>(first, steps),
        (AggregationOperator.Max, _) => new Cells<Highest>(first, steps),
        (AggregationOperator.Count, _) => new Cells<Counter>(first, steps),
        (AggregationOperator.Group, _) => new Cells<Presence>(first, steps),
        (AggregationOperator.Stddev, PromSemantics.V3) => new Cells<Deviation<Spread>>(first, steps),
        (AggregationOperator.Stddev, _) => new Cells<Deviation<SpreadFromZero>>(first, steps),
        (_, PromSemantics.V3) => new Cells<Spread>(first, steps),
        _ => new Cells<SpreadFromZero>(first, steps),
    };

    /// <summary>How many cells more a series needs.</summary>
    public int MoreFor(StepSeries series) => Math.Max(End, series.End) - Math.Min(First, series.First) - (End - First);

    /// <summary>Adds a series.</summary>
    public abstract void Add(StepSeries series);

    /// <summary>The group's values; absent where nothing was added.</summary>
    public abstract double[] Finish();

    // Cells are structs, so that the compiler makes a loop of its own for each kind: they are the inner loop of every aggregation.
    private sealed class Cells<TCell>(int first, int steps) : Fold(first)
        where TCell : struct, IFoldCell
    {
        private TCell[] cells = [];
        private bool[] isUsed = [];
        private int origin = first; // the step of the first place in the arrays

        public override void Add(StepSeries series)
        {
            MakeRoom(series);
            var values = series.Values.AsSpan();
            var target = cells.AsSpan(series.First - origin, values.Length);
            var used = isUsed.AsSpan(series.First - origin, values.Length);
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
            var values = new double[End - First];
            for (var i = 0; i < values.Length; i++)
            {
                var at = First - origin + i;
                values[i] = isUsed[at] ? cells[at].Value : StepSeries.Absent;
            }

            return values;
        }

        private void MakeRoom(StepSeries series)
        {
            var (oldFirst, oldEnd) = (First, End);
            (First, End) = (Math.Min(First, series.First), Math.Max(End, series.End));
            if (First >= origin && End - origin <= cells.Length)
            {
                return;
            }

            // Half as much again on the side that grows, within the steps: series that begin one after the other must not copy all cells each time.
            var spare = cells.Length / 2;
            var from = First < origin ? Math.Max(0, First - spare) : origin;
            var until = End - origin > cells.Length ? Math.Min(steps, End + spare) : origin + cells.Length;
            var (moreCells, moreUsed) = (new TCell[until - from], new bool[until - from]);
            cells.AsSpan(Math.Min(cells.Length, oldFirst - origin), oldEnd - oldFirst).CopyTo(moreCells.AsSpan(oldFirst - from));
            isUsed.AsSpan(Math.Min(isUsed.Length, oldFirst - origin), oldEnd - oldFirst).CopyTo(moreUsed.AsSpan(oldFirst - from));
            (cells, isUsed, origin) = (moreCells, moreUsed, from);
        }
    }
}
