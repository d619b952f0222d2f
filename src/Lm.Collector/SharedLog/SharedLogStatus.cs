using Lm.Platform;

namespace Lm.Collector.SharedLog;

/// <summary>How far the shared log is, and this collector's copy of it, as of the last look.</summary>
internal sealed record SharedLogStatus
{
    /// <summary>The store.</summary>
    public required string Store { get; init; }

    /// <summary>Why nothing can be committed now; null when it can.</summary>
    public string? Trouble { get; init; }

    /// <summary>Whether a person must look.</summary>
    public bool IsHalted { get; init; }

    /// <summary>The last commit.</summary>
    public long Last { get; init; }

    /// <summary>When it was made, by its writer's clock; null before the first.</summary>
    public UnixMillis? LastAt { get; init; }

    /// <summary>The last commit whose records are on this disk.</summary>
    public long Applied { get; init; }

    /// <summary>The last commit whose records are in objects of many commits.</summary>
    public long Covered { get; init; }

    /// <summary>The last commit whose records are in blocks and log files that count.</summary>
    public long Filed { get; init; }

    /// <summary>The last commit whose records are in blocks and log files that are where readers find them, read back there.</summary>
    public long Published { get; init; }

    /// <summary>No record in them came later; null when nothing is published, or what it was made of went long ago.</summary>
    public UnixMillis? PublishedUntil { get; init; }

    /// <summary>Whether blocks and log files count that are not where readers find them yet.</summary>
    public bool IsPublishing { get; init; }

    /// <summary>Why what this collector did last for all (a build, a snapshot, blocks and log files, cleaning) failed; null when it did not.</summary>
    public string? UpkeepTrouble { get; init; }

    /// <summary>Bytes of records behind <see cref="Covered"/>.</summary>
    public long OpenBytes { get; init; }

    /// <summary>Objects of many commits.</summary>
    public int Parts { get; init; }

    /// <summary>Who built last; empty when nobody did.</summary>
    public string Builder { get; init; } = "";

    /// <summary>Commits whose records did not come to this disk: queries find them in the store.</summary>
    public IReadOnlyList<(long First, long Last)> Missing { get; init; } = [];
}
