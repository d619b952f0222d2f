namespace Lm.Tsdb.Head;

/// <summary>What became of a sample.</summary>
public enum AppendOutcome
{
    /// <summary>It is stored.</summary>
    Added,

    /// <summary>The same value, bit by bit, was there for its time.</summary>
    Repeated,

    /// <summary>Another value was there for its time and stays: the one committed first has precedence.</summary>
    Conflicting,

    /// <summary>It is older than <see cref="HeadOptions.Backfill"/> allows.</summary>
    TooOld,

    /// <summary>It lies further in the future than <see cref="HeadOptions.AheadMax"/> allows.</summary>
    TooFarAhead,
}
