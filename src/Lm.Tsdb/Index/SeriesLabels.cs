namespace Lm.Tsdb.Index;

/// <summary>Label sets of a head's series that queries asked for lately: dashboards ask for the same ones again and again.</summary>
/// <remarks>A table of fixed size where a newcomer takes the place of what was there, so the memory is bounded: some 12 MiB at usual label sets.
/// Safe for concurrent use by readers whose epoch keeps the series they ask for: a lost race costs a second label set.</remarks>
internal sealed class SeriesLabels(SeriesTable table)
{
    private const int Slots = 1 << 16;

    private readonly Entry?[] entries = new Entry?[Slots];

    /// <summary>A series' labels.</summary>
    public LabelSet Of(int series)
    {
        ref var slot = ref entries[series % Slots];
        if (Volatile.Read(ref slot) is { } entry && entry.Series == series)
        {
            return entry.Labels;
        }

        var labels = table.LabelSetOf(series);
        Volatile.Write(ref slot, new Entry(series, labels));
        return labels;
    }

    /// <summary>Forgets a series whose number becomes another's. No reader may hold it any more.</summary>
    public void Forget(int series)
    {
        ref var slot = ref entries[series % Slots];
        if (slot?.Series == series)
        {
            slot = null;
        }
    }

    private sealed class Entry(int series, LabelSet labels)
    {
        public int Series => series;

        public LabelSet Labels => labels;
    }
}
