using System.Globalization;

namespace Lm.Toml;

/// <summary>A date, a time, or both, with or without an offset from UTC: the four kinds of TOML.</summary>
/// <param name="Date">Null for a local time.</param>
/// <param name="Time">Null for a local date.</param>
/// <param name="OffsetMinutes">Null for the local kinds.</param>
/// <remarks>
/// Source: TOML 1.0.0, "Offset Date-Time" and on; RFC 3339. Not .NET's types: TOML has the year 0, offsets up to 23:59 and leap seconds.
/// </remarks>
internal readonly record struct TomlDateTime(TomlDate? Date, TomlTime? Time, int? OffsetMinutes)
{
    /// <summary>Whether a value can only be meant as a date or time: <c>dddd-</c> or <c>dd:</c>.</summary>
    public static bool LooksLike(ReadOnlySpan<char> token) =>
        (token.Length > 4 && token[4] == '-' && !token[..4].ContainsAnyExceptInRange('0', '9'))
        || (token.Length > 2 && token[2] == ':' && !token[..2].ContainsAnyExceptInRange('0', '9'));

    /// <summary>Whether this is a date to which a time may follow after one space.</summary>
    public static bool IsDate(ReadOnlySpan<char> token) => token.Length == TomlDate.Length && token[4] == '-' && token[7] == '-';

    /// <summary>Reads any of the four kinds; <paramref name="fault"/> says what is wrong when it returns false.</summary>
    public static bool TryParse(ReadOnlySpan<char> token, out TomlDateTime value, out string fault)
    {
        value = default;
        fault = "";
        if (token[2] == ':')
        {
            return TomlTime.TryTake(ref token, out var only, ref fault)
                && TryEnd(token, "a local time has no offset from UTC, it ends after its seconds", ref fault)
                && Give(null, only, null, out value);
        }

        if (!TomlDate.TryTake(ref token, out var date, ref fault))
        {
            return false;
        }

        if (token.IsEmpty)
        {
            return Give(date, null, null, out value);
        }

        if (token[0] is not ('T' or 't' or ' '))
        {
            fault = "after a date comes T and a time, or nothing";
            return false;
        }

        token = token[1..];
        if (!TomlTime.TryTake(ref token, out var time, ref fault))
        {
            return false;
        }

        return token.IsEmpty
            ? Give(date, time, null, out value)
            : TryTakeOffset(ref token, out var offset, ref fault)
                && TryEnd(token, "nothing may follow the offset", ref fault)
                && Give(date, time, offset, out value);
    }

    /// <summary>Takes so many digits as a number.</summary>
    internal static bool TryTakeDigits(ref ReadOnlySpan<char> token, int count, out int number)
    {
        number = 0;
        if (token.Length < count || !int.TryParse(token[..count], NumberStyles.None, CultureInfo.InvariantCulture, out number))
        {
            return false;
        }

        token = token[count..];
        return true;
    }

    /// <summary>Takes one character.</summary>
    internal static bool TryTakeCharacter(ref ReadOnlySpan<char> token, char expected)
    {
        if (token.IsEmpty || token[0] != expected)
        {
            return false;
        }

        token = token[1..];
        return true;
    }

    private static bool TryTakeOffset(ref ReadOnlySpan<char> token, out int minutes, ref string fault)
    {
        minutes = 0;
        var sign = token[0];
        token = token[1..];
        if (sign is 'Z' or 'z')
        {
            return true;
        }

        if (sign is not ('+' or '-')
            || !TryTakeDigits(ref token, 2, out var hour)
            || !TryTakeCharacter(ref token, ':')
            || !TryTakeDigits(ref token, 2, out var minute)
            || hour > 23
            || minute > 59)
        {
            fault = "after the time comes Z or an offset from -23:59 to +23:59, or nothing";
            return false;
        }

        minutes = (sign == '-' ? -1 : 1) * ((hour * 60) + minute);
        return true;
    }

    private static bool TryEnd(ReadOnlySpan<char> token, string expectation, ref string fault)
    {
        if (token.IsEmpty)
        {
            return true;
        }

        fault = expectation;
        return false;
    }

    private static bool Give(TomlDate? date, TomlTime? time, int? offsetMinutes, out TomlDateTime value)
    {
        value = new TomlDateTime(date, time, offsetMinutes);
        return true;
    }
}

