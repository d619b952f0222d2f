namespace Lm.Journal;

/// <summary>A place in a journal.</summary>
/// <param name="Segment">Segment number, from 0, never reused.</param>
/// <param name="Offset">Bytes from the start of the segment; always a record boundary.</param>
public readonly record struct JournalPosition(uint Segment, long Offset) : IComparable<JournalPosition>
{
    /// <inheritdoc/>
    public int CompareTo(JournalPosition other) =>
        Segment != other.Segment ? Segment.CompareTo(other.Segment) : Offset.CompareTo(other.Offset);

    /// <summary>Whether <paramref name="left"/> comes before.</summary>
    public static bool operator <(JournalPosition left, JournalPosition right) => left.CompareTo(right) < 0;

    /// <summary>Whether <paramref name="left"/> comes after.</summary>
    public static bool operator >(JournalPosition left, JournalPosition right) => left.CompareTo(right) > 0;

    /// <summary>Whether <paramref name="left"/> does not come after.</summary>
    public static bool operator <=(JournalPosition left, JournalPosition right) => left.CompareTo(right) <= 0;

    /// <summary>Whether <paramref name="left"/> does not come before.</summary>
    public static bool operator >=(JournalPosition left, JournalPosition right) => left.CompareTo(right) >= 0;
}
