namespace Lm.Journal;

/// <summary>An append that waits: for room, for the writer, or for its group's sync.</summary>
/// <remarks>Its continuations run where it is answered: <see cref="GroupAnswer"/> sees to it that this is not the writer's thread, which must not
/// wait for what an appender does next.</remarks>
internal sealed class PendingAppend(ReadOnlyMemory<byte> head, ReadOnlyMemory<byte> body, object? state)
    : TaskCompletionSource<JournalPosition>
{
    public ReadOnlyMemory<byte> Head => head;

    public ReadOnlyMemory<byte> Body => body;

    public object? State => state;

    public int PayloadSize => head.Length + body.Length;

    /// <summary>Bytes in the segment.</summary>
    public long RecordSize => SegmentFormat.RecordHeaderSize + (long)PayloadSize;

    /// <summary>Where it stands once it is committed.</summary>
    public JournalPosition Position { get; set; }
}
