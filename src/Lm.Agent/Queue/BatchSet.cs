using Lm.Protocol;

namespace Lm.Agent.Queue;

/// <summary>A set of batches of one queue directory, by generation.</summary>
internal sealed class BatchSet
{
    private readonly SortedDictionary<uint, SequenceSet> generations = [];

    /// <summary>The generations and their numbers, ascending.</summary>
    public IReadOnlyDictionary<uint, SequenceSet> Generations => generations;

    /// <summary>How many intervals there are in all.</summary>
    public int RangeCount => generations.Values.Sum(sequences => sequences.Ranges.Count);

    public bool Add(BatchNumber batch) => Of(batch.Generation).Add(batch.Sequence);

    public void Add(uint generation, SequenceSet sequences) => Of(generation).Add(sequences);

    public void Add(BatchSet other)
    {
        foreach (var (generation, sequences) in other.generations)
        {
            Add(generation, sequences);
        }
    }

    public bool Contains(BatchNumber batch) =>
        generations.TryGetValue(batch.Generation, out var sequences) && sequences.Contains(batch.Sequence);

    /// <summary>The numbers of a generation; an empty set that is kept when there are none yet.</summary>
    public SequenceSet Of(uint generation)
    {
        if (!generations.TryGetValue(generation, out var sequences))
        {
            generations[generation] = sequences = new SequenceSet();
        }

        return sequences;
    }
}
