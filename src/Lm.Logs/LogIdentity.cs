namespace Lm.Logs;

/// <summary>What tells a line from every other of its agent, and orders lines of one time (G32).</summary>
/// <param name="QueueId">The agent's queue.</param>
/// <param name="Sequence">The batch that brought the line.</param>
/// <param name="Index">Which of the batch's log records, from 0.</param>
public readonly record struct LogIdentity(UInt128 QueueId, ulong Sequence, int Index)
{
    /// <summary>Negative when this comes first, positive when the other does.</summary>
    public int CompareTo(LogIdentity other)
    {
        var byQueue = QueueId.CompareTo(other.QueueId);
        var bySequence = byQueue != 0 ? byQueue : Sequence.CompareTo(other.Sequence);
        return bySequence != 0 ? bySequence : Index.CompareTo(other.Index);
    }
}
