namespace Lm.Protocol;

/// <summary>What a batch is known by, for ever: the dedupe key.</summary>
/// <param name="AgentId">The agent's name as its token has it.</param>
/// <param name="QueueId">The agent's queue directory.</param>
/// <param name="Sequences">The batch's numbers in that queue.</param>
public readonly record struct BatchKey(string AgentId, QueueId QueueId, SequenceRange Sequences);

/// <summary>16 random bytes, made with a queue directory.</summary>
/// <param name="Value">The bytes, as a big-endian number.</param>
public readonly record struct QueueId(UInt128 Value)
{
    /// <summary>32 hexadecimal digits.</summary>
    public override string ToString() => Value.ToString("x32", System.Globalization.CultureInfo.InvariantCulture);
}

/// <summary>Sequence numbers from <paramref name="Start"/> to <paramref name="End"/>, both included.</summary>
/// <param name="Start">The lowest, at least 1.</param>
/// <param name="End">The highest, not below <paramref name="Start"/>.</param>
public readonly record struct SequenceRange(ulong Start, ulong End)
{
    /// <summary>How many numbers.</summary>
    public ulong Count => End - Start + 1;

    /// <summary><c>7</c> or <c>7-9</c>.</summary>
    public override string ToString() => Start == End ? $"{Start}" : $"{Start}-{End}";
}
