using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Lm.Journal;

namespace Lm.Collector.Live;

/// <summary>An event's id: the spool's incarnation and the record's place in it (G33); of an event that is not its record's last, which one it is, too.</summary>
/// <remarks><c>&lt;incarnation&gt;:&lt;segment&gt;.&lt;offset&gt;</c>, then <c>.&lt;number&gt;</c> but for the last event of a record. Numbers count all events
/// that a record could give, whatever a filter leaves of them, so that an id means the same to every listener.</remarks>
/// <param name="Incarnation">The spool's id.</param>
/// <param name="Position">The record.</param>
/// <param name="Event">Which of its events, from 0; <see cref="WholeRecord"/> for the last.</param>
internal readonly record struct LiveId(Guid Incarnation, JournalPosition Position, int Event)
{
    /// <summary>Everything of the record was told.</summary>
    public const int WholeRecord = int.MaxValue;

    /// <summary>Room for any id.</summary>
    public const int BytesMax = 36 + 1 + 10 + 1 + 20 + 1 + 10;

    /// <summary>Writes it.</summary>
    public int Format(Span<byte> into)
    {
        Utf8Formatter.TryFormat(Incarnation, into, out var length);
        into[length++] = (byte)':';
        Utf8Formatter.TryFormat(Position.Segment, into[length..], out var digits);
        length += digits;
        into[length++] = (byte)'.';
        Utf8Formatter.TryFormat(Position.Offset, into[length..], out digits);
        length += digits;
        if (Event != WholeRecord)
        {
            into[length++] = (byte)'.';
            Utf8Formatter.TryFormat(Event, into[length..], out digits);
            length += digits;
        }

        return length;
    }

    /// <summary>Reads one.</summary>
    public static bool TryParse(string text, out LiveId id)
    {
        id = default;
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0 || !Guid.TryParseExact(text[..colon], "D", out var incarnation))
        {
            return false;
        }

        var parts = text[(colon + 1)..].Split('.');
        var which = WholeRecord;
        if (parts.Length is not (2 or 3)
            || !uint.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var segment)
            || !long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var offset)
            || (parts.Length == 3 && !int.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out which)))
        {
            return false;
        }

        id = new LiveId(incarnation, new JournalPosition(segment, offset), which);
        return true;
    }

    /// <inheritdoc/>
    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[BytesMax];
        return Encoding.ASCII.GetString(bytes[..Format(bytes)]);
    }
}
