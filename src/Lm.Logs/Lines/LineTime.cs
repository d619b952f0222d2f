using System.Buffers.Binary;

namespace Lm.Logs.Lines;

/// <summary>The time of a line as it is written: RFC 3339, UTC, milliseconds, always 24 characters: <c>2026-01-02T03:04:05.678Z</c>.</summary>
internal static class LineTime
{
    /// <summary>Bytes of a time.</summary>
    public const int Length = 24;

    /// <summary>The latest time that has such a form: the end of the year 9999.</summary>
    public const long Max = 253_402_300_799_999;

    // "2026-01-02T03:04:", what lines of one minute share.
    private const int MinuteLength = 17;

    private const long MillisecondsOfDay = 86_400_000;

    // The number of 1970-01-01 among days.
    private const int EpochDay = 719_162;

    /// <summary>Writes a time.</summary>
    /// <param name="time">0 to <see cref="Max"/>.</param>
    /// <param name="to">At least <see cref="Length"/> bytes.</param>
    public static void Write(long time, Span<byte> to)
    {
        var (day, inDay) = Math.DivRem(time, MillisecondsOfDay);
        var (year, month, dayOfMonth) = DateOnly.FromDayNumber(EpochDay + (int)day);
        var (seconds, milliseconds) = Math.DivRem((int)inDay, 1000);
        to = to[..Length];
        "0000-00-00T00:00:00.000Z"u8.CopyTo(to);
        WriteTwo(to, 0, year / 100);
        WriteTwo(to, 2, year % 100);
        WriteTwo(to, 5, month);
        WriteTwo(to, 8, dayOfMonth);
        WriteTwo(to, 11, seconds / 3600);
        WriteTwo(to, 14, seconds / 60 % 60);
        WriteTwo(to, 17, seconds % 60);
        to[20] = (byte)('0' + (milliseconds / 100));
        WriteTwo(to, 21, milliseconds % 100);
    }

    private static void WriteTwo(Span<byte> to, int at, int value)
    {
        to[at] = (byte)('0' + (value / 10));
        to[at + 1] = (byte)('0' + (value % 10));
    }

    /// <summary>Reads times; those of one minute after another cost next to nothing.</summary>
    internal sealed class Reader
    {
        private readonly byte[] minute = new byte[MinuteLength];
        private long minuteStart;

        /// <summary>Reads a time.</summary>
        /// <returns>False when it is none.</returns>
        public bool TryRead(ReadOnlySpan<byte> text, out long time)
        {
            time = 0;
            if (text.Length < Length || text[19] != '.' || text[23] != 'Z')
            {
                return false;
            }

            if (!text[..MinuteLength].SequenceEqual(minute) && !TryReadMinute(text[..MinuteLength]))
            {
                return false;
            }

            var second = Two(text, 17);
            var hundreds = text[20] - '0';
            var rest = Two(text, 21);
            time = minuteStart + (second * 1000) + (hundreds * 100) + rest;
            return second is >= 0 and < 60 && hundreds is >= 0 and < 10 && rest >= 0;
        }

        private bool TryReadMinute(ReadOnlySpan<byte> text)
        {
            var (century, year, month, day) = (Two(text, 0), Two(text, 2), Two(text, 5), Two(text, 8));
            var (hour, min) = (Two(text, 11), Two(text, 14));
            if (century < 0 || year < 0 || month is < 1 or > 12 || day < 1 || hour is < 0 or > 23 || min is < 0 or > 59
                || text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' || text[16] != ':')
            {
                return false;
            }

            var fullYear = (century * 100) + year;
            if (fullYear < 1970 || day > DateTime.DaysInMonth(fullYear, month))
            {
                return false;
            }

            minuteStart = (long)(new DateTime(fullYear, month, day, hour, min, 0, DateTimeKind.Utc) - DateTime.UnixEpoch).TotalMilliseconds;
            text.CopyTo(minute);
            return true;
        }

        // Negative when they are no two digits.
        private static int Two(ReadOnlySpan<byte> text, int at)
        {
            var pair = BinaryPrimitives.ReadUInt16LittleEndian(text[at..]);
            var (tens, ones) = ((pair & 0xff) - '0', (pair >> 8) - '0');
            return (uint)tens > 9 || (uint)ones > 9 ? -1 : (tens * 10) + ones;
        }
    }
}
