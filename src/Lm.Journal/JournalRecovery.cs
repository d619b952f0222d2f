namespace Lm.Journal;

/// <summary>What opening a journal found and did; every field is 0 or empty after a clean stop.</summary>
public sealed record JournalRecovery
{
    /// <summary>Bytes cut from the last segment's torn tail, a last segment that was never finished included.</summary>
    public long TornBytes { get; init; }

    /// <summary>Damage elsewhere: what was set aside, where. A damaged segment that still stands is listed at every opening (see
    /// <see cref="JournalDamage.WasKnown"/>).</summary>
    public IReadOnlyList<JournalDamage> Damage { get; init; } = [];
}

/// <summary>A damaged stretch of a segment that was set aside.</summary>
/// <param name="Segment">The segment's number.</param>
/// <param name="Offset">Where the damage begins.</param>
/// <param name="SizeBytes">How long it is.</param>
/// <param name="Reason">What was found and what was expected.</param>
/// <param name="SavedAs">The file that holds the damaged bytes now; empty when they could not be copied (the reason says why).</param>
public sealed record JournalDamage(uint Segment, long Offset, long SizeBytes, string Reason, string SavedAs)
{
    /// <summary>An earlier opening set it aside and reported it: not to be counted twice.</summary>
    public bool WasKnown { get; init; }
}
