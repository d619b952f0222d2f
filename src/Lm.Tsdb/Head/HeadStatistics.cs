namespace Lm.Tsdb.Head;

/// <summary>Sizes and counters of a head.</summary>
public readonly record struct HeadStatistics
{
    /// <summary>Series held.</summary>
    public required long Series { get; init; }

    /// <summary>Samples held, in memory and in the head's files.</summary>
    public required long Samples { get; init; }

    /// <summary>Windows held, those that are being written to blocks included.</summary>
    public required int Windows { get; init; }

    /// <summary>Of them, those that are in files only.</summary>
    public required int WindowsSpilled { get; init; }

    /// <summary>Memory of labels, symbols and postings, bytes.</summary>
    public required long SeriesBytes { get; init; }

    /// <summary>Memory of slots, open chunks and late samples, bytes.</summary>
    public required long OpenBytes { get; init; }

    /// <summary>Memory of sealed chunks, bytes.</summary>
    public required long SealedBytes { get; init; }

    /// <summary>Memory of rows that wait in front of the series, bytes.</summary>
    public required long RowBytes { get; init; }

    /// <summary>Of the bytes above, those of late windows.</summary>
    public required long LateBytes { get; init; }

    /// <summary>Bytes of the head's files.</summary>
    public required long FileBytes { get; init; }

    /// <summary>Samples stored since the head was opened.</summary>
    public required long SamplesAdded { get; init; }

    /// <summary>Samples that were there already with the same value.</summary>
    public required long SamplesRepeated { get; init; }

    /// <summary>Samples left out because another value was there for their time.</summary>
    public required long SamplesConflicting { get; init; }

    /// <summary>Samples left out as too old or too far ahead.</summary>
    public required long SamplesOutOfBounds { get; init; }

    /// <summary>Of those stored, the ones that went to a late window.</summary>
    public required long SamplesLate { get; init; }

    /// <summary>Windows that left memory to keep the budget.</summary>
    public required long Spills { get; init; }

    /// <summary>Checkpoints completed.</summary>
    public required long Checkpoints { get; init; }

    /// <summary>Chunks that could not be read: damaged or unreadable files.</summary>
    public required long ChunksUnreadable { get; init; }

    /// <summary>Damaged files that lie beside the others, set aside until someone takes them away.</summary>
    public required int FilesSetAside { get; init; }

    /// <summary>The oldest window's start, milliseconds since 1970; null when there is no window.</summary>
    public required long? OldestWindow { get; init; }
}
