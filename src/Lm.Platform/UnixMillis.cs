namespace Lm.Platform;

/// <summary>A point in time.</summary>
/// <param name="Value">Milliseconds since 1970-01-01T00:00:00Z; may be negative.</param>
public readonly record struct UnixMillis(long Value) : IComparable<UnixMillis>
{
    /// <summary>What the clock says now.</summary>
    public static UnixMillis Now(TimeProvider time) => new(time.GetUtcNow().ToUnixTimeMilliseconds());

    /// <summary>This time moved by <paramref name="delta"/>, cut to whole milliseconds.</summary>
    public UnixMillis Add(TimeSpan delta) => new(Value + (long)delta.TotalMilliseconds);

    /// <inheritdoc/>
    public int CompareTo(UnixMillis other) => Value.CompareTo(other.Value);

    /// <summary>The time from <paramref name="right"/> to <paramref name="left"/>; the longest that there is where that is longer: times come from
    /// outside, too.</summary>
    public static TimeSpan operator -(UnixMillis left, UnixMillis right)
    {
        var longest = TimeSpan.MaxValue.Ticks / TimeSpan.TicksPerMillisecond;
        return new TimeSpan((long)Int128.Clamp((Int128)left.Value - right.Value, -longest, longest) * TimeSpan.TicksPerMillisecond);
    }

    /// <summary>Whether <paramref name="left"/> is earlier.</summary>
    public static bool operator <(UnixMillis left, UnixMillis right) => left.Value < right.Value;

    /// <summary>Whether <paramref name="left"/> is later.</summary>
    public static bool operator >(UnixMillis left, UnixMillis right) => left.Value > right.Value;

    /// <summary>Whether <paramref name="left"/> is not later.</summary>
    public static bool operator <=(UnixMillis left, UnixMillis right) => left.Value <= right.Value;

    /// <summary>Whether <paramref name="left"/> is not earlier.</summary>
    public static bool operator >=(UnixMillis left, UnixMillis right) => left.Value >= right.Value;
}
