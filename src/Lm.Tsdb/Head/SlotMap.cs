using System.Runtime.CompilerServices;
using Lm.Tsdb.Index;

namespace Lm.Tsdb.Head;

/// <summary>From a series to its slot in a window: a table for few of all series, an array for many.</summary>
internal sealed class SlotMap
{
    private const int FirstSize = 64;
    private const int DenseShare = 4; // one in so many: then the array is no larger than the table

    private int[] keys = new int[FirstSize]; // series + 1; 0 is free
    private int[] slots = new int[FirstSize];
    private int[]? dense; // slot + 1 by series
    private int count;

    /// <summary>Memory, bytes.</summary>
    public long SizeBytes => sizeof(int) * (dense?.Length ?? (2L * keys.Length));

    /// <summary>A series' slot; below 0 when it has none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Find(int series)
    {
        if (dense is { } array)
        {
            return (uint)series < (uint)array.Length ? array[series] - 1 : -1;
        }

        var at = Bucket(series);
        return keys[at] == 0 ? -1 : slots[at];
    }

    /// <summary>Adds a series that is not there.</summary>
    /// <param name="series">Which.</param>
    /// <param name="slot">Its slot.</param>
    /// <param name="seriesLimit">All series lie below.</param>
    public void Add(int series, int slot, int seriesLimit)
    {
        count++;
        if (dense is not null)
        {
            AddDense(series, slot, seriesLimit);
            return;
        }

        if (count > keys.Length / 2)
        {
            if (count > seriesLimit / DenseShare)
            {
                MakeDense(seriesLimit);
                AddDense(series, slot, seriesLimit);
                return;
            }

            Grow();
        }

        var at = Bucket(series);
        (keys[at], slots[at]) = (series + 1, slot);
    }

    /// <summary>All series, ascending.</summary>
    public int[] Series()
    {
        var found = new int[count];
        var at = 0;
        if (dense is { } array)
        {
            for (var series = 0; series < array.Length; series++)
            {
                if (array[series] != 0)
                {
                    found[at++] = series;
                }
            }

            return found;
        }

        foreach (var key in keys)
        {
            if (key != 0)
            {
                found[at++] = key - 1;
            }
        }

        Array.Sort(found);
        return found;
    }

    private int Bucket(int series)
    {
        var mask = keys.Length - 1;
        var at = HashIndex.Mix((uint)series) & mask;
        while (keys[at] != 0 && keys[at] != series + 1)
        {
            at = (at + 1) & mask;
        }

        return at;
    }

    private void AddDense(int series, int slot, int seriesLimit)
    {
        if (series >= dense!.Length)
        {
            Array.Resize(ref dense, Math.Max(series + 1, seriesLimit + (seriesLimit / 8)));
        }

        dense[series] = slot + 1;
    }

    private void MakeDense(int seriesLimit)
    {
        var array = new int[seriesLimit + (seriesLimit / 8)];
        for (var i = 0; i < keys.Length; i++)
        {
            if (keys[i] != 0)
            {
                array[keys[i] - 1] = slots[i] + 1;
            }
        }

        (dense, keys, slots) = (array, [], []);
    }

    private void Grow()
    {
        var (oldKeys, oldSlots) = (keys, slots);
        (keys, slots) = (new int[oldKeys.Length * 2], new int[oldKeys.Length * 2]);
        for (var i = 0; i < oldKeys.Length; i++)
        {
            if (oldKeys[i] != 0)
            {
                var at = Bucket(oldKeys[i] - 1);
                (keys[at], slots[at]) = (oldKeys[i], oldSlots[i]);
            }
        }
    }
}
