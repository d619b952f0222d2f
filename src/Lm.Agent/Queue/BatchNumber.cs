namespace Lm.Agent.Queue;

/// <summary>A batch in this queue directory.</summary>
/// <param name="Generation">Which of the directory's queue ids, from 1: each change of the id begins the next.</param>
/// <param name="Sequence">The sequence number under that id, from 1.</param>
internal readonly record struct BatchNumber(uint Generation, ulong Sequence) : IComparable<BatchNumber>
{
    public int CompareTo(BatchNumber other) =>
        Generation != other.Generation ? Generation.CompareTo(other.Generation) : Sequence.CompareTo(other.Sequence);

    public override string ToString() => $"{Sequence} (generation {Generation})";
}
