using Lm.Platform;

namespace Lm.Protocol.RemoteWrite;

/// <summary>What was decided about a request's series and samples, once, at its admission. Replay applies it and never judges again.</summary>
public sealed record WriteVerdict
{
    /// <summary>Samples older than this are left out.</summary>
    public required UnixMillis OldestAccepted { get; init; }

    /// <summary>Samples newer than this are left out.</summary>
    public required UnixMillis NewestAccepted { get; init; }

    /// <summary>Series that were looked at; those from this index on were over a limit and are left out.</summary>
    public required int SeriesEnd { get; init; }

    /// <summary>Indexes of series with a fault, ascending; left out whole.</summary>
    public IReadOnlyList<int> DroppedSeries { get; init; } = [];

    /// <summary>Samples left out as too old, of series that are taken.</summary>
    public int TooOld { get; init; }

    /// <summary>Samples left out as too far ahead, of series that are taken.</summary>
    public int TooNew { get; init; }
}
