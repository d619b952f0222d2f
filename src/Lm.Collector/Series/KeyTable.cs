namespace Lm.Collector.Series;

/// <summary>Numbers by <see cref="SeriesKey"/>: 32 bytes for each, no object.</summary>
/// <remarks>Entries stand in the order in which they were added. Senders repeat their series in one order, so the one looked for usually stands behind the one
/// found last: then nothing is hashed into a table that no cache holds.</remarks>
internal sealed class KeyTable
{
    private const int SlabBits = 12;
    private const int SlabSize = 1 << SlabBits;
    private const int FirstBuckets = 1024;

    private Entry[][] slabs = new Entry[1][];
    private int[] buckets = new int[FirstBuckets]; // entry + 1; 0 is free
    private int next; // behind the one found last

    /// <summary>Entries.</summary>
    public int Count { get; private set; }

    /// <summary>A key's number; below 0 when it has none.</summary>
    public int Find(in SeriesKey key)
    {
        if (next < Count)
        {
            ref var guess = ref At(next);
            if (guess.Key == key)
            {
                next++;
                return guess.Number;
            }
        }

        var mask = buckets.Length - 1;
        for (var bucket = (int)key.A & mask; buckets[bucket] is > 0 and var found; bucket = (bucket + 1) & mask)
        {
            ref var entry = ref At(found - 1);
            if (entry.Key == key)
            {
                next = found;
                return entry.Number;
            }
        }

        return -1;
    }

    /// <summary>Adds a key that is not there.</summary>
    /// <param name="key">The key.</param>
    /// <param name="number">Its number.</param>
    /// <param name="stamp">What <see cref="Keep"/> is told of it.</param>
    public void Add(in SeriesKey key, int number, int stamp)
    {
        Append(new Entry { Key = key, Number = number, Stamp = stamp });
        if (Count > buckets.Length / 2)
        {
            Rebuild(buckets.Length * 2);
        }
        else
        {
            Put(Count - 1);
        }

        next = Count;
    }

    /// <summary>Forgets all.</summary>
    public void Clear()
    {
        (slabs, buckets, Count, next) = (new Entry[1][], new int[FirstBuckets], 0, 0);
    }

    /// <summary>Forgets some.</summary>
    /// <param name="isKept">Whether a number with its stamp stays.</param>
    public void Keep(Func<int, int, bool> isKept)
    {
        var all = Count;
        (Count, next) = (0, 0);
        for (var i = 0; i < all; i++)
        {
            var entry = At(i);
            if (isKept(entry.Number, entry.Stamp))
            {
                At(Count++) = entry;
            }
        }

        for (var slab = (Count + SlabSize - 1) >> SlabBits; slab < slabs.Length; slab++)
        {
            slabs[slab] = null!;
        }

        var size = FirstBuckets;
        while (size < Count * 2)
        {
            size *= 2;
        }

        Rebuild(size);
    }

    private ref Entry At(int entry) => ref slabs[entry >> SlabBits][entry & (SlabSize - 1)];

    private void Append(in Entry entry)
    {
        var slab = Count >> SlabBits;
        if (slab == slabs.Length)
        {
            Array.Resize(ref slabs, slabs.Length * 2);
        }

        slabs[slab] ??= new Entry[SlabSize];
        At(Count++) = entry;
    }

    private void Rebuild(int size)
    {
        buckets = new int[size];
        for (var i = 0; i < Count; i++)
        {
            Put(i);
        }
    }

    private void Put(int entry)
    {
        var mask = buckets.Length - 1;
        var bucket = (int)At(entry).Key.A & mask;
        while (buckets[bucket] != 0)
        {
            bucket = (bucket + 1) & mask;
        }

        buckets[bucket] = entry + 1;
    }

    private struct Entry
    {
        public SeriesKey Key;
        public int Number;
        public int Stamp;
    }
}
