namespace Lm.Logs.Lines;

/// <summary>A line's place among all lines, and its identity (G32): no two lines have the same.</summary>
/// <param name="Time">Milliseconds since 1970-01-01T00:00:00Z.</param>
/// <param name="Instance">The agent.</param>
/// <param name="Identity">The line's own.</param>
internal readonly record struct LogKey(long Time, string Instance, LogIdentity Identity)
{
    /// <summary>Of a line.</summary>
    public static LogKey Of(in LogLine line) => new(line.Time, line.Stream.Instance, line.Identity);

    /// <summary>Negative when this comes first, positive when the other does.</summary>
    public int CompareTo(in LogKey other)
    {
        if (Time != other.Time)
        {
            return Time < other.Time ? -1 : 1;
        }

        var byInstance = ReferenceEquals(Instance, other.Instance) ? 0 : string.CompareOrdinal(Instance, other.Instance);
        return byInstance != 0 ? byInstance : Identity.CompareTo(other.Identity);
    }
}
