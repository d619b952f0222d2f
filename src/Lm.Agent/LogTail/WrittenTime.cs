using Lm.Platform;

namespace Lm.Agent.LogTail;

/// <summary>Reads the time at a line's start: ISO 8601, or the form of RFC 3164. A time without a zone is the wall clock's.</summary>
internal sealed class WrittenTime
{
    private const long SecondsPerDay = 86_400;
    private const long QuarterHour = 900; // no zone changes within one

    private long knownQuarter = long.MinValue;
    private long knownOffset;
    private (UnixMillis ReadAt, int Month, int Day) knownDay;
    private long knownDays;

    /// <summary>Takes a time off the line's start, with an opening bracket before it.</summary>
    /// <param name="line">Gets what follows.</param>
    /// <param name="readAt">Tells the year where the line does not.</param>
    /// <param name="time">The time.</param>
    public bool TryTake(ref ReadOnlySpan<byte> line, UnixMillis readAt, out UnixMillis time)
    {
        var rest = line is [(byte)'[', ..] ? line[1..] : line;
        time = default;
        if (rest.Length < 15)
        {
            return false;
        }

        var found = rest[0] is >= (byte)'0' and <= (byte)'9' ? TryTakeIso(ref rest, out time) : TryTakeBsd(ref rest, readAt, out time);
        line = found ? rest : line;
        return found;
    }

    /// <summary>Takes <c>2026-01-02T03:04:05.678+02:00</c>; a space for the T, a comma for the dot, no fraction and no zone are fine.</summary>
    public bool TryTakeIso(ref ReadOnlySpan<byte> text, out UnixMillis time)
    {
        time = default;
        if (text.Length < 19 || text[4] != '-' || text[7] != '-' || text[10] is not ((byte)'T' or (byte)' ' or (byte)'t') || text[13] != ':' || text[16] != ':'
            || !TryNumber(text[..4], out var year) || !TryNumber(text.Slice(5, 2), out var month) || !TryNumber(text.Slice(8, 2), out var day)
            || !TryClock(text.Slice(11, 8), out var clock) || year == 0 || month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year, month))
        {
            return false;
        }

