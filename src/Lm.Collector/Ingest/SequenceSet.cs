using System.Diagnostics;
using Lm.Protocol;

namespace Lm.Collector.Ingest;

/// <summary>Sequences as sorted intervals that neither overlap nor touch.</summary>
internal sealed class SequenceSet
{
    private readonly List<SequenceRange> ranges = [];

    /// <summary>The intervals, ascending.</summary>
    public IReadOnlyList<SequenceRange> Ranges => ranges;

    /// <summary>The highest sequence; 0 when empty.</summary>
    public ulong Highest => ranges.Count == 0 ? 0 : ranges[^1].End;

    /// <summary>How much of a range is in the set.</summary>
    public Coverage CoverageOf(SequenceRange range)
    {
        var index = FirstNotBelow(range.Start);
        if (index == ranges.Count || ranges[index].Start > range.End)
        {
            return Coverage.None;
        }

        var found = ranges[index];
        return found.Start <= range.Start && found.End >= range.End ? Coverage.Whole : Coverage.Part;
    }

    /// <summary>Whether adding a range that is not in the set would lengthen an interval rather than make one.</summary>
    public bool Touches(SequenceRange range)
    {
        var index = FirstNotBelow(range.Start);
        return (index > 0 && ranges[index - 1].End + 1 == range.Start)
            || (index < ranges.Count && range.End != ulong.MaxValue && ranges[index].Start == range.End + 1);
    }

    /// <summary>Puts a range in, joining intervals that overlap or touch it.</summary>
    /// <returns>How many sequences were not in the set before.</returns>
    public ulong Add(SequenceRange range)
    {
        Debug.Assert(range.Start >= 1 && range.End >= range.Start, "ranges are checked by the decoder");
        var first = FirstNotBelow(range.Start - 1); // one lower: an interval that ends right before it is joined
        var (start, end, count, had) = (range.Start, range.End, 0, 0UL);
        while (first + count < ranges.Count && (range.End == ulong.MaxValue || ranges[first + count].Start <= range.End + 1))
        {
            var joined = ranges[first + count];
            had += OverlapOf(joined, range);
            start = Math.Min(start, joined.Start);
            end = Math.Max(end, joined.End);
            count++;
        }

        ranges.RemoveRange(first, count);
        ranges.Insert(first, new SequenceRange(start, end));
        return range.Count - had;
    }

    /// <summary>How many sequences of a range are in the set.</summary>
    public ulong CountIn(SequenceRange range)
    {
        var count = 0UL;
        for (var i = FirstNotBelow(range.Start); i < ranges.Count && ranges[i].Start <= range.End; i++)
        {
            count += OverlapOf(ranges[i], range);
        }

        return count;
    }

    private static ulong OverlapOf(SequenceRange left, SequenceRange right)
    {
        var start = Math.Max(left.Start, right.Start);
        var end = Math.Min(left.End, right.End);
        return start > end ? 0 : end - start + 1;
    }

    // The first interval that does not end below the sequence.
    private int FirstNotBelow(ulong sequence)
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
internal enum Coverage
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>Some.</summary>
    Part,

    /// <summary>All.</summary>
    Whole,
}
