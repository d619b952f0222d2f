namespace Lm.Tsdb.Blocks;

/// <summary>Which blocks go, by age and by size: whole blocks, the oldest first. A pure function of what there is.</summary>
public static class Retention
{
    /// <summary>Chooses the blocks to delete.</summary>
    /// <param name="all">The blocks.</param>
    /// <param name="limits">What may stay.</param>
    /// <param name="nowMs">The time now, milliseconds since 1970.</param>
    /// <param name="mayGo">Whether a block may be deleted at all: with an object store, only what was verified there.</param>
    public static RetentionDecision Choose(IReadOnlyList<BlockMeta> all, RetentionLimits limits, long nowMs, Func<BlockMeta, bool> mayGo)
    {
        var oldestFirst = all.OrderBy(block => block.MaxTime).ThenBy(block => block.MinTime).ThenBy(block => block.Id).ToList();
        var ageMaxMs = (long)limits.AgeMax.TotalMilliseconds;
        var bytes = all.Sum(block => block.SizeBytes);
        var go = new List<BlockMeta>();
        foreach (var block in oldestFirst)
        {
            var isTooOld = block.MaxTime <= nowMs - ageMaxMs; // its end is exclusive: the newest sample is older than the limit
            if ((isTooOld || bytes > limits.SizeMaxBytes) && mayGo(block))
            {
                go.Add(block);
                bytes -= block.SizeBytes;
            }
        }

        return new RetentionDecision(go, Math.Max(0, bytes - limits.SizeMaxBytes));
    }
}

/// <summary>What blocks may stay.</summary>
/// <param name="AgeMax">A block goes when its newest sample is older than this.</param>
/// <param name="SizeMaxBytes">Bytes of all blocks together.</param>
public readonly record struct RetentionLimits(TimeSpan AgeMax, long SizeMaxBytes);

/// <summary>What goes.</summary>
/// <param name="Blocks">The blocks to delete, the oldest first.</param>
/// <param name="BytesOver">Bytes above the limit that stay, since their blocks may not go.</param>
public readonly record struct RetentionDecision(IReadOnlyList<BlockMeta> Blocks, long BytesOver);