/// <summary>A day of the Gregorian calendar, carried back to the year 0.</summary>
internal readonly record struct TomlDate(int Year, int Month, int Day)
{
    /// <summary>Characters of <c>2026-08-01</c>.</summary>
    public const int Length = 10;

    /// <summary>Takes <c>2026-08-01</c> from the front.</summary>
    public static bool TryTake(ref ReadOnlySpan<char> token, out TomlDate date, ref string fault)
    {
        date = default;
        if (!TomlDateTime.TryTakeDigits(ref token, 4, out var year)
            || !TomlDateTime.TryTakeCharacter(ref token, '-')
            || !TomlDateTime.TryTakeDigits(ref token, 2, out var month)
            || !TomlDateTime.TryTakeCharacter(ref token, '-')
            || !TomlDateTime.TryTakeDigits(ref token, 2, out var day))
        {
            fault = "a date is written YYYY-MM-DD";
            return false;
        }

        if (month is < 1 or > 12)
        {
            fault = $"the month is {month}; allowed is 1 to 12";
            return false;
        }

        // .NET has no year 0; it is a leap year as 400 is.
        var days = DateTime.DaysInMonth(year == 0 ? 400 : year, month);
        if (day < 1 || day > days)
        {
            fault = $"the day is {day}; that month has the days 1 to {days}";
            return false;
        }

        date = new TomlDate(year, month, day);
        return true;
    }
}

/// <summary>A time of day.</summary>
/// <param name="Hour">0 to 23.</param>
/// <param name="Minute">0 to 59.</param>
/// <param name="Second">0 to 60: RFC 3339 has leap seconds.</param>
/// <param name="Nanosecond">Further digits of the fraction are cut, as TOML has it.</param>
internal readonly record struct TomlTime(int Hour, int Minute, int Second, int Nanosecond)
{
    private const int FractionDigits = 9;

    /// <summary>Takes <c>23:59:59.123</c> from the front.</summary>
    public static bool TryTake(ref ReadOnlySpan<char> token, out TomlTime time, ref string fault)
    {
        time = default;
        if (!TomlDateTime.TryTakeDigits(ref token, 2, out var hour)
            || !TomlDateTime.TryTakeCharacter(ref token, ':')
            || !TomlDateTime.TryTakeDigits(ref token, 2, out var minute)
            || !TomlDateTime.TryTakeCharacter(ref token, ':')
            || !TomlDateTime.TryTakeDigits(ref token, 2, out var second))
        {
            fault = "a time is written HH:MM:SS, with a fraction of the second if need be";
            return false;
        }

        if (hour > 23 || minute > 59 || second > 60)
        {
            fault = "a time is at most 23:59:59 (23:59:60 for a leap second)";
            return false;
        }

        if (!TryTakeFraction(ref token, out var nanosecond))
        {
            fault = "the fraction of a second needs a digit after its point";
            return false;
        }

        time = new TomlTime(hour, minute, second, nanosecond);
        return true;
    }

    private static bool TryTakeFraction(ref ReadOnlySpan<char> token, out int nanosecond)
    {
        nanosecond = 0;
        if (!TomlDateTime.TryTakeCharacter(ref token, '.'))
        {
            return true;
        }

        var count = token.IndexOfAnyExceptInRange('0', '9');
        var digits = count < 0 ? token : token[..count];
        token = token[digits.Length..];
        for (var i = 0; i < FractionDigits; i++)
        {
            nanosecond = (nanosecond * 10) + (i < digits.Length ? digits[i] - '0' : 0);
        }

        return digits.Length > 0;
    }
}
