namespace Lm.Tsdb.Index;

/// <summary>Sets of series as ascending lists of numbers.</summary>
internal static class Postings
{
    // Beyond this ratio of lengths the longer list is searched instead of walked.
    private const int SearchRatio = 16;

    /// <summary>What is in both lists.</summary>
    public static uint[] Intersect(ReadOnlySpan<uint> left, ReadOnlySpan<uint> right)
    {
        if (left.Length > right.Length)
        {
            var shorter = right;
            right = left;
            left = shorter;
        }

        var result = new uint[left.Length];
        var count = 0;
        var isSparse = left.Length * (long)SearchRatio < right.Length;
        var at = 0;
        foreach (var value in left)
        {
            at = isSparse ? Seek(right, at, value) : Walk(right, at, value);
            if (at == right.Length)
            {
                break;
            }

            if (right[at] == value)
            {
                result[count++] = value;
            }
        }

        Array.Resize(ref result, count);
        return result;
    }

    /// <summary>What is in the left list and not in the right one.</summary>
    public static uint[] Subtract(uint[] left, ReadOnlySpan<uint> right)
    {
        if (right.IsEmpty)
        {
            return left;
        }

        var result = new uint[left.Length];
        var (count, at) = (0, 0);
        var isSparse = left.Length * (long)SearchRatio < right.Length;
        foreach (var value in left)
        {
            at = isSparse ? Seek(right, at, value) : Walk(right, at, value);
            if (at == right.Length || right[at] != value)
            {
                result[count++] = value;
            }
        }

        Array.Resize(ref result, count);
        return result;
    }

    /// <summary>What is in any of the lists: they are merged in pairs, so each number is moved only log(lists) times.</summary>
    public static uint[] Union(List<uint[]> lists)
    {
        while (lists.Count > 1)
        {
            var half = (lists.Count + 1) / 2;
            for (var i = 0; i < lists.Count / 2; i++)
            {
                lists[i] = Union(lists[i], lists[half + i]);
            }

            lists.RemoveRange(half, lists.Count - half);
        }

        return lists.Count == 0 ? [] : lists[0];
    }

    private static uint[] Union(uint[] left, uint[] right)
    {
        var result = new uint[left.Length + right.Length];
        var (i, j, count) = (0, 0, 0);
        while (i < left.Length && j < right.Length)
        {
            var (first, second) = (left[i], right[j]);
            result[count++] = Math.Min(first, second);
            i += first <= second ? 1 : 0;
            j += second <= first ? 1 : 0;
        }

        left.AsSpan(i).CopyTo(result.AsSpan(count));
        count += left.Length - i;
        right.AsSpan(j).CopyTo(result.AsSpan(count));
        count += right.Length - j;
        Array.Resize(ref result, count);
        return result;
    }

    // The first place from `at` on whose number is not less.
    private static int Walk(ReadOnlySpan<uint> list, int at, uint value)
    {
        while (at < list.Length && list[at] < value)
        {
            at++;
        }

        return at;
    }

    private static int Seek(ReadOnlySpan<uint> list, int at, uint value)
    {
        var step = 1;
        while (at + step < list.Length && list[at + step] < value)
        {
            step <<= 1;
        }

        var found = list[at..Math.Min(list.Length, at + step + 1)].BinarySearch(value);
        return at + (found < 0 ? ~found : found);
    }
}
