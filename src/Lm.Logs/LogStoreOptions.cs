namespace Lm.Logs;

/// <summary>How a log store works.</summary>
public sealed record LogStoreOptions
{
    /// <summary>Its folder.</summary>
    public required string Directory { get; init; }

    /// <summary>The id of the spool whose records it holds (K12).</summary>
    public required Guid Incarnation { get; init; }

    /// <summary>The clock, for the names of files.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Bytes after which an open file is complete. Default 64 MiB, some 8 GiB of lines as they came at the best and 300 MiB at the worst.</summary>
    public long OpenBytesMax { get; init; } = 64L << 20;

    /// <summary>Bytes in memory of all open files together. Default 64 MiB. Beyond it the files written least recently give up what can be read from the disk;
    /// when the disk takes nothing, further lines are refused. What files that wait to be sealed keep until then comes on top.</summary>
    public long MemoryBytesMax { get; init; } = 64L << 20;

    /// <summary>Bytes in memory of what files that wait to be sealed keep until then: their lists of streams and frames. Default 64 MiB. Beyond it further lines are
    /// refused until a file is sealed; one file more, of <see cref="MemoryBytesMax"/> at the most, may have begun to wait by then.</summary>
    public long WaitingBytesMax { get; init; } = 64L << 20;

    /// <summary>Bytes of lines that one search may hold. Default 32 MiB.</summary>
    public long SearchBytesMax { get; init; } = 32L << 20;

    /// <summary>Bytes of frames that the sealing of one file may hold, two frames at least. Default 64 MiB: beyond it lines that came in no order are sorted in a
    /// scratch file first.</summary>
    public long SealBytesMax { get; init; } = 64L << 20;

    /// <summary>Bytes of indexes of sealed files in memory. Default 64 MiB.</summary>
    public long IndexBytesMax { get; init; } = 64L << 20;

    /// <summary>Sealed files that lie elsewhere and are read as well; null: there are none.</summary>
    public ILogFileSource? Elsewhere { get; init; }

    /// <summary>How long late lines of a date are gathered before their file is sealed (K18). Default 6 h.</summary>
    public TimeSpan LateAge { get; init; } = TimeSpan.FromHours(6);

    /// <summary>zstd's level of sealed files. Default 8: docs/decisions/0015-log-files.md.</summary>
    public int SealLevel { get; init; } = 8;
}

/// <summary>What opening a log store found.</summary>
public sealed record LogStoreOpening
{
    /// <summary>The spool is to be replayed from here on; what comes before it is in the files.</summary>
    public required Platform.CommitPosition ReplayFrom { get; init; }

    /// <summary>Whether there was none: it is begun.</summary>
    public required bool IsNew { get; init; }

    /// <summary>Open files.</summary>
    public required int OpenFiles { get; init; }

    /// <summary>Sealed files.</summary>
    public required int SealedFiles { get; init; }

    /// <summary>What was damaged: each a sentence that says which file and what is wrong. Then the replay begins at
    /// <see cref="Platform.CommitPosition.Start"/>, as far as the spool still goes back.</summary>
    public required IReadOnlyList<string> Damage { get; init; }
}

/// <summary>What a log store has and did.</summary>
public sealed record LogStoreStatistics
{
    /// <summary>Lines stored, since start.</summary>
    public required long LinesAdded { get; init; }

    /// <summary>Of them, those of an hour that was over.</summary>
    public required long LinesLate { get; init; }

    /// <summary>Bytes of their bodies, since start.</summary>
    public required long BodyBytesAdded { get; init; }

    /// <summary>Lines left out because their time has no form: before 1970, or behind the year 9999.</summary>
    public required long LinesOutOfBounds { get; init; }

    /// <summary>Open files, those that wait to be sealed among them.</summary>
    public required int OpenFiles { get; init; }

    /// <summary>Open files that wait to be sealed.</summary>
    public required int FilesWaiting { get; init; }

    /// <summary>Bytes of the open files.</summary>
    public required long OpenBytes { get; init; }

    /// <summary>Bytes in memory of the open files, about.</summary>
    public required long MemoryBytes { get; init; }

    /// <summary>Bytes of indexes of sealed files in memory, about.</summary>
    public required long IndexMemoryBytes { get; init; }

    /// <summary>Sealed files.</summary>
    public required int SealedFiles { get; init; }

    /// <summary>Bytes of the sealed files with their indexes.</summary>
    public required long SealedBytes { get; init; }

    /// <summary>Bytes of the bodies in the sealed files.</summary>
    public required long SealedBodyBytes { get; init; }

    /// <summary>Lines in the sealed files.</summary>
    public required long SealedLines { get; init; }

    /// <summary>Files sealed since start.</summary>
    public required long FilesSealed { get; init; }

    /// <summary>Files of which a part moved from memory to the disk to keep the bound.</summary>
    public required long Spills { get; init; }

    /// <summary>Writes and syncs that failed.</summary>
    public required long Failures { get; init; }

    /// <summary>Indexes of sealed files that were made anew.</summary>
    public required long IndexesRebuilt { get; init; }

    /// <summary>Searches.</summary>
    public required long Searches { get; init; }

    /// <summary>Frames that searches read.</summary>
    public required long FramesRead { get; init; }

    /// <summary>Frames in the time range of searches that their files' indexes ruled out.</summary>
    public required long FramesSkipped { get; init; }

    /// <summary>Frames that searches and sealing found damaged.</summary>
    public required long FramesDamaged { get; init; }
}
