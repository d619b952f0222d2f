using System.Globalization;

namespace Lm.Logs.Query;

/// <summary>A line's place in the order of all lines (G32): where a page of an answer ends and the next begins.</summary>
/// <param name="Time">When, milliseconds.</param>
/// <param name="Instance">The agent.</param>
/// <param name="Identity">Which of its lines.</param>
public readonly record struct LogPosition(long Time, string Instance, LogIdentity Identity)
{
    private const int PartsCount = 5;

    /// <summary>Of a line.</summary>
    public static LogPosition Of(in LogLine line) => new(line.Time, line.Stream.Instance, line.Identity);

    /// <summary>Reads what <see cref="ToString"/> writes.</summary>
    public static bool TryParse(string text, out LogPosition position)
    {
        position = default;
        var parts = text.Split('.', PartsCount);
        if (parts.Length != PartsCount
            || !long.TryParse(parts[0], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var time)
            || parts[1].Length > 32 || !UInt128.TryParse(parts[1], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var queue)
            || !ulong.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out var sequence)
            || !int.TryParse(parts[3], NumberStyles.None, CultureInfo.InvariantCulture, out var index))
        {
            return false;
        }

        position = new LogPosition(time, parts[4], new LogIdentity(queue, sequence, index));
        return true;
    }

    /// <summary>Negative when this comes first, positive when the other does.</summary>
    public int CompareTo(LogPosition other)
    {
        var byTime = Time.CompareTo(other.Time);
        var byInstance = byTime != 0 ? byTime : string.CompareOrdinal(Instance, other.Instance);
        return byInstance != 0 ? byInstance : Identity.CompareTo(other.Identity);
    }

    /// <summary>Time, queue, sequence, index and instance with dots between them; the instance, which may have dots, comes last.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Time}.{Identity.QueueId:x32}.{Identity.Sequence}.{Identity.Index}.{Instance}");
}
