using System.Text.Json;
using Lm.Platform;

namespace Lm.Agent.LogTail;

/// <summary>Reads time and severity out of a line that is a JSON object, at its top level.</summary>
internal static class JsonLine
{
    // Both stand near the start nearly always; a line may be 16 MiB of tokens.
    private const int TokensMax = 256;

    private static readonly JsonReaderOptions Options = new() { MaxDepth = 64 };

    /// <summary>Reads a line.</summary>
    /// <param name="line">The line, which may be cut.</param>
    /// <param name="written">Reads times in text.</param>
    /// <param name="time">The time.</param>
    /// <param name="severity">The severity, or 0; also when there is no time.</param>
    /// <returns>Whether there is a time.</returns>
    public static bool TryRead(ReadOnlySpan<byte> line, WrittenTime written, out UnixMillis time, out int severity)
    {
        (time, severity) = (default, 0);
        var hasTime = false;
        var reader = new Utf8JsonReader(line, Options);
        try
        {
            for (var i = 0; i < TokensMax && !(hasTime && severity > 0) && reader.Read(); i++)
            {
                if (reader.TokenType != JsonTokenType.PropertyName || reader.CurrentDepth != 1)
                {
                    continue;
                }

                if (!hasTime && IsTimeName(ref reader))
                {
                    hasTime = reader.Read() && TryReadTime(ref reader, written, out time);
                }
                else if (severity == 0 && IsSeverityName(ref reader))
                {
                    severity = reader.Read() ? ReadSeverity(ref reader) : 0;
                }
            }
        }
        catch (JsonException)
        {
            // Not JSON after all, or cut: what was found before holds.
        }

        return hasTime;
    }

    private static bool IsTimeName(ref Utf8JsonReader reader) =>
        reader.ValueTextEquals("time"u8) || reader.ValueTextEquals("ts"u8) || reader.ValueTextEquals("timestamp"u8) || reader.ValueTextEquals("@timestamp"u8);

    private static bool IsSeverityName(ref Utf8JsonReader reader) =>
        reader.ValueTextEquals("level"u8) || reader.ValueTextEquals("severity"u8) || reader.ValueTextEquals("lvl"u8);

    private static int ReadSeverity(ref Utf8JsonReader reader) => reader.TokenType switch
    {
        JsonTokenType.String => SeverityName.Of(reader.ValueSpan),
        JsonTokenType.Number when reader.TryGetInt64(out var number) => SeverityName.OfNumber(number),
        _ => 0,
    };

    private static bool TryReadTime(ref Utf8JsonReader reader, WrittenTime written, out UnixMillis time)
    {
        time = default;
        switch (reader.TokenType)
        {
            case JsonTokenType.String:
                var text = reader.ValueSpan;
                return written.TryTakeIso(ref text, out time);
            case JsonTokenType.Number when reader.TryGetDouble(out var number) && number is > 0 and < 1e20:
                time = new UnixMillis((long)Math.Round(ToMillis(number)));
                return true;
            default:
                return false;
        }
    }

    // Seconds, milliseconds, microseconds or nanoseconds since 1970: between 2001 and 2286 their magnitudes do not meet.
    private static double ToMillis(double number) => number switch
    {
        < 1e11 => number * 1e3,
        < 1e14 => number,
        < 1e17 => number / 1e3,
        _ => number / 1e6,
    };
}
