namespace Lm.Journal;

/// <summary>How a journal is kept.</summary>
public sealed record JournalOptions
{
    /// <summary>A segment is closed when the next group would take it past this many bytes (a single larger record still fits).</summary>
    public long SegmentSizeMax { get; init; } = 64L << 20;

    /// <summary>The largest record taken, in bytes. A longer length found on disk is damage.</summary>
    public int RecordSizeMax { get; init; } = 40 << 20;

    /// <summary>Bytes that may wait for the writer; appenders beyond it wait.</summary>
    public long PendingSizeMax { get; init; } = 64L << 20;

    /// <summary>Zeros kept written behind the records of the segment that is appended to, in bytes; 0 for none. A sync whose records lie within them
    /// changes neither the file's length nor its map of blocks, and costs half. They are cut when the segment is closed.</summary>
    public int ZerosAhead { get; init; }

    /// <summary>Whether opening reads every segment, so that <see cref="JournalRecovery.Damage"/> tells of all of it. Else it reads those only whose committed
    /// end no later header names; damage in the others is found, set aside and listed in <see cref="Journal.LateDamage"/> when they are read.</summary>
    public bool ReadsAllAtOpen { get; init; } = true;

    /// <summary>Makes the preamble that every new segment begins with (the owner's state at that point), or null for none.
    /// Called on the writer's thread, after every earlier record was committed and reported; again for the next try when the segment
    /// could not be begun. It must not throw and not exceed <see cref="RecordSizeMax"/>: that would be a bug, and stops the process.</summary>
    public Func<ReadOnlyMemory<byte>>? Preamble { get; init; }

    /// <summary>Called on the writer's thread for each record, in order, after its sync and before its appender is answered.
    /// It must not throw: the record is durable, and an owner that does not know of it cannot go on.</summary>
    public Action<JournalPosition, object?>? Committed { get; init; }
}
