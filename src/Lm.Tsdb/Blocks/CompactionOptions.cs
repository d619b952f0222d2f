namespace Lm.Tsdb.Blocks;

/// <summary>How blocks are merged.</summary>
public sealed record CompactionOptions
{
    private const long HourMs = 3_600_000;

    /// <summary>The time that a block from the head spans, hours.</summary>
    public int BlockHours { get; init; } = 2;

    /// <summary>Late blocks of a range are merged into its others once they have more than this share of those others' bytes.</summary>
    public double LateShareMax { get; init; } = 0.1;

    /// <summary>Late blocks of a range wait no longer than this to be merged.</summary>
    public TimeSpan LateAgeMax { get; init; } = TimeSpan.FromDays(1);

    /// <summary>What tells this collector's blocks from others'.</summary>
    public IReadOnlyList<Label> ExternalLabels { get; init; } = [];

    /// <summary>Whether a block may be merged at all; by default each may.</summary>
    public Func<BlockMeta, bool> MayMerge { get; init; } = static _ => true;

    /// <summary>Whether blocks become blocks of two days at once, and not of a window and of four before.</summary>
    public bool IsInOneStep { get; init; }

    /// <summary>How long after its end a range is over; at least the time that a block from the head spans.</summary>
    public TimeSpan Lag { get; init; }

    /// <summary>The time spans of merged blocks, milliseconds, ascending: one window, four, and two days, all counted from 1970.</summary>
    internal long[] Ranges => IsInOneStep ? [LateRangeMs] : [BlockHours * HourMs, BlockHours * 4 * HourMs, LateRangeMs];

    /// <summary>The lag, milliseconds.</summary>
    internal long LagMs => Math.Max(BlockHours * HourMs, (long)Lag.TotalMilliseconds);

    /// <summary>The time span for which late samples become one block.</summary>
    public static long LateRangeMs => 48 * HourMs;
}
