using Lm.Platform;

namespace Lm.Collector.Spool;

/// <summary>Knows the newest receive time that is durable, and so when the collector's own clock cannot be right (C26).</summary>
internal sealed class ClockGuard(TimeProvider time)
{
    /// <summary>How far the clock may fall behind what it said before: NTP's ordinary steps.</summary>
    public static readonly TimeSpan Tolerance = TimeSpan.FromSeconds(2);

    private long newest = long.MinValue;

    /// <summary>The newest receive time of a durable record; the smallest value when there is none.</summary>
    public UnixMillis Newest => new(Interlocked.Read(ref newest));

    /// <summary>A record with this receive time is durable.</summary>
    public void Note(UnixMillis receivedAt)
    {
        var known = Interlocked.Read(ref newest);
        while (receivedAt.Value > known)
        {
            var seen = Interlocked.CompareExchange(ref newest, receivedAt.Value, known);
            if (seen == known)
            {
                return;
            }

            known = seen;
        }
    }

    /// <summary>Whether the clock precedes the newest durable record.</summary>
    /// <param name="behind">By how much.</param>
    public bool IsSuspect(out TimeSpan behind) => IsSuspect(UnixMillis.Now(time), out behind);

    /// <summary>The same for a time read already.</summary>
    public bool IsSuspect(UnixMillis now, out TimeSpan behind)
    {
        var known = Newest;
        behind = known.Value == long.MinValue || known <= now ? TimeSpan.Zero : known - now;
        return behind > Tolerance;
    }
}