        text = text[19..];
        var millis = TakeFraction(ref text);
        var civil = (DaysOf(year, month, day) * SecondsPerDay) + clock;
        var seconds = TryTakeZone(ref text, out var offset) ? civil - offset : ToUnixSeconds(civil);
        time = new UnixMillis((seconds * 1000) + millis);
        return true;
    }

    // Jan  2 03:04:05, of the year that puts it nearest before the reading.
    private bool TryTakeBsd(ref ReadOnlySpan<byte> text, UnixMillis readAt, out UnixMillis time)
    {
        time = default;
        var month = MonthOf(text[..3]);
        if (month == 0 || text[3] != ' ' || text[6] != ' ' || text[9] != ':' || text[12] != ':' || !TryClock(text.Slice(7, 8), out var clock))
        {
            return false;
        }

        var tens = text[4] == ' ' ? 0 : text[4] - '0';
        var day = (tens * 10) + text[5] - '0';
        if (tens is < 0 or > 3 || text[5] is < (byte)'0' or > (byte)'9' || day < 1 || day > DateTime.DaysInMonth(2024, month))
        {
            return false;
        }

        // Line after line has the same day.
        if (knownDay != (readAt, month, day))
        {
            knownDay = (readAt, month, day);
            knownDays = FindDays(readAt, month, day);
        }

        if (knownDays < 0)
        {
            return false;
        }

        text = text[15..];
        time = new UnixMillis((ToUnixSeconds((knownDays * SecondsPerDay) + clock) * 1000) + TakeFraction(ref text));
        return true;
    }

    /// <summary>Days since 1970 of a day without a year; -1 where the year in question has none such.</summary>
    private static long FindDays(UnixMillis readAt, int month, int day)
    {
        // A day ahead: the host's zone may be east of UTC.
        var now = DateTimeOffset.FromUnixTimeMilliseconds(readAt.Value);
        var year = new DateTime(now.Year, month, Math.Min(day, DateTime.DaysInMonth(now.Year, month)), 0, 0, 0, DateTimeKind.Utc) > now.UtcDateTime.AddDays(1) ? now.Year - 1 : now.Year;
        return day > DateTime.DaysInMonth(year, month) ? -1 : DaysOf(year, month, day);
    }

    private long ToUnixSeconds(long civilSeconds)
    {
        var quarter = civilSeconds / QuarterHour;
        if (quarter != knownQuarter)
        {
            knownOffset = LocalTime.ToUnixSeconds(civilSeconds) - civilSeconds;
            knownQuarter = quarter;
        }

        return civilSeconds + knownOffset;
    }

    private static int TakeFraction(ref ReadOnlySpan<byte> text)
    {
        if (text.Length < 2 || text[0] is not ((byte)'.' or (byte)',') || text[1] is < (byte)'0' or > (byte)'9')
        {
            return 0;
        }

        var (millis, at) = (0, 1);
        for (var unit = 100; at < text.Length && text[at] is >= (byte)'0' and <= (byte)'9' && at <= 9; at++, unit /= 10)
        {
            millis += (text[at] - '0') * unit;
        }

        text = text[at..];
        return millis;
    }

    private static bool TryTakeZone(ref ReadOnlySpan<byte> text, out int offsetSeconds)
    {
        offsetSeconds = 0;
        if (text is [(byte)'Z' or (byte)'z', ..])
        {
            text = text[1..];
            return true;
        }

        // A zone stands right behind, or behind a space as in 2026-01-02 03:04:05 +0200; " - " is no zone.
        var zone = text is [(byte)' ', (byte)'+' or (byte)'-', ..] ? text[1..] : text;
        if (zone.Length < 5 || zone[0] is not ((byte)'+' or (byte)'-') || !TryNumber(zone.Slice(1, 2), out var hours))
        {
            return false;
        }

        var minutesAt = zone[3] == ':' ? 4 : 3;
        if (zone.Length < minutesAt + 2 || !TryNumber(zone.Slice(minutesAt, 2), out var minutes) || hours > 18 || minutes > 59)
        {
            return false;
        }

        offsetSeconds = ((hours * 60) + minutes) * (zone[0] == '-' ? -60 : 60);
        text = zone[(minutesAt + 2)..];
        return true;
    }

    private static bool TryClock(ReadOnlySpan<byte> text, out long seconds)
    {
        seconds = 0;
        if (!TryNumber(text[..2], out var hour) || text[2] != ':' || !TryNumber(text.Slice(3, 2), out var minute) || text[5] != ':'
            || !TryNumber(text.Slice(6, 2), out var second) || hour > 23 || minute > 59 || second > 60)
        {
            return false;
        }

        seconds = (((hour * 60) + minute) * 60) + second;
        return true;
    }

    private static bool TryNumber(ReadOnlySpan<byte> digits, out int value)
    {
        value = 0;
        foreach (var digit in digits)
        {
            if (digit is < (byte)'0' or > (byte)'9')
            {
                return false;
            }

            value = (value * 10) + digit - '0';
        }

        return true;
    }

    // Source: the proleptic Gregorian calendar, counted from 1970-03-01 in years that begin with March.
    private static long DaysOf(int year, int month, int day)
    {
        var (shiftedYear, shiftedMonth) = month > 2 ? (year, month - 3) : (year - 1, month + 9);
        return (365L * shiftedYear) + (shiftedYear / 4) - (shiftedYear / 100) + (shiftedYear / 400) + (((153 * shiftedMonth) + 2) / 5) + day - 1 - 719_468;
    }

    private static int MonthOf(ReadOnlySpan<byte> name)
    {
        var at = "JanFebMarAprMayJunJulAugSepOctNovDec"u8.IndexOf(name);
        return at >= 0 && at % 3 == 0 ? (at / 3) + 1 : 0;
    }
}
