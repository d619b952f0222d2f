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

    /// <summary>The time from <paramref name="right"/> to <paramref name="left"/>.</summary>
    public static TimeSpan operator -(UnixMillis left, UnixMillis right) => TimeSpan.FromMilliseconds(left.Value - right.Value);

    /// <summary>Whether <paramref name="left"/> is earlier.</summary>
    public static bool operator <(UnixMillis left, UnixMillis right) => left.Value < right.Value;

    /// <summary>Whether <paramref name="left"/> is later.</summary>
    public static bool operator >(UnixMillis left, UnixMillis right) => left.Value > right.Value;

    /// <summary>Whether <paramref name="left"/> is not later.</summary>
    public static bool operator <=(UnixMillis left, UnixMillis right) => left.Value <= right.Value;

    /// <summary>Whether <paramref name="left"/> is not earlier.</summary>
    public static bool operator >=(UnixMillis left, UnixMillis right) => left.Value >= right.Value;
}
