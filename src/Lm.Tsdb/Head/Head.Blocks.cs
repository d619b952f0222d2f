using System.Buffers.Binary;
using Lm.Platform;
using Lm.Tsdb.Blocks;

namespace Lm.Tsdb.Head;

/// <content>What becomes a block, and when.</content>
public sealed partial class Head
{
    /// <summary>What should become a block now: windows that are over, and ranges of late samples that have waited long enough (K18).</summary>
    public IReadOnlyList<HeadRange> DueRanges() => Ranges(options.Time.GetUtcNow().ToUnixTimeMilliseconds());

    /// <summary>The number of the window that is made next: all that there are have lower ones. Writer.</summary>
    public uint NextWindow => nextNumber;

    /// <summary>Whether a window is left that was made before the one of a number: else what all of these held is in blocks.</summary>
    public bool HasWindowsBefore(uint number)
    {
        lock (gate)
        {
            return Array.Exists(windows, window => window.Identity.Number < number);
        }
    }

    /// <summary>All windows, by the same ranges but without waiting.</summary>
    public IReadOnlyList<HeadRange> AllRanges() => Ranges(null);

    /// <summary>Closes a range's windows for writing: samples that come for it from now on go to new windows. Writer, right after
    /// <see cref="Checkpoint"/>, before any batch.</summary>
    /// <returns>Its content, for another thread to write to a block; <see cref="Drop"/> follows when that is durable. After a failure it may be written again.</returns>
    /// <exception cref="InvalidOperationException">Samples were taken since the checkpoint: their log must not go before they are in a block.</exception>
    public FrozenRange Freeze(HeadRange range)
    {
        if (IsDirty)
        {
            throw new InvalidOperationException("a range can be frozen right after a checkpoint only");
        }

        lock (gate)
        {
            var chosen = Array.FindAll(windows, window => IsFree(window) && window.IsLate == range.IsLate && window.Start >= range.From && window.Start <= range.Until);
            foreach (var window in chosen)
            {
                window.IsFrozen = true;
                window.Pins++;
                if (active.TryGetValue(window.Start, out var open) && open == window)
                {
                    active.Remove(window.Start);
                }

                lastWindow = lastWindow == window ? null : lastWindow;
            }

            return new FrozenRange(this, range, chosen, CoverageOf(chosen), epochs.Enter());
        }
    }

    // What a block of these windows may say of them. Files that were set aside may have held samples of any window that nothing else has.
    private BlockCoverage[] CoverageOf(HeadWindow[] chosen)
    {
        if (Covered == CommitPosition.Start || filesSetAside > 0)
        {
            return [];
        }

        var incarnation = BinaryPrimitives.ReadUInt128BigEndian(options.Incarnation.ToByteArray(bigEndian: true));
        return
        [
            .. chosen.Where(window => !Array.Exists(windows, other => !chosen.Contains(other) && other.Overlaps(window.Start, window.End - 1)))
                .Select(window => new BlockCoverage(incarnation, window.Start, window.End, Covered.ToNumber())),
        ];
    }

    private List<HeadRange> Ranges(long? now)
    {
        lock (gate)
        {
            var ranges = new List<HeadRange>();
            foreach (var group in windows.Where(IsFree).GroupBy(RangeOf))
            {
                var isDue = now is not { } clock || (group.Key.IsLate ? IsLateDue(group, group.Key.Start, clock)
                    : group.Max(static window => window.End) + options.WindowGrace.TotalMilliseconds <= clock);
                if (isDue)
                {
                    ranges.Add(new HeadRange(group.Min(static window => window.Start), group.Max(static window => window.End) - 1, group.Key.IsLate));
                }
            }

            return ranges;
        }
    }

    // Of two samples for one time the older block's counts (V20). So no window becomes a block before those that were made before it for the same time,
    // unless they become one together.
    private bool IsFree(HeadWindow window) =>
        !window.IsFrozen && !Array.Exists(windows, other => other.Identity.Number < window.Identity.Number && other.Overlaps(window.Start, window.End - 1)
            && (other.IsFrozen || RangeOf(other) != RangeOf(window)));

    private (bool IsLate, long Start) RangeOf(HeadWindow window) =>
        (window.IsLate, window.IsLate ? StartOf(window.Start, (long)options.LateRange.TotalMilliseconds) : window.Start);

    private bool IsLateDue(IEnumerable<HeadWindow> group, long range, long now)
    {
        if (group.Min(static window => window.FirstReceived) + options.LateWait.TotalMilliseconds > now)
        {
            return false;
        }

        foreach (var block in lateBlocks)
        {
            // A block from the future says that the clock went back: it does not hold up the next for longer than usual.
            if (block.Range == range && block.WrittenAt <= now && block.WrittenAt + options.LateEvery.TotalMilliseconds > now)
            {
                return false;
            }
        }

        return true;
    }
}
