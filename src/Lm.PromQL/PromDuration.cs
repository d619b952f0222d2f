using System.Globalization;
using System.Text;

namespace Lm.PromQL;

/// <summary>Prometheus' durations: <c>5m</c>, <c>1h30m</c>, <c>500ms</c>.</summary>
/// <remarks>Source: https://prometheus.io/docs/prometheus/latest/querying/basics/#float-literals-and-time-durations. Units in this order, each at most once.</remarks>
public static class PromDuration
{
    /// <summary>292 years, as Go's nanoseconds in 64 bits: what Prometheus takes at most, milliseconds.</summary>
    public const long MillisecondsMax = long.MaxValue / 1_000_000;

    private static readonly (string Unit, long Milliseconds)[] Units =
    [
        ("y", 365 * 86_400_000L), ("w", 7 * 86_400_000L), ("d", 86_400_000L), ("h", 3_600_000L), ("m", 60_000L), ("s", 1000L), ("ms", 1L),
    ];

    /// <summary>Reads a duration.</summary>
    /// <param name="text">The text.</param>
    /// <param name="milliseconds">What it means.</param>
    /// <param name="fault">When false: why not, in Prometheus' words.</param>
    public static bool TryParse(ReadOnlySpan<char> text, out long milliseconds, out string fault)
    {
        milliseconds = 0;
        fault = "";
        if (text is "0")
        {
            return true;
        }

        if (text.IsEmpty)
        {
            fault = "empty duration string";
            return false;
        }

        var rest = text;
        var nextUnit = 0;
        while (!rest.IsEmpty)
        {
            if (!TryTakePart(text, ref rest, ref nextUnit, out var part, out fault))
            {
                return false;
            }

            if (part > MillisecondsMax - milliseconds)
            {
                fault = "duration out of range";
                return false;
            }

            milliseconds += part;
        }

        return true;
    }

    /// <summary>Writes a duration: weeks and years only when nothing smaller is left over.</summary>
    public static string Format(long milliseconds)
    {
        if (milliseconds == 0)
        {
            return "0s";
        }

        var text = new StringBuilder();
        Int128 rest = milliseconds;
        if (rest < 0)
        {
            text.Append('-');
            rest = -rest;
        }

        foreach (var (unit, size) in Units)
        {
            var mustBeWhole = unit is "y" or "w";
            if (rest < size || (mustBeWhole && rest % size != 0))
            {
                continue;
            }

            text.Append(CultureInfo.InvariantCulture, $"{rest / size}{unit}");
            rest %= size;
        }

        return text.ToString();
    }

    private static bool TryTakePart(ReadOnlySpan<char> whole, ref ReadOnlySpan<char> rest, ref int nextUnit, out long milliseconds, out string fault)
    {
        milliseconds = 0;
        fault = $"not a valid duration string: {GoText.Quote(whole)}";
        var digits = rest.IndexOfAnyExceptInRange('0', '9');
        if (digits <= 0 || !ulong.TryParse(rest[..digits], NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            return false;
        }

        rest = rest[digits..];
        var letters = rest.IndexOfAnyInRange('0', '9');
        var unit = letters < 0 ? rest : rest[..letters];
        rest = rest[unit.Length..];
        var index = 0;
        while (index < Units.Length && !unit.SequenceEqual(Units[index].Unit))
        {
            index++;
        }

        if (index == Units.Length)
        {
            fault = $"unknown unit {GoText.Quote(unit)} in duration {GoText.Quote(whole)}";
            return false;
        }

        if (index < nextUnit)
        {
            return false;
        }

        nextUnit = index + 1;
        var size = Units[index].Milliseconds;
        if (number > (ulong)(MillisecondsMax / size))
        {
            fault = "duration out of range";
            return false;
        }

        milliseconds = (long)number * size;
        return true;
    }
}
