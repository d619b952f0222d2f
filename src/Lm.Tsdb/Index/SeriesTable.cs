namespace Lm.Tsdb.Index;

/// <summary>All series of a head: dense numbers, their labels as numbers in slabs, and for each label the series that have it.</summary>
/// <remarks>
/// Invariants: written by the head's writer under its gate; a reader takes lists under the gate, walks them without, and reads the labels of series it found
/// without, since neither slabs nor entries in use change.
/// A series is taken out in two steps: <see cref="Remove"/> hides it, <see cref="Free"/> gives its number back when no reader can hold it any more.
/// </remarks>
internal sealed class SeriesTable
{
    /// <summary>Labels of a series at most: far above what the wire allows, and what fits into a slab.</summary>
    public const int LabelsMax = 4096;

    /// <summary>Series at most.</summary>
    public const int SeriesMax = 1 << 28;

    private const int SlabBits = 16;
    private const int SlabSize = 1 << SlabBits;

    private readonly HashIndex index = new();
    private readonly Stack<int> free = new();
    private readonly Dictionary<int, Stack<int>> freeRuns = []; // by number of labels: places of series that went
    private int[][] slabs = [new int[SlabSize]];
    private int slabCount = 1;
    private int slabUsed;
    private int[] starts = new int[64]; // of a run in the slabs: the number of labels, then the labels by name
    private int[] found = new int[64]; // of the search, the writer's
    private SeriesIds all;
    private int count;

    /// <summary>The labels.</summary>
    public LabelTable Labels { get; } = new();

    /// <summary>Series that there are.</summary>
    public int Count => all.Count;

    /// <summary>All numbers lie below.</summary>
    public int Limit => count;

    /// <summary>Memory, bytes.</summary>
    public long SizeBytes => Labels.SizeBytes + index.SizeBytes + ((long)slabCount * SlabSize * sizeof(int)) + (sizeof(int) * (long)starts.Length) + all.SizeBytes;

    /// <summary>Every series.</summary>
    public SeriesIds.Snapshot All() => all.Take();

    /// <summary>The numbers of a series' labels, sorted by name.</summary>
    public ReadOnlySpan<int> LabelsOf(int series)
    {
        var start = starts[series];
        var slab = slabs[start >> SlabBits];
        var at = start & (SlabSize - 1);
        return slab.AsSpan(at + 1, slab[at]);
    }

    /// <summary>A series' labels.</summary>
    public LabelSet LabelSetOf(int series)
    {
        var run = LabelsOf(series);
        var labels = new Label[run.Length];
        for (var i = 0; i < run.Length; i++)
        {
            labels[i] = Labels[run[i]];
        }

        return LabelSet.FromSorted(labels);
    }

    /// <summary>The series with these labels; added when there is none.</summary>
    /// <param name="labels">At most <see cref="LabelsMax"/>.</param>
    /// <param name="isNew">Whether it was added.</param>
    public int FindOrAdd(LabelSet labels, out bool isNew) => FindOrAdd(Resolve(labels.Labels), out isNew);

    /// <summary>The series with these labels, given as numbers sorted by name; added when there is none.</summary>
    public int FindOrAdd(ReadOnlySpan<int> run, out bool isNew)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(run.Length, LabelsMax);
        var hash = Hash(run);
        var series = Find(run, hash);
        isNew = series < 0;
        if (isNew)
        {
            series = free.Count > 0 ? free.Pop() : count++;
            Put(series, run, hash);
        }

