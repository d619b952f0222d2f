using Lm.Platform;

namespace Lm.Agent.LogTail;

/// <summary>Finds out when a line was written and how grave it is, where it says so in a form that many programs use.</summary>
/// <remarks>
/// Forms: syslog of RFC 3164 and RFC 5424, with and without the priority; ISO 8601 at the line's start; JSON with <c>time</c>, <c>ts</c>, <c>timestamp</c> or
/// <c>@timestamp</c> and <c>level</c>, <c>severity</c> or <c>lvl</c>. A severity's name is also found behind a time.
/// A time is believed when it is at most 30 days before the reading and a second after it: a later one would hold back its whole batch at the
/// collector, an earlier one would be left out there as too old. Else the time of reading stands.
/// Not safe for concurrent use: it remembers the last second's zone.
/// </remarks>
internal sealed class LineFacts
{
    private const long AgeMaxMs = 30L * 24 * 3600 * 1000;

    // Lines that are written while others are read.
    private const long AheadMaxMs = 1000;

    private readonly WrittenTime written = new();

    /// <summary>Reads a line.</summary>
    /// <param name="line">The line.</param>
    /// <param name="readAt">When it was read.</param>
    /// <param name="time">When it was written, or read.</param>
    /// <param name="severity">OpenTelemetry's severity number, or 0.</param>
    public void Read(ReadOnlySpan<byte> line, UnixMillis readAt, out UnixMillis time, out int severity)
    {
        time = readAt;
        severity = 0;
        if (line.IsEmpty)
        {
            return;
        }

        if (line[0] == '{')
        {
            if (JsonLine.TryRead(line, written, out var jsonTime, out severity) && IsBelievable(jsonTime, readAt))
            {
                time = jsonTime;
            }

            return;
        }

        var rest = line;
        var hasPriority = line[0] == '<' && TryTakePriority(ref rest, out severity);
        if (written.TryTake(ref rest, readAt, out var found))
        {
            time = IsBelievable(found, readAt) ? found : readAt;
            severity = hasPriority ? severity : SeverityName.FindNear(rest);
        }
    }

    private static bool IsBelievable(UnixMillis time, UnixMillis readAt) => readAt.Value - time.Value is >= -AheadMaxMs and <= AgeMaxMs;

    // <165>1 2026-…: the version of RFC 5424 goes with it.
    private static bool TryTakePriority(ref ReadOnlySpan<byte> line, out int severity)
    {
        var (value, at) = (0, 1);
        while (at < line.Length && at < 4 && line[at] is >= (byte)'0' and <= (byte)'9')
        {
            value = (value * 10) + line[at++] - '0';
        }

        severity = 0;
        if (at == 1 || at >= line.Length || line[at] != '>' || value > 191)
        {
            return false;
        }

        line = line[(at + 1)..];
        line = line.StartsWith("1 "u8) ? line[2..] : line;
        severity = SeverityName.OfSyslog(value & 7);
        return true;
    }
}
