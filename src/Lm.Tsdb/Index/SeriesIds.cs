using System.Numerics;

namespace Lm.Tsdb.Index;

/// <summary>A growing list of series that readers walk without a lock: what a snapshot shows never changes.</summary>
internal struct SeriesIds
{
    private int[]? items; // null while there is one at most: a million values with a series each need no million arrays
    private int single;
    private bool isUnordered; // a number that was free again stands behind higher ones

    /// <summary>How many.</summary>
    public int Count { get; private set; }

    /// <summary>Memory beyond the struct itself, bytes.</summary>
    public readonly long SizeBytes => items is null ? 0 : (sizeof(int) * items.Length) + 24;

    /// <summary>Adds one.</summary>
    /// <returns>By how many bytes it has grown.</returns>
    public int Add(int series)
    {
        var before = SizeBytes;
        if (Count == 0)
        {
            single = series;
        }
        else
        {
            if (items is null)
            {
                items = [single, series, 0, 0];
            }
            else if (Count == items.Length)
            {
                Array.Resize(ref items, Count + Math.Max(4, Count / 2));
            }

            isUnordered |= series < items[Count - 1];
            items[Count] = series;
        }

        Count++;
        return (int)(SizeBytes - before);
    }

    /// <summary>The list now, ascending; by the writer or under its gate.</summary>
    public readonly Snapshot Take() => new(items ?? (Count == 0 ? [] : [single]), Count, isUnordered);

    /// <summary>A list of those that are not marked.</summary>
    /// <param name="marked">A bit for each series.</param>
    public readonly SeriesIds Without(ulong[] marked)
    {
        var kept = new SeriesIds();
        foreach (var series in Take().Ascending())
        {
            if (!IsMarked(marked, series))
            {
                kept.Add(series);
            }
        }

        return kept;
    }

    /// <summary>Sets a series' bit.</summary>
    public static void Mark(ulong[] marked, int series) => marked[series >> 6] |= 1UL << series;

    /// <summary>Whether a series' bit is set.</summary>
    public static bool IsMarked(ulong[] marked, int series) => (marked[series >> 6] & (1UL << series)) != 0;

    /// <summary>Those in both lists.</summary>
    public static int[] Intersect(ReadOnlySpan<int> left, ReadOnlySpan<int> right)
    {
        if (left.Length > right.Length)
        {
            var other = left;
            left = right;
            right = other;
        }

        var found = new int[left.Length];
        var count = 0;
        foreach (var series in left)
        {
            right = right[FirstNotBelow(right, series)..];
            if (right.Length == 0)
            {
                break;
            }

            if (right[0] == series)
            {
                found[count++] = series;
            }
        }

        return count == found.Length ? found : found[..count];
    }

    /// <summary>Those of the first list that are not in the second.</summary>
    public static int[] Subtract(ReadOnlySpan<int> from, ReadOnlySpan<int> gone)
    {
        var left = new int[from.Length];
        var count = 0;
        foreach (var series in from)
        {
            gone = gone[FirstNotBelow(gone, series)..];
            if (gone.Length == 0 || gone[0] != series)
            {
                left[count++] = series;
            }
        }

        return count == left.Length ? left : left[..count];
    }

    /// <summary>All of several lists, ascending, each once.</summary>
    public static int[] Unite(List<Snapshot> lists)
    {
        if (lists.Count == 1)
        {
            return lists[0].Ascending().ToArray();
        }

        long total = 0;
        var highest = -1;
        foreach (var list in lists)
        {
            total += list.Count;
            foreach (var series in list.Unordered())
            {
                highest = Math.Max(highest, series);
            }
        }

        var marked = new ulong[(highest >> 6) + 1];
        foreach (var list in lists)
        {
            foreach (var series in list.Unordered())
            {
                Mark(marked, series);
            }
        }

        var united = new int[total];
        var count = 0;
        for (var word = 0; word < marked.Length; word++)
        {
            for (var bits = marked[word]; bits != 0; bits &= bits - 1)
            {
                united[count++] = (word << 6) + BitOperations.TrailingZeroCount(bits);
            }
        }

        return count == united.Length ? united : united[..count];
    }

    // Doubling steps: next to nothing where both lists run together, and a few steps where one is much longer.
    private static int FirstNotBelow(ReadOnlySpan<int> ascending, int series)
    {
        if (ascending.Length == 0 || ascending[0] >= series)
        {
            return 0;
        }

        var step = 1;
        while (step < ascending.Length && ascending[step] < series)
        {
            step *= 2;
        }

        var low = step / 2;
        var found = ascending[low..Math.Min(step + 1, ascending.Length)].BinarySearch(series);
        return low + (found < 0 ? ~found : found);
    }

    /// <summary>A list as it was at one moment.</summary>
    internal readonly struct Snapshot(int[] items, int count, bool isUnordered)
    {
        /// <summary>How many.</summary>
        public int Count => count;

        /// <summary>The series in any order.</summary>
        public ReadOnlySpan<int> Unordered() => items.AsSpan(0, count);

        /// <summary>The series, ascending.</summary>
        public ReadOnlySpan<int> Ascending()
        {
            if (!isUnordered)
            {
                return items.AsSpan(0, count);
            }

            var sorted = items.AsSpan(0, count).ToArray();
            Array.Sort(sorted);
            return sorted;
        }
    }
}
