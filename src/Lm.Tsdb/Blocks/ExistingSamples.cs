namespace Lm.Tsdb.Blocks;

/// <summary>What blocks hold already of the series that are about to be written, so that no two published blocks say different things of one time.</summary>
/// <remarks>Keeps the blocks readable until disposed of. Four bytes for each series of each block: their labels stay where they are. Not safe for concurrent use.</remarks>
public sealed class ExistingSamples : IDisposable
{
    private readonly BlockSnapshot snapshot;
    private readonly uint[][] series;
    private readonly int[] nexts; // by block: the first series that does not come before the one asked for last
    private readonly SampleMerge merge = new();

    /// <summary>Looks at the blocks as they are now.</summary>
    /// <param name="blocks">The blocks.</param>
    /// <param name="from">The earliest time that will be asked for.</param>
    /// <param name="until">The latest.</param>
    public ExistingSamples(BlockSet blocks, long from, long until)
        : this((blocks ?? throw new ArgumentNullException(nameof(blocks))).Take(from, until))
    {
    }

    /// <summary>Looks at blocks wherever they lie.</summary>
    /// <param name="snapshot">The blocks; disposed of with it.</param>
    public ExistingSamples(BlockSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        this.snapshot = snapshot;
        try
        {
            series = [.. snapshot.Blocks.Select(block => block.Index.AllSeries())];
            nexts = new int[series.Length];
        }
        catch
        {
            snapshot.Dispose();
            throw;
        }
    }

    /// <summary>Appends the samples that blocks hold of a series, ascending, each time once.</summary>
    /// <param name="labels">The series; asked for in the order of labels it is found at once, in any other by a search.</param>
    /// <param name="from">The earliest time.</param>
    /// <param name="until">The latest time.</param>
    /// <param name="into">Where they go.</param>
    public void Read(LabelSet labels, long from, long until, SampleBuffer into)
    {
        ArgumentNullException.ThrowIfNull(into);
        var start = into.Count;
        for (var i = 0; i < series.Length; i++)
        {
            var block = snapshot.Blocks[i];
            if (block.Overlaps(from, until) && TryFind(i, labels, out var reference))
            {
                var second = into.Count;
                block.ReadSamples(reference, from, until, into);
                merge.Merge(into, start, second);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => snapshot.Dispose();

    // Doubling steps from the last place: a step or two for the next series, twenty looks for any of a million.
    private bool TryFind(int number, LabelSet labels, out uint reference)
    {
        var all = series[number];
        var low = nexts[number];
        if (low > 0 && Order(number, low - 1, labels) >= 0)
        {
            low = 0; // it comes before the one asked for last
        }

        var high = low;
        for (var step = 1; high < all.Length && Order(number, high, labels) < 0; step *= 2)
        {
            (low, high) = (high + 1, Math.Min(all.Length, high + step));
        }

        while (low < high)
        {
            var middle = (low + high) >>> 1;
            (low, high) = Order(number, middle, labels) < 0 ? (middle + 1, high) : (low, middle);
        }

        nexts[number] = low;
        var isThere = low < all.Length && Order(number, low, labels) == 0;
        reference = isThere ? all[low] : 0;
        return isThere;
    }

    private int Order(int number, int at, LabelSet labels) => snapshot.Blocks[number].Index.DecodeLabels(series[number][at]).CompareTo(labels);
}
