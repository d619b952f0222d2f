namespace Lm.Journal;

/// <summary>What opening a journal found and did; every field is 0 or empty after a clean stop.</summary>
public sealed record JournalRecovery
{
    /// <summary>Bytes cut from the last segment's torn tail.</summary>
    public long TornBytes { get; init; }

    /// <summary>Damage elsewhere: what was set aside, where.</summary>
    public IReadOnlyList<JournalDamage> Damage { get; init; } = [];
}

/// <summary>A damaged stretch of a segment that was set aside.</summary>
/// <param name="Segment">The segment's number.</param>
/// <param name="Offset">Where the damage begins.</param>
/// <param name="SizeBytes">How long it is.</param>
/// <param name="Reason">What was found and what was expected.</param>
/// <param name="SavedAs">The file that holds the damaged bytes now.</param>
public sealed record JournalDamage(uint Segment, long Offset, long SizeBytes, string Reason, string SavedAs);
