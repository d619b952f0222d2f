using System.Globalization;
using System.Text;

namespace Lm.Logs.Query.Templates;

/// <summary>Times in the layouts of Go, which show how the second of January 2006, 15:04:05, would be written.</summary>
/// <remarks>Source: https://pkg.go.dev/time#pkg-constants. Zones are offsets; MST is written as UTC, or as the offset.</remarks>
internal static class GoTime
{
    // Longer ones first; those of Z stand for UTC as Z.
    private static readonly string[] Elements =
    [
        "January", "Jan", "Monday", "Mon", "MST", "2006", "-07:00", "-0700", "-07", "Z07:00", "Z0700", "Z07", "002", "01", "02", "03", "04", "05", "06", "15", "PM", "pm", "_2", "1", "2", "3", "4", "5",
    ];

    /// <summary>Writes a time.</summary>
    public static string Format(DateTimeOffset time, string layout)
    {
        var text = new StringBuilder(layout.Length + 8);
        for (var i = 0; i < layout.Length;)
        {
            if (FractionAt(layout, i, text.Length > 0) is > 0 and var digits)
            {
                AppendFraction(text, time, layout[i], layout[i + 1] == '9', digits - 1);
                i += digits;
            }
            else if (ElementAt(layout, i) is { } element)
            {
                text.Append(Shown(time, element));
                i += element.Length;
            }
            else
            {
                text.Append(layout[i++]);
            }
        }

        return text.ToString();
    }

    /// <summary>Reads a time.</summary>
    /// <param name="text">The text.</param>
    /// <param name="layout">How it is written.</param>
    /// <param name="zone">Its offset where it does not say.</param>
    /// <param name="time">The time.</param>
    public static bool TryParse(string text, string layout, TimeSpan zone, out DateTimeOffset time)
    {
        time = default;
        var fields = new Fields { Offset = zone };
        var at = 0;
        for (var i = 0; i < layout.Length;)
        {
            if (FractionAt(layout, i, i > 0) is > 0 and var digits)
            {
                if (!fields.TryFraction(text, ref at))
                {
                    return false;
                }

                i += digits;
            }
            else if (ElementAt(layout, i) is { } element)
            {
                if (!fields.TryRead(element, text, ref at))
                {
                    return false;
                }

                i += element.Length;

                // A fraction may stand behind the seconds though the layout has none.
                if (element is "05" or "5" && at < text.Length && text[at] == '.' && FractionAt(layout, i, true) == 0 && !fields.TryFraction(text, ref at))
                {
                    return false;
                }
            }
            else if (at >= text.Length || text[at++] != layout[i++])
            {
                return false;
            }
        }

        return at == text.Length && fields.TryMake(out time);
    }

    private static string? ElementAt(string layout, int at)
    {
        foreach (var element in Elements)
        {
            if (string.CompareOrdinal(layout, at, element, 0, element.Length) == 0)
            {
                return element;
            }
        }

        return null;
    }

    // How long ".000", ",999" is; 0 when there is none.
    private static int FractionAt(string layout, int at, bool hasBefore)
    {
        if (!hasBefore || layout[at] is not ('.' or ',') || at + 1 >= layout.Length || layout[at + 1] is not ('0' or '9'))
        {
            return 0;
        }

        var end = at + 1;
        while (end < layout.Length && layout[end] == layout[at + 1])
        {
            end++;
        }

        return end < layout.Length && char.IsAsciiDigit(layout[end]) ? 0 : end - at;
    }

    private static void AppendFraction(StringBuilder text, DateTimeOffset time, char separator, bool trims, int digits)
    {
        var all = (time.Ticks % TimeSpan.TicksPerSecond).ToString("D7", CultureInfo.InvariantCulture).PadRight(9, '0');
        var shown = all[..Math.Min(digits, 9)];
        shown = trims ? shown.TrimEnd('0') : shown;
        text.Append(shown.Length > 0 ? separator.ToString() : "").Append(shown);
    }

