namespace Lm.Tsdb.Head;

/// <summary>How a head is laid out, and its bounds.</summary>
public sealed record HeadOptions
{
    /// <summary>The folder of its files; nobody else's. Made when it is not there.</summary>
    public required string Directory { get; init; }

    /// <summary>Which log the positions belong to (K12): with another one, what the files hold stays and positions begin afresh.</summary>
    public required Guid Incarnation { get; init; }

    /// <summary>Width of a window, whole hours, 1 to 24; windows are aligned to 1970-01-01T00:00:00Z. Changed only when no window is open: windows of
    /// another width that lie in the folder keep theirs until they are blocks.</summary>
    public int BlockHours { get; init; } = 2;

    /// <summary>How old a sample may be when its batch was received. Keep it above what admission allows by a window, so that admission decides.</summary>
    public TimeSpan Backfill { get; init; } = TimeSpan.FromDays(37);

    /// <summary>How far in the future a sample may lie when its batch was received.</summary>
    public TimeSpan AheadMax { get; init; } = TimeSpan.FromHours(26);

    /// <summary>How long after its end a window becomes a block; what comes for it later is late.</summary>
    public TimeSpan WindowGrace { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Memory of the late windows, bytes; the one written least recently leaves memory first (K16).</summary>
    public long LateBytesMax { get; init; } = 256L << 20;

    /// <summary>Rows that wait in front of a batch shape's series, 1 to 64.</summary>
    public int RowDepth { get; init; } = 8;

    /// <summary>How long late samples wait before they become a block.</summary>
    public TimeSpan LateWait { get; init; } = TimeSpan.FromHours(2);

    /// <summary>The shortest time between two blocks of late samples for one range of <see cref="LateRange"/> (K18).</summary>
    public TimeSpan LateEvery { get; init; } = TimeSpan.FromHours(6);

    /// <summary>The range that late samples are gathered in, aligned to 1970 (K18).</summary>
    public TimeSpan LateRange { get; init; } = TimeSpan.FromDays(2);

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
