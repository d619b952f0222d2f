namespace Lm.Journal;

/// <summary>A committed record as read back.</summary>
/// <param name="Position">Where it stands.</param>
/// <param name="Next">Where the next record of the segment would stand.</param>
/// <param name="IsPreamble">Whether it is its segment's preamble rather than an appended record.</param>
/// <param name="Payload">Its bytes; valid until the reader moves on.</param>
public readonly record struct JournalRecord(JournalPosition Position, JournalPosition Next, bool IsPreamble, ReadOnlyMemory<byte> Payload);

/// <summary>A segment as it stands.</summary>
/// <param name="Number">Its number.</param>
/// <param name="SizeBytes">Its committed bytes, header included.</param>
public sealed record JournalSegment(uint Number, long SizeBytes);
