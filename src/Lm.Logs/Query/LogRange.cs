namespace Lm.Logs.Query;

/// <summary>Which part of all lines a query is asked for.</summary>
public sealed record LogRange
{
    /// <summary>The earliest time, milliseconds.</summary>
    public required long From { get; init; }

    /// <summary>The first time that no longer belongs to it.</summary>
    public required long Until { get; init; }

    /// <summary>Newest first; else oldest first.</summary>
    public required bool IsBackward { get; init; }

    /// <summary>Only lines behind this one in that order: where the page before ended; null for the first.</summary>
    public LogPosition? After { get; init; }
}
