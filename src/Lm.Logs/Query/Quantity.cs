using System.Buffers;
using System.Globalization;
using System.Text;

namespace Lm.Logs.Query;

/// <summary>Numbers, durations (<c>1h30m</c>, <c>1.5s</c>) and sizes (<c>20MB</c>, <c>5KiB</c>): in queries, and in labels that they are compared with.</summary>
internal static class Quantity
{
    private static readonly SearchValues<byte> AmountBytes = SearchValues.Create("0123456789."u8);

    private const double Nanosecond = 1;
    private const double Second = 1e9;

    private static readonly (string Name, double Nanoseconds)[] DurationUnits =
    [
        ("ns", Nanosecond), ("us", 1e3), ("µs", 1e3), ("μs", 1e3), ("ms", 1e6), ("s", Second), ("m", 60 * Second), ("h", 3600 * Second),
        ("d", 86_400 * Second), ("w", 604_800 * Second), ("y", 31_536_000 * Second),
    ];

    private static readonly (string Name, double Bytes)[] ByteUnits =
    [
        ("B", 1), ("kB", 1e3), ("MB", 1e6), ("GB", 1e9), ("TB", 1e12), ("PB", 1e15), ("EB", 1e18),
        ("KiB", 1L << 10), ("MiB", 1L << 20), ("GiB", 1L << 30), ("TiB", 1L << 40), ("PiB", 1L << 50), ("EiB", 1L << 60),
    ];

    /// <summary>Reads a number as Go's <c>ParseFloat</c> does, underscores and hexadecimal left out.</summary>
    public static bool TryNumber(ReadOnlySpan<byte> text, out double number)
    {
        const NumberStyles style = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        return double.TryParse(text, style, CultureInfo.InvariantCulture, out number) && (double.IsFinite(number) || IsNamed(text));
    }

    /// <summary>Reads a duration: numbers with units, one behind the other; a lone 0.</summary>
    public static bool TryDuration(ReadOnlySpan<byte> text, out double nanoseconds)
    {
        nanoseconds = 0;
        var isNegative = text.StartsWith("-"u8);
        text = isNegative || text.StartsWith("+"u8) ? text[1..] : text;
        if (text.SequenceEqual("0"u8))
        {
            return true;
        }

        var any = false;
        while (!text.IsEmpty)
        {
            if (!TryAmount(ref text, out var amount) || !TryUnit(ref text, out var unit))
            {
                return false;
            }

            nanoseconds += amount * unit;
            any = true;
        }

        nanoseconds = isNegative ? -nanoseconds : nanoseconds;
        return any && Math.Abs(nanoseconds) < long.MaxValue;
    }

    /// <summary>Reads a size; without a unit it is bytes.</summary>
    public static bool TryBytes(ReadOnlySpan<byte> text, out double bytes)
    {
        bytes = 0;
        if (!TryAmount(ref text, out var amount))
        {
            return false;
        }

        text = text.TrimStart((byte)' ');
        if (text.IsEmpty)
        {
            bytes = amount;
            return true;
        }

        foreach (var (name, factor) in ByteUnits)
        {
            if (Ascii.EqualsIgnoreCase(text, name) || (name.Length > 1 && Ascii.EqualsIgnoreCase(text, name.AsSpan(0, name.Length - 1))))
            {
                bytes = amount * factor;
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether a text of a query is a size rather than a duration or number: it ends in a B.</summary>
    public static bool LooksLikeBytes(ReadOnlySpan<char> text) => text.Length > 1 && text[^1] is 'B' or 'b';

    /// <summary>A number as a query has it.</summary>
    public static string PrintNumber(double number) => number.ToString("R", CultureInfo.InvariantCulture);

    /// <summary>A duration as a query has it.</summary>
    public static string PrintDuration(double nanoseconds)
    {
        var rest = (long)nanoseconds;
        if (rest == 0)
        {
            return "0s";
        }

        var text = new StringBuilder(rest < 0 ? "-" : "");
        rest = Math.Abs(rest);
        foreach (var (name, unit) in ((string, long)[])[("h", 3_600_000_000_000), ("m", 60_000_000_000), ("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1000), ("ns", 1)])
        {
            if (rest >= unit)
            {
                text.Append(CultureInfo.InvariantCulture, $"{rest / unit}{name}");
                rest %= unit;
            }
        }

        return text.ToString();
    }

    /// <summary>A size as a query has it.</summary>
    public static string PrintBytes(double bytes) => PrintNumber(bytes) + "B";

    private static bool IsNamed(ReadOnlySpan<byte> text)
    {
        // "1e999" is out of range; Inf and NaN are written out.
        var bare = text.TrimStart("+-"u8);
        return !bare.IsEmpty && !char.IsAsciiDigit((char)bare[0]) && bare[0] != '.';
    }

    private static bool TryAmount(ref ReadOnlySpan<byte> text, out double amount)
    {
        var length = text.IndexOfAnyExcept(AmountBytes);
        length = length < 0 ? text.Length : length;
        var found = double.TryParse(text[..length], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out amount);
        text = text[length..];
        return found;
    }

    private static bool TryUnit(ref ReadOnlySpan<byte> text, out double nanoseconds)
    {
        nanoseconds = 0;
        var length = text.IndexOfAnyInRange((byte)'.', (byte)'9');
        length = length < 0 ? text.Length : length;
        if (length > 3)
        {
            return false;
        }

        Span<char> unit = stackalloc char[3];
        var count = Encoding.UTF8.GetChars(text[..length], unit);
        foreach (var (name, value) in DurationUnits)
        {
            if (unit[..count].SequenceEqual(name))
            {
                nanoseconds = value;
                text = text[length..];
                return true;
            }
        }

        return false;
    }
}

/// <summary>What kind of amount a text tells.</summary>
internal enum QuantityKind
{
    /// <summary>A plain number.</summary>
    Number,

    /// <summary>A duration, nanoseconds.</summary>
    Duration,

    /// <summary>A size, bytes.</summary>
    Bytes,
}