        return series;
    }

    /// <summary>The series with these labels; below 0 when there is none.</summary>
    public int Find(LabelSet labels)
    {
        Span<int> run = labels.Labels.Length <= 64 ? stackalloc int[64] : new int[labels.Labels.Length];
        run = run[..labels.Labels.Length];
        for (var i = 0; i < run.Length; i++)
        {
            run[i] = Labels.Find(labels.Labels[i].Name, labels.Labels[i].Value);
            if (run[i] < 0)
            {
                return -1;
            }
        }

        return Find(run, Hash(run));
    }

    /// <summary>Puts a series where the head's files have it; <see cref="EndRestore"/> follows the last one.</summary>
    /// <param name="series">Its number.</param>
    /// <param name="labels">The numbers of its labels, sorted by name.</param>
    /// <returns>False when the number or the labels are another's.</returns>
    public bool TryRestore(int series, ReadOnlySpan<int> labels)
    {
        var hash = Hash(labels);
        if (series is < 0 or >= SeriesMax || labels.Length > LabelsMax || (series < count && starts[series] >= 0) || Find(labels, hash) >= 0)
        {
            return false;
        }

        if (series >= starts.Length)
        {
            Array.Resize(ref starts, Math.Max(series + 1, starts.Length * 2));
        }

        for (; count <= series; count++)
        {
            starts[count] = -1;
        }

        Put(series, labels, hash);
        return true;
    }

    /// <summary>Finds the numbers that are free between those that were restored.</summary>
    public void EndRestore()
    {
        for (var series = count - 1; series >= 0; series--)
        {
            if (starts[series] < 0)
            {
                free.Push(series);
            }
        }
    }

    /// <summary>Hides series: nobody finds them any more. Outside the gate; takes it for a slice at a time.</summary>
    /// <param name="gone">Which.</param>
    /// <param name="gate">The head's gate.</param>
    public void Remove(List<int> gone, Lock gate)
    {
        var marked = new ulong[(count >> 6) + 1];
        var touched = new HashSet<int>();
        foreach (var series in gone)
        {
            SeriesIds.Mark(marked, series);
            foreach (var label in LabelsOf(series))
            {
                touched.Add(label);
            }
        }

        // The lists are made without the gate, for only the writer, who is here, changes them. A series that is in some lists and no longer in others is
        // found by some readers and not by others: each is right at one moment of the search.
        foreach (var slice in touched.Chunk(4096))
        {
            var lists = new SeriesIds[slice.Length];
            for (var i = 0; i < slice.Length; i++)
            {
                lists[i] = Labels.Without(slice[i], marked);
            }

            lock (gate)
            {
                for (var i = 0; i < slice.Length; i++)
                {
                    Labels.Replace(slice[i], lists[i]);
                }
            }
        }

        var left = all.Without(marked);
        lock (gate)
        {
            all = left;
            foreach (var series in gone)
            {
                index.Remove(series);
            }
        }
    }

    /// <summary>Gives back the numbers of hidden series, and labels that only they had. Under the gate.</summary>
    public void Free(IEnumerable<int> gone)
    {
        var labelsGone = new Dictionary<int, List<int>>(); // by name
        foreach (var series in gone)
        {
            var run = LabelsOf(series);
            foreach (var label in run)
            {
                if (Labels.Release(label))
                {
                    var name = Labels.NameOf(label);
                    if (!labelsGone.TryGetValue(name, out var list))
                    {
                        labelsGone.Add(name, list = []);
                    }

                    list.Add(label);
                }
            }

            if (!freeRuns.TryGetValue(run.Length, out var runs))
            {
                freeRuns.Add(run.Length, runs = new Stack<int>());
            }

            runs.Push(starts[series]);
            free.Push(series);
        }

        foreach (var (name, list) in labelsGone)
        {
            Labels.RemoveFromName(name, list);
        }
    }

    private ReadOnlySpan<int> Resolve(ReadOnlySpan<Label> labels)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(labels.Length, LabelsMax);
        if (labels.Length > found.Length)
        {
            found = new int[Math.Max(labels.Length, found.Length * 2)];
        }

        for (var i = 0; i < labels.Length; i++)
        {
            found[i] = Labels.FindOrAdd(labels[i].Name, labels[i].Value);
        }

        return found.AsSpan(0, labels.Length);
    }

    private int Find(ReadOnlySpan<int> run, int hash)
    {
        for (var bucket = index.First(hash); index.At(bucket) is >= 0 and var series; bucket = index.Next(bucket))
        {
            if (index.HashOf(series) == hash && LabelsOf(series).SequenceEqual(run))
            {
                return series;
            }
        }

        return -1;
    }

    private void Put(int series, ReadOnlySpan<int> run, int hash)
    {
        if (series >= starts.Length)
        {
            Array.Resize(ref starts, Math.Max(series + 1, starts.Length * 2));
        }

        var start = Place(run.Length);
        var slab = slabs[start >> SlabBits];
        var at = start & (SlabSize - 1);
        slab[at] = run.Length;
        run.CopyTo(slab.AsSpan(at + 1));
        starts[series] = start;
        index.Add(series, hash);
        all.Add(series);
        foreach (var label in run)
        {
            Labels.AddSeries(label, series);
        }
    }

    private int Place(int length)
    {
        if (freeRuns.TryGetValue(length, out var runs) && runs.TryPop(out var start))
        {
            return start;
        }

        if (SlabSize - slabUsed < length + 1)
        {
            if (slabCount == slabs.Length)
            {
                Array.Resize(ref slabs, slabCount * 2);
            }

            slabs[slabCount++] = new int[SlabSize];
            slabUsed = 0;
        }

        start = ((slabCount - 1) << SlabBits) + slabUsed;
        slabUsed += length + 1;
        return start;
    }

    private static int Hash(ReadOnlySpan<int> run)
    {
        var key = (ulong)run.Length;
        foreach (var label in run)
        {
            key = ((key ^ (uint)label) * 0x9E3779B97F4A7C15) ^ (key >> 29);
        }

        return HashIndex.Mix(key);
    }
}
