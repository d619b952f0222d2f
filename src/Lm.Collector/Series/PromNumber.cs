using System.Diagnostics;
using System.Globalization;

namespace Lm.Collector.Series;

/// <summary>Numbers and times as Prometheus' HTTP API writes and reads them.</summary>
internal static class PromNumber
{
    /// <summary>Room for any result of <see cref="FormatValue"/> and <see cref="FormatTime"/>, bytes.</summary>
    public const int BytesMax = 64;

    /// <summary>Room for any result of <see cref="FormatPlain"/>, bytes.</summary>
    public const int PlainBytesMax = 400;

    // Whole numbers below are written without looking for the shortest digits: counters mostly are.
    private const double WholeMax = 1L << 53;

    // time.Unix(math.MinInt64/1000 …): Prometheus' API refuses nothing in this range; beyond it milliseconds overflow.
    private const double SecondsMax = long.MaxValue / 1000;

    // Go's ParseFloat takes no blanks.
    private const NumberStyles SecondsStyle = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;

    private const int TickDigits = 7;
    private const int NanosecondDigits = 9;

    /// <summary>Writes a sample's value: the shortest digits that read back as the same number, without exponent from 1e-6 up to 1e21.</summary>
    /// <remarks>What Prometheus 2.42.0 writes for samples of vectors and matrices, number by number as
    /// <c>tests/fixtures/numbers/prometheus-values.txt</c> has it from the program itself. Its scalar results never have an exponent.</remarks>
    /// <param name="value">The value.</param>
    /// <param name="destination">At least <see cref="BytesMax"/> bytes.</param>
    /// <returns>How many bytes.</returns>
    public static int FormatValue(double value, Span<byte> destination)
    {
        var magnitude = Math.Abs(value);
        if (magnitude < WholeMax && value == (long)value && (value != 0 || !double.IsNegative(value)))
        {
            ((long)value).TryFormat(destination, out var written, default, CultureInfo.InvariantCulture);
            return written;
        }

        return Format(value, destination, magnitude is < 1e-6 or >= 1e21);
    }

    /// <summary>Writes a scalar result: as <see cref="FormatValue"/>, and never with an exponent.</summary>
    /// <param name="value">The value.</param>
    /// <param name="destination">At least <see cref="PlainBytesMax"/> bytes.</param>
    /// <returns>How many bytes.</returns>
    public static int FormatPlain(double value, Span<byte> destination) => Format(value, destination, wantsExponent: false);

