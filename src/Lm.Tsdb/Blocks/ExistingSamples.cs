namespace Lm.Tsdb.Blocks;

/// <summary>Takes out of late samples those that blocks hold already, so that no two published blocks say different things of one time.</summary>
/// <remarks>Keeps the blocks readable until disposed of. Not safe for concurrent use.</remarks>
public sealed class ExistingSamples : IDisposable
{
    private readonly BlockSnapshot snapshot;
    private readonly uint[][] series;
    private readonly SampleBuffer existing = new();
    private readonly SampleBuffer kept = new();

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
            var block = snapshot.Blocks[i];
            if (block.Overlaps(samples.Times[0], samples.Times[^1]) && block.Index.TryFind(series[i], labels, out var reference))
            {
                existing.Clear();
                block.ReadSamples(reference, samples.Times[0], samples.Times[^1], existing);
                Subtract(samples);
            }
        }

        return before - samples.Count;
    }

    /// <inheritdoc/>
    public void Dispose() => snapshot.Dispose();

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
