using Lm.Journal;
using Lm.Platform;

namespace Lm.Collector.Landing;

/// <summary>What landing has done and what waits.</summary>
internal sealed record LandingStatus
{
    /// <summary>The store.</summary>
    public required string Store { get; init; }

    /// <summary>Why the last try failed; null when it did not.</summary>
    public required string? Trouble { get; init; }

    /// <summary>Whether it has stopped until a restart.</summary>
    public required bool IsHalted { get; init; }

    /// <summary>Everything in the spool before this place is in the store, verified.</summary>
    public required JournalPosition Landed { get; init; }

    /// <summary>Bytes of the spool behind it.</summary>
    public required long PendingBytes { get; init; }

    /// <summary>When the oldest batch came that had not landed at the last look; null when there was none.</summary>
    public required UnixMillis? OldestWaiting { get; init; }

    /// <summary>When something landed last, since start.</summary>
    public required UnixMillis? LastLanded { get; init; }

    /// <summary>Raw objects put and verified since start.</summary>
    public required long Objects { get; init; }

    /// <summary>Their bytes.</summary>
    public required long ObjectBytes { get; init; }

    /// <summary>Sealed log files put and verified since start.</summary>
    public required long LogFiles { get; init; }

    /// <summary>Sealed log files that are not known to be there.</summary>
    public required int LogFilesWaiting { get; init; }

    /// <summary>Blocks put and verified since start.</summary>
    public required long Blocks { get; init; }

    /// <summary>Their bytes.</summary>
    public required long BlockBytes { get; init; }

    /// <summary>Blocks that are not known to be there.</summary>
    public required int BlocksWaiting { get; init; }

    /// <summary>Everything in the spool before this place is in blocks and log files that are there, verified.</summary>
    public required JournalPosition Covered { get; init; }

    /// <summary>Raw objects deleted since start because blocks and log files there hold all of them.</summary>
    public required long ObjectsCovered { get; init; }
}