    private static string Shown(DateTimeOffset time, string element)
    {
        var culture = CultureInfo.InvariantCulture;
        return element switch
        {
            "2006" => time.Year.ToString("D4", culture),
            "06" => (time.Year % 100).ToString("D2", culture),
            "January" => culture.DateTimeFormat.GetMonthName(time.Month),
            "Jan" => culture.DateTimeFormat.GetAbbreviatedMonthName(time.Month),
            "01" => time.Month.ToString("D2", culture),
            "1" => time.Month.ToString(culture),
            "Monday" => time.DayOfWeek.ToString(),
            "Mon" => time.DayOfWeek.ToString()[..3],
            "02" => time.Day.ToString("D2", culture),
            "_2" => time.Day.ToString(culture).PadLeft(2),
            "2" => time.Day.ToString(culture),
            "002" => time.DayOfYear.ToString("D3", culture),
            "15" => time.Hour.ToString("D2", culture),
            "03" => TwelveOf(time.Hour).ToString("D2", culture),
            "3" => TwelveOf(time.Hour).ToString(culture),
            "04" => time.Minute.ToString("D2", culture),
            "4" => time.Minute.ToString(culture),
            "05" => time.Second.ToString("D2", culture),
            "5" => time.Second.ToString(culture),
            "PM" => time.Hour >= 12 ? "PM" : "AM",
            "pm" => time.Hour >= 12 ? "pm" : "am",
            "MST" => time.Offset == TimeSpan.Zero ? "UTC" : OffsetOf(time.Offset, ""),
            _ => element[0] == 'Z' && time.Offset == TimeSpan.Zero ? "Z"
                : element.EndsWith("07", StringComparison.Ordinal) ? OffsetOf(time.Offset, null)
                : OffsetOf(time.Offset, element.Contains(':', StringComparison.Ordinal) ? ":" : ""),
        };
    }

    private static int TwelveOf(int hour) => hour % 12 == 0 ? 12 : hour % 12;

    private static string OffsetOf(TimeSpan offset, string? separator)
    {
        var whole = string.Create(CultureInfo.InvariantCulture, $"{(offset < TimeSpan.Zero ? '-' : '+')}{Math.Abs(offset.Hours):D2}");
        return separator is null ? whole : string.Create(CultureInfo.InvariantCulture, $"{whole}{separator}{Math.Abs(offset.Minutes):D2}");
    }

    private sealed class Fields
    {
        private int year = 1;
        private int month = 1;
        private int day = 1;
        private int dayOfYear;
        private int hour;
        private int minute;
        private int second;
        private long ticks;
        private bool? isAfternoon;

        public TimeSpan Offset { get; set; }

        public bool TryRead(string element, string text, ref int at)
        {
            var culture = CultureInfo.InvariantCulture.DateTimeFormat;
            switch (element)
            {
                case "2006":
                    return TryNumber(text, ref at, 4, 4, out year);
                case "06":
                    var found = TryNumber(text, ref at, 2, 2, out year);
                    year += year >= 69 ? 1900 : 2000;
                    return found;
                case "January" or "Jan":
                    return TryName(text, ref at, element == "Jan" ? culture.AbbreviatedMonthNames : culture.MonthNames, out month) && ++month > 0;
                case "Monday" or "Mon":
                    return TryName(text, ref at, element == "Mon" ? culture.AbbreviatedDayNames : culture.DayNames, out _);
                case "01" or "1":
                    return TryNumber(text, ref at, element.Length, 2, out month);
                case "_2":
                    at += at < text.Length && text[at] == ' ' ? 1 : 0;
                    return TryNumber(text, ref at, 1, 2, out day);
                case "02" or "2":
                    return TryNumber(text, ref at, element.Length, 2, out day);
                case "002":
                    return TryNumber(text, ref at, 3, 3, out dayOfYear);
                case "15":
                    return TryNumber(text, ref at, 2, 2, out hour);
                case "03" or "3":
                    return TryNumber(text, ref at, element.Length, 2, out hour);
                case "04" or "4":
                    return TryNumber(text, ref at, element.Length, 2, out minute);
                case "05" or "5":
                    return TryNumber(text, ref at, element.Length, 2, out second);
                case "PM" or "pm":
                    var half = at + 2 <= text.Length ? text.Substring(at, 2) : "";
                    at += 2;
                    isAfternoon = half.Equals("PM", StringComparison.OrdinalIgnoreCase);
                    return isAfternoon.Value || half.Equals("AM", StringComparison.OrdinalIgnoreCase);
                case "MST":
                    var isUtc = string.CompareOrdinal(text, at, "UTC", 0, 3) == 0;
                    Offset = isUtc ? TimeSpan.Zero : Offset;
                    at += 3;
                    return at <= text.Length && text.AsSpan(at - 3, 3).IndexOfAnyExceptInRange('A', 'Z') < 0;
                default:
                    return TryOffset(element, text, ref at);
            }
        }

