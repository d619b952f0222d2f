using System.Globalization;

namespace Lm.Logs;

/// <summary>Which lines a file holds: those of an hour, or those of a date that came late.</summary>
/// <param name="Start">Milliseconds since 1970-01-01T00:00:00Z: where the hour or the date begins, in UTC.</param>
/// <param name="IsLate">Whether it is a date's.</param>
public readonly record struct LogWindow(long Start, bool IsLate)
{
    private const long HourMs = 3_600_000;
    private const long DayMs = 24 * HourMs;

    /// <summary>How long an hour's lines may come after its end; later ones are late.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromMinutes(10);

    /// <summary>The first time that no longer belongs to it.</summary>
    public long End => Start + (IsLate ? DayMs : HourMs);

    /// <summary>Where its files lie, below the folder of logs: <c>date=2026-01-02/hour=03</c>, or <c>hour=late</c>.</summary>
    public string Folder
    {
        get
        {
            var start = DateTime.UnixEpoch.AddMilliseconds(Start);
            var hour = IsLate ? "late" : start.ToString("HH", CultureInfo.InvariantCulture);
            return $"date={start.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}/hour={hour}";
        }
    }

    /// <summary>The window of a line.</summary>
    /// <param name="time">The line's time.</param>
    /// <param name="receivedAt">When it came: what decides is the same whenever the spool is read back.</param>
    public static LogWindow Of(long time, long receivedAt)
    {
        var hour = time - (time % HourMs);
        return hour + HourMs + (long)Grace.TotalMilliseconds > receivedAt ? new LogWindow(hour, false) : new LogWindow(time - (time % DayMs), true);
    }

    /// <summary>Reads <see cref="Folder"/>.</summary>
    public static bool TryParse(string date, string hour, out LogWindow window)
    {
        window = default;
        if (!DateTime.TryParseExact(date, "'date='yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var day))
        {
            return false;
        }

        var start = (long)(day - DateTime.UnixEpoch).TotalMilliseconds;
        if (hour == "hour=late")
        {
            window = new LogWindow(start, true);
            return true;
        }

        var isHour = hour.Length == 7 && hour.StartsWith("hour=", StringComparison.Ordinal)
            && int.TryParse(hour.AsSpan(5), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number < 24;
        window = isHour ? new LogWindow(start + (int.Parse(hour.AsSpan(5), NumberStyles.None, CultureInfo.InvariantCulture) * HourMs), false) : default;
        return isHour;
    }
}
