using System.Numerics;

namespace Lm.PromQL;

/// <summary>An unstable sort that leaves equal values in the very order in which Go's <c>sort.Sort</c> leaves them: what a user of Prometheus sees of <c>sort</c> and <c>topk</c>
/// is that order.</summary>
/// <remarks>Pattern-defeating quicksort, with the thresholds that Go chose; every comparison and exchange decides where equal values end, so none may be left out
/// or added. It ends whatever the comparison says, also for one that contradicts itself. Source: O. Peters, "Pattern-defeating Quicksort", arXiv:2106.05123.</remarks>
/// <param name="items">What is sorted.</param>
/// <param name="isLess">Whether the first item belongs before the second.</param>
internal readonly struct PatternSort(int[] items, Func<int, int, bool> isLess)
{
    private const int InsertionMax = 12;
    private const int MedianMin = 8;
    private const int NintherMin = 50;
    private const int ShiftMin = 50;
    private const int ShiftsMax = 5;
    private const int SwapsMax = 12; // of four medians of three: the range descends

    /// <summary>Sorts all items.</summary>
    public void Sort() => Sort(0, items.Length, BitOperations.Log2((uint)items.Length | 1) + 1);

    private void Sort(int from, int until, int badAllowed)
    {
        var (wasBalanced, wasPartitioned) = (true, true);
        while (until - from > InsertionMax)
        {
            var length = until - from;
            if (badAllowed == 0)
            {
                HeapSort(from, until);
                return;
            }

            if (!wasBalanced)
            {
                BreakPattern(from, until);
                badAllowed--;
            }

            var pivot = ChoosePivot(from, until, out var swaps);
            var ascends = swaps == 0;
            if (swaps == SwapsMax)
            {
                items.AsSpan(from, length).Reverse();
                pivot = until - 1 - (pivot - from);
                ascends = true;
            }

            if (wasBalanced && wasPartitioned && ascends && TryShift(from, until))
            {
                return;
            }

            if (from > 0 && !Less(from - 1, pivot))
            {
                from = PartitionEqual(from, until, pivot); // all of them equal the pivot of the range before
                continue;
            }

            var middle = Partition(from, until, pivot, out wasPartitioned);
            var (left, right) = (middle - from, until - middle);
            wasBalanced = Math.Min(left, right) >= length / 8;
            if (left < right)
            {
                Sort(from, middle, badAllowed);
                from = middle + 1;
            }
            else
            {
                Sort(middle + 1, until, badAllowed);
                until = middle;
            }
        }

        Insert(from, until);
    }

    private void Insert(int from, int until)
    {
        for (var next = from + 1; next < until; next++)
        {
            for (var at = next; at > from && Less(at, at - 1); at--)
            {
                Swap(at, at - 1);
            }
        }
    }

    private void HeapSort(int from, int until)
    {
        var length = until - from;
        for (var root = (length - 1) / 2; root >= 0; root--)
        {
            SiftDown(from, root, length);
        }

        for (var last = length - 1; last >= 0; last--)
        {
            Swap(from, from + last);
            SiftDown(from, 0, last);
        }
    }

    private void SiftDown(int from, int root, int length)
    {
        for (var child = (2 * root) + 1; child < length; child = (2 * root) + 1)
        {
            child += child + 1 < length && Less(from + child, from + child + 1) ? 1 : 0;
            if (!Less(from + root, from + child))
            {
                return;
            }

            Swap(from + root, from + child);
            root = child;
        }
    }

    // Three items around the middle change places with others at random, the same ones for the same length.
    private void BreakPattern(int from, int until)
    {
        var length = until - from;
        var mask = (1UL << (BitOperations.Log2((uint)length) + 1)) - 1;
        var random = (ulong)length;
        for (var i = 0; i < 3; i++)
        {
            random ^= random << 13;
            random ^= random >> 17;
            random ^= random << 5;
            var other = (int)(random & mask);
            Swap(from + (length / 4 * 2) - 1 + i, from + (other >= length ? other - length : other));
        }
    }

    private int ChoosePivot(int from, int until, out int swaps)
    {
        swaps = 0;
        var length = until - from;
        var quarter = length / 4;
        var (low, middle, high) = (from + quarter, from + (quarter * 2), from + (quarter * 3));
        if (length < MedianMin)
        {
            return middle;
        }

        if (length >= NintherMin)
        {
            low = Median(low - 1, low, low + 1, ref swaps);
            middle = Median(middle - 1, middle, middle + 1, ref swaps);
            high = Median(high - 1, high, high + 1, ref swaps);
        }

        return Median(low, middle, high, ref swaps);
    }

    private int Median(int first, int second, int third, ref int swaps)
    {
        Order(ref first, ref second, ref swaps);
        Order(ref second, ref third, ref swaps);
        Order(ref first, ref second, ref swaps);
        return second;
    }

    private void Order(ref int first, ref int second, ref int swaps)
    {
        if (Less(second, first))
        {
            (first, second) = (second, first);
            swaps++;
        }
    }

    // A range that is nearly sorted needs a few items moved.
    private bool TryShift(int from, int until)
    {
        var next = from + 1;
        for (var step = 0; step < ShiftsMax; step++)
        {
            while (next < until && !Less(next, next - 1))
            {
                next++;
            }

            if (next == until)
            {
                return true;
            }

            if (until - from < ShiftMin)
            {
                return false;
            }

            Swap(next, next - 1);
            for (var at = next - 1; next - from >= 2 && at >= 1 && Less(at, at - 1); at--)
            {
                Swap(at, at - 1);
            }

            for (var at = next + 1; until - next >= 2 && at < until && Less(at, at - 1); at++)
            {
                Swap(at, at - 1);
            }
        }

        return false;
    }

    private int Partition(int from, int until, int pivot, out bool wasPartitioned)
    {
        Swap(from, pivot);
        var (left, right) = (from + 1, until - 1);
        wasPartitioned = true;
        while (true)
        {
            while (left <= right && Less(left, from))
            {
                left++;
            }

            while (left <= right && !Less(right, from))
            {
                right--;
            }

            if (left > right)
            {
                Swap(right, from);
                return right;
            }

            Swap(left++, right--);
            wasPartitioned = false;
        }
    }

    private int PartitionEqual(int from, int until, int pivot)
    {
        Swap(from, pivot);
        var (left, right) = (from + 1, until - 1);
        while (true)
        {
            while (left <= right && !Less(from, left))
            {
                left++;
            }

            while (left <= right && Less(from, right))
            {
                right--;
            }

            if (left > right)
            {
                return left;
            }

            Swap(left++, right--);
        }
    }

    private bool Less(int left, int right) => isLess(items[left], items[right]);

    private void Swap(int left, int right) => (items[left], items[right]) = (items[right], items[left]);
}