    private static int Format(double value, Span<byte> destination, bool wantsExponent)
    {
        if (!double.IsFinite(value))
        {
            ReadOnlySpan<byte> name = double.IsNaN(value) ? "NaN"u8 : value > 0 ? "+Inf"u8 : "-Inf"u8;
            name.CopyTo(destination);
            return name.Length;
        }

        // "E16" would round; the default format is the shortest that reads back, sometimes with an exponent.
        Span<byte> shortest = stackalloc byte[32];
        var formatted = value.TryFormat(shortest, out var length, default, CultureInfo.InvariantCulture);
        Debug.Assert(formatted, "at most 17 digits, sign, point and exponent");
        shortest = shortest[..length];

        var mark = shortest.IndexOf((byte)'E');
        if (mark < 0)
        {
            shortest.CopyTo(destination);
            return length;
        }

        var exponent = int.Parse(shortest[(mark + 1)..], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        return wantsExponent ? WithExponent(shortest[..mark], exponent, destination) : WithoutExponent(shortest[..mark], exponent, destination);
    }

    /// <summary>Writes a time as seconds with milliseconds: <c>1435781451.781</c>, <c>1435781451</c>.</summary>
    /// <returns>How many bytes.</returns>
    public static int FormatTime(long milliseconds, Span<byte> destination)
    {
        if (milliseconds >= 0 && milliseconds % 1000 == 0)
        {
            (milliseconds / 1000).TryFormat(destination, out var plain, default, CultureInfo.InvariantCulture);
            return plain;
        }

        var at = 0;
        var rest = (UInt128)Int128.Abs(milliseconds);
        if (milliseconds < 0)
        {
            destination[at++] = (byte)'-';
        }

        var fraction = (int)(rest % 1000);
        ((ulong)(rest / 1000)).TryFormat(destination[at..], out var written, default, CultureInfo.InvariantCulture);
        at += written;
        if (fraction != 0)
        {
            destination[at++] = (byte)'.';
            fraction.TryFormat(destination[at..], out written, "D3", CultureInfo.InvariantCulture);
            at += written;
        }

        return at;
    }

    /// <summary>Reads a <c>time</c> parameter: seconds with decimals, or RFC 3339.</summary>
    /// <returns>False when it is neither, or too far away for milliseconds.</returns>
    public static bool TryParseTime(string text, out long milliseconds)
    {
        milliseconds = 0;
        if (double.TryParse(text, SecondsStyle, CultureInfo.InvariantCulture, out var seconds))
        {
            if (double.IsNaN(seconds) || Math.Abs(seconds) >= SecondsMax)
            {
                return false;
            }

            // The fraction alone is rounded, as Prometheus does it: seconds * 1000 would round a product that is rounded already.
            var whole = Math.Truncate(seconds);
            milliseconds = ((long)whole * 1000) + (long)Math.Round((seconds - whole) * 1000, MidpointRounding.AwayFromZero);
            return true;
        }

        return TryParseRfc3339(text, out milliseconds);
    }

    private static bool TryParseRfc3339(string text, out long milliseconds)
    {
        milliseconds = 0;
        string[] forms = ["yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK", "yyyy-MM-dd'T'HH:mm:ssK"];
        var hasZone = text.EndsWith('Z') || (text.Length > 6 && text[^3] == ':' && text[^6] is '+' or '-');
        if (!hasZone || !DateTimeOffset.TryParseExact(WithoutNanoseconds(text), forms, CultureInfo.InvariantCulture, DateTimeStyles.None, out var time))
        {
            return false;
        }

        milliseconds = time.ToUnixTimeMilliseconds();
        return true;
    }

    // Go's clients write nine digits of fraction; the reader here takes seven. Those behind the millisecond are cut off anyway.
    private static string WithoutNanoseconds(string text)
    {
        var point = text.IndexOf('.');
        if (point < 0)
        {
            return text;
        }

        var end = point + 1;
        while (end < text.Length && char.IsAsciiDigit(text[end]))
        {
            end++;
        }

        var digits = end - point - 1;
        return digits is > TickDigits and <= NanosecondDigits ? text.Remove(point + 1 + TickDigits, digits - TickDigits) : text;
    }

    // 1.5E-07 → 1.5e-07: Go writes two digits of exponent at least, as .NET does, and a small e.
    private static int WithExponent(ReadOnlySpan<byte> digits, int exponent, Span<byte> destination)
    {
        digits.CopyTo(destination);
        var at = digits.Length;
        destination[at++] = (byte)'e';
        destination[at++] = (byte)(exponent < 0 ? '-' : '+');
        Math.Abs(exponent).TryFormat(destination[at..], out var written, "D2", CultureInfo.InvariantCulture);
        return at + written;
    }

    // 1.25E+18 → 1250000000000000000; 1.5E-06 → 0.0000015.
    private static int WithoutExponent(ReadOnlySpan<byte> digits, int exponent, Span<byte> destination)
    {
        var at = 0;
        if (digits[0] == (byte)'-')
        {
            destination[at++] = (byte)'-';
            digits = digits[1..];
        }

        Span<byte> plain = stackalloc byte[32];
        var count = 0;
        foreach (var digit in digits)
        {
            if (digit != (byte)'.')
            {
                plain[count++] = digit;
            }
        }

        // One digit stands before the point.
        var point = 1 + exponent;
        if (point <= 0)
        {
            "0."u8.CopyTo(destination[at..]);
            destination.Slice(at + 2, -point).Fill((byte)'0');
            plain[..count].CopyTo(destination[(at + 2 - point)..]);
            return at + 2 - point + count;
        }

        var whole = Math.Min(point, count);
        plain[..whole].CopyTo(destination[at..]);
        destination.Slice(at + whole, point - whole).Fill((byte)'0');
        at += point;
        if (count > point)
        {
            destination[at++] = (byte)'.';
            plain[point..count].CopyTo(destination[at..]);
            at += count - point;
        }

        return at;
    }
}
