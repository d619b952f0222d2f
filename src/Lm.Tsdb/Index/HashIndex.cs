namespace Lm.Tsdb.Index;

/// <summary>Finds dense numbers by a hash: open addressing over two <c>int</c> arrays, no object for an entry. The caller compares what the numbers stand for.</summary>
internal sealed class HashIndex
{
    private const int FirstSize = 64;

    private int[] buckets = new int[FirstSize]; // number + 1; 0 is free
    private int[] hashes = new int[FirstSize]; // by number
    private int count;

    /// <summary>Memory, bytes.</summary>
    public long SizeBytes => sizeof(int) * ((long)buckets.Length + hashes.Length);

    /// <summary>The bucket where the search for a hash begins.</summary>
    public int First(int hash) => hash & (buckets.Length - 1);

    /// <summary>The bucket that follows.</summary>
    public int Next(int bucket) => (bucket + 1) & (buckets.Length - 1);

    /// <summary>What stands in a bucket; below 0 when nothing does, which ends the search.</summary>
    public int At(int bucket) => buckets[bucket] - 1;

    /// <summary>The hash that a number was added with.</summary>
    public int HashOf(int number) => hashes[number];

    /// <summary>Adds a number that is not there.</summary>
    public void Add(int number, int hash)
    {
        if (++count > buckets.Length / 3 * 2)
        {
            Grow();
        }

        if (number >= hashes.Length)
        {
            Array.Resize(ref hashes, Math.Max(number + 1, hashes.Length * 2));
        }

        hashes[number] = hash;
        Put(number);
    }

    /// <summary>Takes a number out.</summary>
    public void Remove(int number)
    {
        var hole = First(hashes[number]);
        while (At(hole) != number)
        {
            hole = Next(hole);
        }

        // What follows moves up when the hole lies between its own first bucket and where it stands: no search may end early.
        var mask = buckets.Length - 1;
        for (var bucket = Next(hole); At(bucket) is >= 0 and var moved; bucket = Next(bucket))
        {
            if (((bucket - First(hashes[moved])) & mask) >= ((bucket - hole) & mask))
            {
                buckets[hole] = moved + 1;
                hole = bucket;
            }
        }

        buckets[hole] = 0;
        count--;
    }

    /// <summary>Spreads a number over all bits.</summary>
    public static int Mix(ulong key) => (int)((key * 0x9E3779B97F4A7C15) >> 32);

    private void Put(int number)
    {
        var bucket = First(hashes[number]);
        while (buckets[bucket] != 0)
        {
            bucket = Next(bucket);
        }

        buckets[bucket] = number + 1;
    }

    private void Grow()
    {
        var old = buckets;
        buckets = new int[old.Length * 2];
        foreach (var entry in old)
        {
            if (entry != 0)
            {
                Put(entry - 1);
            }
        }
    }
}
