namespace Lm.PromQL;

/// <summary><c>topk</c> and <c>bottomk</c>: at each step the series with the largest or smallest values of each group stay.</summary>
/// <remarks>A heap for each group and step, all in two arrays, filled series by series. It works as Go's <c>container/heap</c> does, because among
/// equal values its shape decides which series stay.</remarks>
internal sealed class TopSeries
{
    private readonly bool isTop;
    private readonly bool isV2;
    private readonly int capacity;
    private readonly double[] values;
    private readonly int[] owners;
    private readonly int[] counts;
    private readonly BestFirst order;

    private TopSeries(int heaps, int capacity, bool isTop, bool isV2)
    {
        this.isTop = isTop;
        order = new BestFirst(isTop);
        this.isV2 = isV2;
        this.capacity = capacity;
        values = new double[heaps * capacity];
        owners = new int[heaps * capacity];
        counts = new int[heaps];
    }

    public static List<StepSeries> Evaluate(
        Aggregation aggregation, List<StepSeries> list, SeriesGroups groups, double[] parameter, QueryScope scope, TimeGrid grid)
    {
        if (!CheckParameter(parameter, scope.Semantics))
        {
            return [];
        }

        // No group keeps more than it has.
        var limits = Array.ConvertAll(parameter, value => (int)Math.Clamp(Math.Truncate(value), 0, list.Count));
        var largest = 0;
        foreach (var members in groups.Count == 0 ? [] : groups.Members())
        {
            largest = Math.Max(largest, members.Count);
        }

        var capacity = Math.Min(limits.Max(), largest);
        if (capacity == 0)
        {
            return [];
        }

        scope.Budget.CheckRoom((long)groups.Count * grid.Count * capacity * 3 / 2);
        var heaps = new TopSeries(
            groups.Count * grid.Count, capacity, aggregation.Operator == AggregationOperator.Topk, scope.Semantics == PromSemantics.V2);
        for (var i = 0; i < list.Count; i++)
        {
            var series = list[i];
            var firstHeap = (groups.OfSeries[i] * grid.Count) + series.First;
            scope.Budget.Work((series.Values.Length * 2) + 20);
            for (var at = 0; at < series.Values.Length; at++)
            {
                var limit = limits[series.First + at];
                if (!StepSeries.IsAbsent(series.Values[at]) && limit > 0)
                {
                    heaps.Offer(firstHeap + at, series.Values[at], i, limit);
                }
            }
        }

        return grid.Count == 1 ? heaps.Sorted(list, groups.Count) : heaps.Kept(list, groups.Count, grid.Count);
    }

    private static bool CheckParameter(double[] parameter, PromSemantics semantics)
    {
        if (semantics == PromSemantics.V2)
        {
            var bad = Array.FindIndex(parameter, value => value is not (>= long.MinValue and < long.MaxValue));
            return bad < 0 ? Array.Exists(parameter, value => value >= 1) : throw QueryException.Execution($"Scalar value {FloatText.General(parameter[bad])} overflows int64");
        }

        if (Array.Exists(parameter, double.IsNaN))
        {
            throw QueryException.Execution("Parameter value is NaN");
        }

        var (min, max) = (parameter.Min(), parameter.Max());
        return max < 1 ? false
            : min <= long.MinValue ? throw QueryException.Execution($"Scalar value {FloatText.General(min)} underflows int64")
            : max >= long.MaxValue ? throw QueryException.Execution($"Scalar value {FloatText.General(max)} overflows int64")
            : true;
    }

    private void Offer(int heap, double value, int owner, int limit)
    {
        limit = Math.Min(limit, capacity);
        var start = heap * capacity;
        ref var count = ref counts[heap];
        if (count < limit)
        {
            (values[start + count], owners[start + count]) = (value, owner);
            Up(start, count++);
            return;
        }

        var root = values[start];
        var isBetter = (isTop ? root < value : root > value) || (double.IsNaN(root) && (isV2 || !double.IsNaN(value)));
        if (!isBetter)
        {
            return;
        }

        if (isV2 && count > 1)
        {
            // Takes the root out and puts the new one in at the end, where Prometheus 3 replaces the root.
            Swap(start, start + count - 1);
            Down(start, 0, count - 1);
            (values[start + count - 1], owners[start + count - 1]) = (value, owner);
            Up(start, count - 1);
            return;
        }

        (values[start], owners[start]) = (value, owner);
        Down(start, 0, count);
    }

    private void Up(int start, int at)
    {
        while (at > 0)
        {
            var parent = (at - 1) / 2;
            if (!order.IsWorse(values[start + at], values[start + parent]))
            {
                return;
            }

            Swap(start + at, start + parent);
            at = parent;
        }
    }

    private void Down(int start, int at, int count)
    {
        while (true)
        {
            var child = (2 * at) + 1;
            if (child >= count)
            {
                return;
            }

            if (child + 1 < count && order.IsWorse(values[start + child + 1], values[start + child]))
            {
                child++;
            }

            if (!order.IsWorse(values[start + child], values[start + at]))
            {
                return;
            }

            Swap(start + at, start + child);
            at = child;
        }
    }

    private void Swap(int left, int right)
    {
        (values[left], values[right]) = (values[right], values[left]);
        (owners[left], owners[right]) = (owners[right], owners[left]);
    }

    // One step: group after group, the best first.
    private List<StepSeries> Sorted(List<StepSeries> list, int groups)
    {
        var result = new List<StepSeries>();
        for (var group = 0; group < groups; group++)
        {
            var start = group * capacity;
            var best = Enumerable.Range(start, counts[group]).ToArray();
            order.Sort(best, at => values[at]);
            foreach (var at in best)
            {
                result.Add(list[owners[at]]);
            }
        }

        return result;
    }

    private List<StepSeries> Kept(List<StepSeries> list, int groups, int steps)
    {
        var places = new double[]?[list.Count];
        for (var heap = 0; heap < groups * steps; heap++)
        {
            for (var i = 0; i < counts[heap]; i++)
            {
                var at = (heap * capacity) + i;
                var series = list[owners[at]];
                if (places[owners[at]] is not { } kept)
                {
                    kept = new double[series.Values.Length];
                    Array.Fill(kept, StepSeries.Absent);
                    places[owners[at]] = kept;
                }

                kept[(heap % steps) - series.First] = values[at];
            }
        }

        var result = new List<StepSeries>();
        for (var i = 0; i < list.Count; i++)
        {
            if (places[i] is { } kept && StepSeries.FromPlaces(list[i].Labels, list[i].First, kept) is { } series)
            {
                result.Add(series);
            }
        }

        return result;
    }
}
