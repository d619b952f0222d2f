namespace Lm.Protocol;

/// <summary>A set of sequence numbers, kept as intervals: sorted, disjoint, never adjacent. Not safe for concurrent use.</summary>
public sealed class SequenceSet
{
    private readonly List<SequenceRange> ranges = [];

    /// <summary>The intervals, ascending.</summary>
    public IReadOnlyList<SequenceRange> Ranges => ranges;

    /// <summary>The highest number; 0 when empty.</summary>
    public ulong Highest => ranges.Count == 0 ? 0 : ranges[^1].End;

    /// <summary>How many numbers.</summary>
    public ulong Count
    {
        get
        {
            var count = 0UL;
            foreach (var range in ranges)
            {
                count += range.Count;
            }

            return count;
        }
    }

    /// <summary>Adds a number.</summary>
    /// <returns>False when it was there.</returns>
    public bool Add(ulong sequence) => Add(new SequenceRange(sequence, sequence)) > 0;

    /// <summary>Adds numbers, some of which may be there, joining intervals that overlap or touch them.</summary>
    /// <returns>How many were not there.</returns>
    public ulong Add(SequenceRange added)
    {
        var first = FirstEndingAtOrAfter(added.Start is 0 ? 0 : added.Start - 1); // one lower: an interval that ends right before it is joined
        var last = first;
        var had = 0UL;
        var (start, end) = (added.Start, added.End);
        while (last < ranges.Count && (added.End == ulong.MaxValue || ranges[last].Start <= added.End + 1))
        {
            had += OverlapOf(ranges[last], added);
            start = Math.Min(start, ranges[last].Start);
            end = Math.Max(end, ranges[last].End);
            last++;
        }

        ranges.RemoveRange(first, last - first);
        ranges.Insert(first, new SequenceRange(start, end));
        return added.Count - had;
    }

    /// <summary>Adds all numbers of another set.</summary>
    public void Add(SequenceSet other)
    {
        foreach (var range in other.ranges)
        {
            Add(range);
        }
    }

    /// <summary>Whether a number is in the set.</summary>
    public bool Contains(ulong sequence)
    {
        var index = FirstEndingAtOrAfter(sequence);
        return index < ranges.Count && ranges[index].Start <= sequence;
    }

    /// <summary>How much of a range is in the set.</summary>
    public SequenceCoverage CoverageOf(SequenceRange range)
    {
        var index = FirstEndingAtOrAfter(range.Start);
        if (index == ranges.Count || ranges[index].Start > range.End)
        {
            return SequenceCoverage.None;
        }

        var found = ranges[index];
        return found.Start <= range.Start && found.End >= range.End ? SequenceCoverage.Whole : SequenceCoverage.Part;
    }

    /// <summary>How many numbers of a range are in the set.</summary>
    public ulong CountIn(SequenceRange range)
    {
        var count = 0UL;
        for (var i = FirstEndingAtOrAfter(range.Start); i < ranges.Count && ranges[i].Start <= range.End; i++)
        {
            count += OverlapOf(ranges[i], range);
        }

        return count;
    }

    /// <summary>Whether adding a range that is not in the set would lengthen an interval rather than make one.</summary>
    public bool Touches(SequenceRange range)
    {
        var index = FirstEndingAtOrAfter(range.Start);
        return (index > 0 && ranges[index - 1].End + 1 == range.Start)
            || (index < ranges.Count && range.End != ulong.MaxValue && ranges[index].Start == range.End + 1);
    }

    /// <summary>The lowest number from <paramref name="from"/> on that is not in the set; the highest there is when all of them are.</summary>
    public ulong FirstMissing(ulong from)
    {
        var index = FirstEndingAtOrAfter(from);
        if (index == ranges.Count || ranges[index].Start > from)
        {
            return from;
        }

        return ranges[index].End == ulong.MaxValue ? ulong.MaxValue : ranges[index].End + 1;
    }

    /// <summary>The numbers of this set that are not in <paramref name="other"/>.</summary>
    public SequenceSet Except(SequenceSet other)
    {
        var rest = new SequenceSet();
        foreach (var range in ranges)
        {
            var start = range.Start;
            var isUsedUp = false;
            for (var i = other.FirstEndingAtOrAfter(range.Start); i < other.ranges.Count && other.ranges[i].Start <= range.End; i++)
            {
                var cut = other.ranges[i];
                if (cut.Start > start)
                {
                    rest.ranges.Add(new SequenceRange(start, cut.Start - 1));
                }

                isUsedUp = cut.End >= range.End;
                start = isUsedUp ? range.End : cut.End + 1;
            }

            if (!isUsedUp)
            {
                rest.ranges.Add(new SequenceRange(start, range.End));
            }
        }

        return rest;
    }

    private static ulong OverlapOf(SequenceRange left, SequenceRange right)
    {
        var start = Math.Max(left.Start, right.Start);
        var end = Math.Min(left.End, right.End);
        return start > end ? 0 : end - start + 1;
    }

    private int FirstEndingAtOrAfter(ulong sequence)
    {
        var (low, high) = (0, ranges.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (ranges[middle].End < sequence)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }
}

/// <summary>How much of a range is in a set.</summary>
public enum SequenceCoverage
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Some.</summary>
    Part,

    /// <summary>All.</summary>
    Whole,
}
