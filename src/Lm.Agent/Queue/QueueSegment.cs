namespace Lm.Agent.Queue;

/// <summary>What is kept in memory of one segment: which batches it holds, not where.</summary>
/// <param name="number">The journal segment's number.</param>
internal sealed class QueueSegment(uint number)
{
    public uint Number { get; } = number;

    /// <summary>The batches it holds: an interval or two, however many there are.</summary>
    public BatchSet Batches { get; } = new();

    /// <summary>How many of them are not done with.</summary>
    public ulong WaitingCount { get; private set; }

    public void Add(BatchNumber batch)
    {
        if (Batches.Add(batch))
        {
            WaitingCount++;
        }
    }

    /// <summary>Counts one batch of it as done with.</summary>
    public void MarkDone() => WaitingCount--;

    /// <summary>Counts anew after all of <paramref name="done"/> is known.</summary>
    public void Recount(BatchSet done)
    {
        WaitingCount = 0;
        foreach (var (generation, sequences) in Batches.Generations)
        {
            WaitingCount += sequences.Except(done.Of(generation)).Count;
        }
    }
}
