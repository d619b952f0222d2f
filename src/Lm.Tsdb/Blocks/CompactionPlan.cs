namespace Lm.Tsdb.Blocks;

/// <summary>Which blocks to merge next: a pure function of what there is.</summary>
/// <remarks>
/// <list type="bullet">
/// <item>Blocks of a range that is over are merged into one, the widest range first, so that a backlog is not merged three times.</item>
/// <item>A range is over one window after its end, or later: by then its last window is a block.</item>
/// <item>Late blocks span up to two days. They join the others of their two days when they are large, or daily; until then they join one another,
/// so that two days have one of them at most, and a few while they are not over.</item>
/// <item>Blocks that reach over the border of two days were not written here; they are merged with those of their kind that they overlap.</item>
/// </list>
/// </remarks>
internal static class CompactionPlan
{
    private const int OpenLateBlocksMax = 4;

    /// <summary>The blocks to merge into one; empty when nothing is to be done.</summary>
    public static IReadOnlyList<BlockMeta> Next(IReadOnlyList<BlockMeta> all, CompactionOptions options, long nowMs)
    {
        var others = all.Where(block => !block.IsLate).ToList();
        foreach (var range in options.Ranges.OrderDescending())
        {
            foreach (var group in InRanges(others, range))
            {
                if (group.Count() > 1 && IsOver(group.Key, range, options, nowMs))
                {
                    return [.. group];
                }
            }
        }

        foreach (var late in InRanges(all.Where(block => block.IsLate), CompactionOptions.LateRangeMs))
        {
            var plan = PlanLate([.. late], [.. others.Where(block => StartOf(block, CompactionOptions.LateRangeMs) == late.Key)], late.Key, options, nowMs);
            if (plan.Count > 1)
            {
                return plan;
            }
        }

        return Overlapping(all.Where(block => StartOf(block, CompactionOptions.LateRangeMs) is null));
    }

    private static List<BlockMeta> Overlapping(IEnumerable<BlockMeta> blocks)
    {
        var group = new List<BlockMeta>();
        foreach (var block in blocks.OrderBy(block => block.MinTime))
        {
            if (group.Count > 0 && block.MinTime >= group.Max(each => each.MaxTime))
            {
                if (group.Count > 1)
                {
                    return group;
                }

                group.Clear();
            }

            group.Add(block);
        }

        return group.Count > 1 ? group : [];
    }

    private static List<BlockMeta> PlanLate(List<BlockMeta> late, List<BlockMeta> others, long start, CompactionOptions options, long nowMs)
    {
        var isOld = late.Min(block => block.Precedence.CreatedMs) <= nowMs - (long)options.LateAgeMax.TotalMilliseconds;
        if (!IsOver(start, CompactionOptions.LateRangeMs, options, nowMs))
        {
            return isOld || late.Count >= OpenLateBlocksMax ? late : [];
        }

        var isLarge = late.Sum(block => block.SizeBytes) > others.Sum(block => block.SizeBytes) * options.LateShareMax;
        return isLarge || isOld ? [.. others, .. late] : late;
    }

    private static bool IsOver(long start, long range, CompactionOptions options, long nowMs) => nowMs >= start + range + options.LagMs;

    // Ascending; blocks that reach beyond their range stay out.
    private static IEnumerable<IGrouping<long, BlockMeta>> InRanges(IEnumerable<BlockMeta> blocks, long range) =>
        blocks.Where(block => StartOf(block, range) is not null).GroupBy(block => StartOf(block, range)!.Value).OrderBy(group => group.Key);

    private static long? StartOf(BlockMeta block, long range)
    {
        var start = block.MinTime - (((block.MinTime % range) + range) % range);
        return block.MaxTime <= start + range ? start : null;
    }
}
