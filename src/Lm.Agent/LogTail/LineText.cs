using System.Text;
using System.Text.Unicode;

namespace Lm.Agent.LogTail;

/// <summary>Makes a record's body of a line: without its line end, no longer than allowed, valid UTF-8. Everything else is kept as it is.</summary>
internal static class LineText
{
    /// <summary>The marks' names, as the attribute has them.</summary>
    public static string NamesOf(LineMarks marks)
    {
        var names = new List<string>(3);
        if (marks.HasFlag(LineMarks.Truncated))
        {
            names.Add("truncated");
        }

        if (marks.HasFlag(LineMarks.InvalidUtf8))
        {
            names.Add("invalid_utf8");
        }

        if (marks.HasFlag(LineMarks.Unterminated))
        {
            names.Add("unterminated");
        }

        if (marks.HasFlag(LineMarks.TimeOfReading))
        {
            names.Add("time_of_reading");
        }

        return string.Join(',', names);
    }

    /// <summary>Cleans a line.</summary>
    /// <param name="line">Its bytes without the line feed.</param>
    /// <param name="bytesMax">The most bytes of a body.</param>
    /// <param name="marks">Gets what was done.</param>
    public static ReadOnlySpan<byte> Clean(ReadOnlySpan<byte> line, int bytesMax, ref LineMarks marks)
    {
        if (line.Length > bytesMax)
        {
            marks |= LineMarks.Truncated;
            line = Cut(line, bytesMax);
        }

        if (Utf8.IsValid(line))
        {
            return line;
        }

        marks |= LineMarks.InvalidUtf8;
        ReadOnlySpan<byte> repaired = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(line));
        if (repaired.Length > bytesMax)
        {
            marks |= LineMarks.Truncated; // a bad byte becomes three good ones
            repaired = Cut(repaired, bytesMax);
        }

        return repaired;
    }

    /// <summary>Takes the carriage return off a line that ends with one.</summary>
    public static ReadOnlySpan<byte> WithoutReturn(ReadOnlySpan<byte> line) => line is [.., (byte)'\r'] ? line[..^1] : line;

    // At a character's boundary: back over continuation bytes, of which a character has three at most.
    private static ReadOnlySpan<byte> Cut(ReadOnlySpan<byte> line, int length)
    {
        var end = length;
        while (end > length - 3 && end > 0 && (line[end] & 0xC0) == 0x80)
        {
            end--;
        }

        return (line[end] & 0xC0) == 0x80 ? line[..length] : line[..end];
    }
}

/// <summary>What was done to a line on its way into a record; its attribute <c>marks</c> has their names.</summary>
[Flags]
internal enum LineMarks
{
    None = 0,

    /// <summary><c>truncated</c>: it was longer than max_log_message_bytes and ends at a character before that.</summary>
    Truncated = 1,

    /// <summary><c>invalid_utf8</c>: bytes that are no UTF-8 became U+FFFD.</summary>
    InvalidUtf8 = 2,

    /// <summary><c>unterminated</c>: the file was let go, and its last line had no line end.</summary>
    Unterminated = 4,

    /// <summary><c>time_of_reading</c>: the journal's own time is ahead of the clock, or none.</summary>
    TimeOfReading = 8,
}
