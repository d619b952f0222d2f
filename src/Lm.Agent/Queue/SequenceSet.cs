using Lm.Protocol;

namespace Lm.Agent.Queue;

/// <summary>A set of sequence numbers, kept as intervals: sorted, disjoint, never adjacent.</summary>
internal sealed class SequenceSet
{
    private readonly List<SequenceRange> ranges = [];

    /// <summary>The intervals, ascending.</summary>
    public IReadOnlyList<SequenceRange> Ranges => ranges;

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
    public bool Add(ulong sequence)
    {
        if (Contains(sequence))
        {
            return false;
        }

        Add(new SequenceRange(sequence, sequence));
        return true;
    }

    /// <summary>Adds numbers, some of which may be there.</summary>
    public void Add(SequenceRange added)
    {
        // Everything from the first interval that touches the new one to the last that does becomes one.
        var first = FirstEndingAtOrAfter(added.Start is 0 ? 0 : added.Start - 1);
        var last = first;
        var (start, end) = (added.Start, added.End);
        while (last < ranges.Count && ranges[last].Start <= (end == ulong.MaxValue ? end : end + 1))
        {
            start = Math.Min(start, ranges[last].Start);
            end = Math.Max(end, ranges[last].End);
            last++;
        }

        ranges.RemoveRange(first, last - first);
        ranges.Insert(first, new SequenceRange(start, end));
    }

    /// <summary>Adds all numbers of another set.</summary>
    public void Add(SequenceSet other)
    {
        foreach (var range in other.ranges)
        {
            Add(range);
        }
    }

    /// <summary>Forgets everything.</summary>
    public void Clear() => ranges.Clear();

    public bool Contains(ulong sequence)
    {
        var index = FirstEndingAtOrAfter(sequence);
        return index < ranges.Count && ranges[index].Start <= sequence;
    }

    /// <summary>The lowest number from <paramref name="from"/> on that is not in the set.</summary>
    public ulong FirstMissing(ulong from)
    {
        var index = FirstEndingAtOrAfter(from);
        return index < ranges.Count && ranges[index].Start <= from ? ranges[index].End + 1 : from;
    }

    /// <summary>The numbers of this set that are not in <paramref name="other"/>.</summary>
    public SequenceSet Except(SequenceSet other)
    {
        var rest = new SequenceSet();
        foreach (var range in ranges)
        {
            var next = other.FirstMissing(range.Start);
            while (next <= range.End)
            {
                var index = other.FirstEndingAtOrAfter(next);
                var end = index < other.ranges.Count ? Math.Min(range.End, other.ranges[index].Start - 1) : range.End;
                rest.ranges.Add(new SequenceRange(next, end));
                if (end == ulong.MaxValue)
                {
                    break;
                }

                next = other.FirstMissing(end + 1);
            }
        }

        return rest;
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