        public bool TryFraction(string text, ref int at)
        {
            if (at >= text.Length || text[at] is not ('.' or ','))
            {
                return true; // it may be missing
            }

            var end = ++at;
            while (end < text.Length && char.IsAsciiDigit(text[end]))
            {
                end++;
            }

            var digits = text[at..Math.Min(end, at + 7)];
            at = end;
            return digits.Length > 0 && long.TryParse(digits.PadRight(7, '0'), NumberStyles.None, CultureInfo.InvariantCulture, out ticks);
        }

        public bool TryMake(out DateTimeOffset time)
        {
            time = default;
            if (isAfternoon is { } afternoon)
            {
                hour = (hour % 12) + (afternoon ? 12 : 0);
            }

            if (year is < 1 or > 9998 || month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year, month) || hour > 23 || minute > 59 || second > 59
                || dayOfYear > (DateTime.IsLeapYear(year) ? 366 : 365) || Offset.Duration() > TimeSpan.FromHours(14) || year == 1)
            {
                return false;
            }

            time = new DateTimeOffset(year, month, day, hour, minute, second, Offset).AddTicks(ticks).AddDays(dayOfYear > 0 ? dayOfYear - 1 : 0);
            return true;
        }

        private bool TryOffset(string element, string text, ref int at)
        {
            if (element[0] == 'Z' && at < text.Length && text[at] == 'Z')
            {
                at++;
                Offset = TimeSpan.Zero;
                return true;
            }

            if (at >= text.Length || text[at] is not ('+' or '-'))
            {
                return false;
            }

            var sign = text[at++] == '-' ? -1 : 1;
            var minutes = 0;
            var found = TryNumber(text, ref at, 2, 2, out var hours);
            if (found && !element.EndsWith("07", StringComparison.Ordinal))
            {
                at += element.Contains(':', StringComparison.Ordinal) && at < text.Length && text[at] == ':' ? 1 : 0;
                found = TryNumber(text, ref at, 2, 2, out minutes);
            }

            Offset = sign * new TimeSpan(hours, minutes, 0);
            return found;
        }

        private static bool TryNumber(string text, ref int at, int least, int most, out int number)
        {
            var end = at;
            while (end < text.Length && end - at < most && char.IsAsciiDigit(text[end]))
            {
                end++;
            }

            number = 0;
            var found = end - at >= least && int.TryParse(text.AsSpan(at, end - at), NumberStyles.None, CultureInfo.InvariantCulture, out number);
            at = end;
            return found;
        }

        private static bool TryName(string text, ref int at, string[] names, out int index)
        {
            var place = at;
            index = Array.FindIndex(names, name => name.Length > 0 && string.Compare(text, place, name, 0, name.Length, StringComparison.OrdinalIgnoreCase) == 0);
            at += index < 0 ? 0 : names[index].Length;
            return index >= 0;
        }
    }
}
