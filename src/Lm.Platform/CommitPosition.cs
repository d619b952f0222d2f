namespace Lm.Platform;

/// <summary>A place in the caller's durable log of batches: everything before it was given to the head.</summary>
/// <param name="Segment">The log's segment.</param>
/// <param name="Offset">Bytes from the start of the segment.</param>
public readonly record struct CommitPosition(uint Segment, long Offset) : IComparable<CommitPosition>
{
    /// <summary>Before everything.</summary>
    public static readonly CommitPosition Start;

    /// <summary>The position as one number, which ascends as positions do: a segment is far shorter than 4 GiB.</summary>
    public ulong ToNumber() => ((ulong)Segment << 32) | checked((uint)Offset);

    /// <inheritdoc/>
    public int CompareTo(CommitPosition other) =>
        Segment != other.Segment ? Segment.CompareTo(other.Segment) : Offset.CompareTo(other.Offset);

    /// <summary>Whether <paramref name="left"/> comes first.</summary>
    public static bool operator <(CommitPosition left, CommitPosition right) => left.CompareTo(right) < 0;

    /// <summary>Whether <paramref name="left"/> comes behind.</summary>
    public static bool operator >(CommitPosition left, CommitPosition right) => left.CompareTo(right) > 0;

    /// <summary>Whether <paramref name="left"/> does not come behind.</summary>
    public static bool operator <=(CommitPosition left, CommitPosition right) => left.CompareTo(right) <= 0;

    /// <summary>Whether <paramref name="left"/> does not come first.</summary>
    public static bool operator >=(CommitPosition left, CommitPosition right) => left.CompareTo(right) >= 0;
}
