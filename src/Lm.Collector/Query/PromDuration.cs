using System.Globalization;

namespace Lm.Collector.Query;

/// <summary>Prometheus' durations: <c>5m</c>, <c>1h30m</c>, <c>500ms</c>; a bare number is seconds.</summary>
/// <remarks>Source: https://prometheus.io/docs/prometheus/latest/querying/basics/#float-literals-and-time-durations. Units in this order, each at most once.</remarks>
internal static class PromDuration
{
    private static readonly (string Unit, long Milliseconds)[] Units =
    [
        ("y", 365 * 86_400_000L), ("w", 7 * 86_400_000L), ("d", 86_400_000L), ("h", 3_600_000L), ("m", 60_000L), ("s", 1000L), ("ms", 1L),
    ];

    // 292 years, as Go's nanoseconds in 64 bits: what Prometheus takes at most.
    private const long MillisecondsMax = long.MaxValue / 1_000_000;

    /// <summary>Reads a duration.</summary>
    /// <returns>False when the text is none, or longer than 292 years.</returns>
    public static bool TryParse(ReadOnlySpan<char> text, out TimeSpan duration)
    {
        duration = default;
        if (double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds))
        {
            var isInRange = seconds * 1000 <= MillisecondsMax;
            duration = isInRange ? TimeSpan.FromMilliseconds((long)Math.Round(seconds * 1000)) : default;
            return isInRange;
        }

        long total = 0;
        var nextUnit = 0;
        while (text.Length > 0)
        {
            if (!TryTakePart(ref text, ref nextUnit, out var part) || part > MillisecondsMax - total)
            {
                return false;
            }

            total += part;
        }

        duration = TimeSpan.FromMilliseconds(total);
        return nextUnit > 0;
    }

    private static bool TryTakePart(ref ReadOnlySpan<char> text, ref int nextUnit, out long milliseconds)
    {
        milliseconds = 0;
        var digits = text.IndexOfAnyExceptInRange('0', '9');
        if (digits <= 0 || !long.TryParse(text[..digits], NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            return false;
        }

        text = text[digits..];
        var letters = text.IndexOfAnyInRange('0', '9');
        var unit = letters < 0 ? text : text[..letters];
        for (; nextUnit < Units.Length; nextUnit++)
        {
            if (unit.SequenceEqual(Units[nextUnit].Unit))
            {
                text = text[unit.Length..];
                var size = Units[nextUnit++].Milliseconds;
                milliseconds = number <= MillisecondsMax / size ? number * size : long.MaxValue;
                return milliseconds != long.MaxValue;
            }
        }

        return false;
    }
}
