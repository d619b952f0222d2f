using Lm.Platform;

namespace Lm.Collector.Spool;

/// <summary>The newest receive time in each segment.</summary>
internal sealed class SegmentAges
{
    private readonly Lock gate = new(); // guards newest
    private readonly SortedDictionary<uint, UnixMillis> newest = [];

    /// <summary>A record of a segment came at this time.</summary>
    public void Note(uint segment, UnixMillis receivedAt)
    {
        lock (gate)
        {
            if (!newest.TryGetValue(segment, out var known) || receivedAt > known)
            {
                newest[segment] = receivedAt;
            }
        }
    }

    /// <summary>The first segment that must stay because it, or one before it, holds something not older than <paramref name="before"/>.</summary>
    /// <param name="segments">The segments that there are, oldest first.</param>
    /// <param name="before">What is older may go.</param>
    public uint FirstToKeep(IEnumerable<uint> segments, UnixMillis before)
    {
        lock (gate)
        {
            var keep = 0U;
            foreach (var segment in segments)
            {
                keep = segment;
                if (!newest.TryGetValue(segment, out var time) || time >= before)
                {
                    break; // one whose age is not known stays too
                }
            }

            return keep;
        }
    }

    /// <summary>The segments before this one are gone.</summary>
    public void Forget(uint before)
    {
        lock (gate)
        {
            foreach (var segment in newest.Keys.Where(segment => segment < before).ToArray())
            {
                newest.Remove(segment);
            }
        }
    }
}
