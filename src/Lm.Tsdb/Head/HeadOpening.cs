using Lm.Platform;

namespace Lm.Tsdb.Head;

/// <summary>What opening a head found.</summary>
public sealed record HeadOpening
{
    /// <summary>The log is to be replayed from here on; what comes before it is in the files.</summary>
    public required CommitPosition ReplayFrom { get; init; }

    /// <summary>Windows that the files hold.</summary>
    public required int Windows { get; init; }

    /// <summary>Series that the files hold.</summary>
    public required int Series { get; init; }

    /// <summary>What was damaged: each a sentence that says which file, what is wrong, and where it lies now. Then the replay begins at
    /// <see cref="CommitPosition.Start"/>, as far as the log still goes back.</summary>
    public required IReadOnlyList<string> Damage { get; init; }
}
