namespace Lm.Collector.Series;

/// <summary>Series that readers walk without a lock: appending never touches what a snapshot shows.</summary>
internal sealed class SeriesList
{
    private MemorySeries[] items = new MemorySeries[4];

    /// <summary>How many.</summary>
    public int Count { get; private set; }

    /// <summary>Appends one; under the store's gate.</summary>
    public void Add(MemorySeries series)
    {
        if (Count == items.Length)
        {
            Array.Resize(ref items, items.Length * 2);
        }

        items[Count++] = series;
    }

    /// <summary>Those there are now. Take it under the store's gate; what it shows never changes.</summary>
    public ReadOnlyMemory<MemorySeries> Snapshot() => items.AsMemory(0, Count);

    /// <summary>A new list of those that satisfy a condition.</summary>
    public SeriesList Where(Predicate<MemorySeries> condition)
    {
        var kept = new SeriesList();
        foreach (var series in Snapshot().Span)
        {
            if (condition(series))
            {
                kept.Add(series);
            }
        }

        return kept;
    }
}
