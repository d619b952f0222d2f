namespace Lm.Tsdb.Blocks;

/// <summary>What blocks hold already of the series that are about to be written, so that no two published blocks say different things of one time.</summary>
/// <remarks>Keeps the blocks readable until disposed of. Not safe for concurrent use.</remarks>
public sealed class ExistingSamples : IDisposable
{
    private readonly BlockSnapshot snapshot;
    private readonly uint[][] series;
    private readonly SampleBuffer existing = new();
    private readonly SampleBuffer kept = new();
    private readonly SampleMerge merge = new();

    /// <summary>Looks at the blocks as they are now.</summary>
    /// <param name="blocks">The blocks.</param>
    /// <param name="from">The earliest time that will be asked for.</param>
    /// <param name="until">The latest.</param>
    public ExistingSamples(BlockSet blocks, long from, long until)
    {
        snapshot = blocks.Take(from, until);
        try
        {
            series = [.. snapshot.Blocks.Select(block => block.Index.AllSeries())];
        }
        catch
        {
            snapshot.Dispose();
            throw;
        }
    }

    /// <summary>Removes the samples of whose times a block has one already; the values are not compared, since the earlier one stays in any case.</summary>
    /// <param name="labels">The series; any order of calls will do.</param>
    /// <param name="samples">Its samples, ascending, within the range.</param>
    /// <returns>How many were removed.</returns>
    public int RemoveFrom(LabelSet labels, SampleBuffer samples)
    {
        var before = samples.Count;
        for (var i = 0; i < series.Length && samples.Count > 0; i++)
        {
            existing.Clear();
            ReadBlock(i, labels, samples.Times[0], samples.Times[^1], existing);
            Subtract(samples);
        }

        return before - samples.Count;
    }

    /// <summary>Appends the samples that blocks hold of a series, ascending, each time once.</summary>
    /// <param name="labels">The series; any order of calls will do.</param>
    /// <param name="from">The earliest time.</param>
    /// <param name="until">The latest time.</param>
    /// <param name="into">Where they go.</param>
    public void Read(LabelSet labels, long from, long until, SampleBuffer into)
    {
        var start = into.Count;
        for (var i = 0; i < series.Length; i++)
        {
            var second = into.Count;
            ReadBlock(i, labels, from, until, into);
            merge.Merge(into, start, second);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => snapshot.Dispose();

    // A block's series are sorted: twenty looks find one of a million.
    private void ReadBlock(int number, LabelSet labels, long from, long until, SampleBuffer into)
    {
        var block = snapshot.Blocks[number];
        if (block.Overlaps(from, until) && block.Index.TryFind(series[number], labels, out var reference))
        {
            block.ReadSamples(reference, from, until, into);
        }
    }

    private void Subtract(SampleBuffer samples)
    {
        if (existing.Count == 0)
        {
            return;
        }

        kept.Clear();
        var at = 0;
        for (var i = 0; i < samples.Count; i++)
        {
            while (at < existing.Count && existing.Times[at] < samples.Times[i])
            {
                at++;
            }

            if (at == existing.Count || existing.Times[at] != samples.Times[i])
            {
                kept.Add(samples.Times[i], samples.Values[i]);
            }
        }

        samples.Clear();
        samples.Append(kept.Times, kept.Values);
    }
}
