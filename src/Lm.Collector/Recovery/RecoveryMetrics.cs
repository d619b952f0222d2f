namespace Lm.Collector.Recovery;

/// <summary>Counters of taking over what earlier lives landed.</summary>
internal sealed class RecoveryMetrics
{
    /// <summary>Raw objects whose records were taken over.</summary>
    public long Objects;

    /// <summary>Raw objects that are known and not taken over yet.</summary>
    public long ObjectsWaiting;

    /// <summary>Records taken over.</summary>
    public long Records;

    /// <summary>Raw objects that are damaged, each time that they were met.</summary>
    public long ObjectsDamaged;

    /// <summary>Records that are damaged.</summary>
    public long RecordsDamaged;

    /// <summary>Records that a consumer failed on.</summary>
    public long ConsumerFailures;

    /// <summary>Passes that failed.</summary>
    public long Failures;
}
