using System.Buffers.Binary;

namespace Lm.Agent.SystemdJournal;

/// <summary>The systemd journal's export format, read as it comes in pieces of whatever size.</summary>
/// <remarks>
/// Source: "Journal Export Format" of systemd's documentation. An entry is fields and an empty line; a field is <c>NAME=text</c> and a line feed, or where its
/// value holds line feeds or other control characters <c>NAME</c>, a line feed, the length as 64 bits little-endian, the bytes and a line feed.
/// Invariants:
/// of an entry no more is held than the start of its message and of a few named fields: its size costs no memory;
/// once malformed it stays so: what follows cannot be told from data.
/// </remarks>
internal sealed class JournalExport
{
    /// <summary>Bytes kept of a field other than the message and the cursor.</summary>
    public const int FieldBytesMax = 128;

    /// <summary>Bytes of a cursor.</summary>
    public const int CursorBytesMax = 1024;

    // The journal's own bound is 64.
    private const int NameBytesMax = 256;

    // The journal takes fields of up to 768 MiB.
    private const ulong ValueBytesMax = 1UL << 30;

    private readonly KeptValue[] kept;
    private readonly KeptValue message;
    private readonly KeptValue cursor = new("__CURSOR", CursorBytesMax);
    private readonly KeptValue realtime = new("__REALTIME_TIMESTAMP", FieldBytesMax);
    private readonly KeptValue priority = new("PRIORITY", FieldBytesMax);
    private readonly KeptValue unit = new("_SYSTEMD_UNIT", FieldBytesMax);
    private readonly KeptValue userUnit = new("_SYSTEMD_USER_UNIT", FieldBytesMax);
    private readonly KeptValue subject = new("UNIT", FieldBytesMax);
    private readonly KeptValue identifier = new("SYSLOG_IDENTIFIER", FieldBytesMax);
    private readonly KeptValue command = new("_COMM", FieldBytesMax);
    private readonly KeptValue pid = new("_PID", FieldBytesMax);
    private readonly KeptValue syslogPid = new("SYSLOG_PID", FieldBytesMax);
    private readonly byte[] name = new byte[NameBytesMax];
    private readonly byte[] length = new byte[sizeof(ulong)];
    private ExportState state;
    private int count; // of name or length
    private ulong left; // of a binary value
    private KeptValue? current;
    private bool hasFields;
    private bool isComplete;

    /// <param name="messageBytesMax">Bytes kept of a message.</param>
    public JournalExport(int messageBytesMax)
    {
        MessageBytesMax = messageBytesMax;
        message = new KeptValue("MESSAGE", messageBytesMax);
        kept = [message, cursor, realtime, priority, unit, userUnit, subject, identifier, command, pid, syslogPid];
    }

    /// <summary>Bytes kept of a message, from the next entry on.</summary>
    public int MessageBytesMax { get; set; }

    /// <summary>The fields that matter, as <c>journalctl --output-fields</c> takes them; those with two underscores come always.</summary>
    public static string FieldNames => "MESSAGE,PRIORITY,_SYSTEMD_UNIT,_SYSTEMD_USER_UNIT,UNIT,SYSLOG_IDENTIFIER,_COMM,_PID,SYSLOG_PID";

    /// <summary>The entry's message, cut at the bytes that are kept; empty when it has none.</summary>
    public ReadOnlySpan<byte> Message => message.Bytes;

    /// <summary>Bytes of the whole message.</summary>
    public long MessageLength => message.Length;

    /// <summary>The entry's cursor; empty when it has none or one that is too long.</summary>
    public ReadOnlySpan<byte> Cursor => cursor.Length > CursorBytesMax ? default : cursor.Bytes;

    /// <summary>When the journal took it, microseconds since 1970, as text.</summary>
    public ReadOnlySpan<byte> Realtime => realtime.Bytes;

    /// <summary>syslog's severity, as text.</summary>
    public ReadOnlySpan<byte> Priority => priority.Bytes;

    /// <summary>The unit that it is about: what systemd itself says of a unit is that unit's.</summary>
    public ReadOnlySpan<byte> Unit => pid.Bytes.SequenceEqual("1"u8) && subject.Length > 0 ? subject.Bytes : unit.Length > 0 ? unit.Bytes : userUnit.Bytes;

    /// <summary>What the program calls itself, or the kernel calls it.</summary>
    public ReadOnlySpan<byte> Identifier => identifier.Length > 0 ? identifier.Bytes : command.Bytes;

    /// <summary>The process.</summary>
    public ReadOnlySpan<byte> Pid => pid.Length > 0 ? pid.Bytes : syslogPid.Bytes;

    /// <summary>Reads on.</summary>
    /// <param name="bytes">What came; what was read is taken off.</param>
    /// <returns>Whether an entry is complete; its fields stand until the next call.</returns>
    public ExportStep Read(ref ReadOnlySpan<byte> bytes)
    {
        if (isComplete)
        {
            BeginEntry();
        }

        while (!bytes.IsEmpty)
        {
            var step = state switch
            {
                ExportState.Name => ReadName(ref bytes),
                ExportState.Text => ReadText(ref bytes),
                ExportState.Comment => ReadComment(ref bytes),
                ExportState.Length => ReadLength(ref bytes),
                ExportState.Binary => ReadBinary(ref bytes),
                ExportState.BinaryEnd => ReadBinaryEnd(ref bytes),
                _ => ExportStep.Malformed,
            };
            if (step != ExportStep.NeedsMore)
            {
                state = step == ExportStep.Malformed ? ExportState.Malformed : state;
                return step;
            }
        }

        return state == ExportState.Malformed ? ExportStep.Malformed : ExportStep.NeedsMore;
    }

    private void BeginEntry()
    {
        (isComplete, hasFields) = (false, false);
        foreach (var value in kept)
        {
            value.Clear();
        }

        message.BytesMax = MessageBytesMax;
    }

    private ExportStep ReadName(ref ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var next = bytes[0];
            bytes = bytes[1..];
            if (next == '\n' && count == 0)
            {
                if (hasFields)
                {
                    isComplete = true;
                    return ExportStep.Entry;
                }
            }
            else if (count == 0 && next is (byte)'-' or (byte)'#')
            {
                state = ExportState.Comment; // "-- Boot … --": journalctl speaks to people
                return ExportStep.NeedsMore;
            }
            else if (next is (byte)'=' or (byte)'\n')
            {
                return EndName(next == '=');
            }
            else if (!IsOfName(next) || count == NameBytesMax)
            {
                return ExportStep.Malformed;
            }
            else
            {
                name[count++] = next;
            }
        }

        return ExportStep.NeedsMore;
    }

    private ExportStep EndName(bool isText)
    {
        if (count == 0)
        {
            return ExportStep.Malformed;
        }

        current = null;
        foreach (var value in kept)
        {
            // Of fields that stand there twice the first counts.
            if (value.Length == 0 && value.Name.SequenceEqual(name.AsSpan(0, count)))
            {
                current = value;
            }
        }

        (hasFields, count) = (true, 0);
        state = isText ? ExportState.Text : ExportState.Length;
        return ExportStep.NeedsMore;
    }

    private ExportStep ReadText(ref ReadOnlySpan<byte> bytes)
    {
        var end = bytes.IndexOf((byte)'\n');
        current?.Add(end < 0 ? bytes : bytes[..end]);
        bytes = end < 0 ? default : bytes[(end + 1)..];
        state = end < 0 ? ExportState.Text : ExportState.Name;
        return ExportStep.NeedsMore;
    }

    private ExportStep ReadComment(ref ReadOnlySpan<byte> bytes)
    {
        var end = bytes.IndexOf((byte)'\n');
        bytes = end < 0 ? default : bytes[(end + 1)..];
        state = end < 0 ? ExportState.Comment : ExportState.Name;
        return ExportStep.NeedsMore;
    }

    private ExportStep ReadLength(ref ReadOnlySpan<byte> bytes)
    {
        var taken = Math.Min(bytes.Length, length.Length - count);
        bytes[..taken].CopyTo(length.AsSpan(count));
        bytes = bytes[taken..];
        count += taken;
        if (count < length.Length)
        {
            return ExportStep.NeedsMore;
        }

        (left, count) = (BinaryPrimitives.ReadUInt64LittleEndian(length), 0);
        state = left == 0 ? ExportState.BinaryEnd : ExportState.Binary;
        return left > ValueBytesMax ? ExportStep.Malformed : ExportStep.NeedsMore;
    }

    private ExportStep ReadBinary(ref ReadOnlySpan<byte> bytes)
    {
        var taken = (int)Math.Min((ulong)bytes.Length, left);
        current?.Add(bytes[..taken]);
        bytes = bytes[taken..];
        left -= (ulong)taken;
        state = left == 0 ? ExportState.BinaryEnd : ExportState.Binary;
        return ExportStep.NeedsMore;
    }

    private ExportStep ReadBinaryEnd(ref ReadOnlySpan<byte> bytes)
    {
        if (bytes[0] != '\n')
        {
            return ExportStep.Malformed;
        }

        bytes = bytes[1..];
        state = ExportState.Name;
        return ExportStep.NeedsMore;
    }

    private static bool IsOfName(byte value) => value is (>= (byte)'A' and <= (byte)'Z') or (>= (byte)'0' and <= (byte)'9') or (byte)'_';

    private enum ExportState
    {
        Name,
        Text,
        Comment,
        Length,
        Binary,
        BinaryEnd,
        Malformed,
    }

    /// <summary>A field's value, of which no more than its start is kept.</summary>
    private sealed class KeptValue(string name, int bytesMax)
    {
        private readonly byte[] nameBytes = System.Text.Encoding.ASCII.GetBytes(name);
        private byte[] buffer = [];
        private int count;

        public int BytesMax { get; set; } = bytesMax;

        public ReadOnlySpan<byte> Name => nameBytes;

        public long Length { get; private set; }

        public ReadOnlySpan<byte> Bytes => buffer.AsSpan(0, count);

        public void Clear() => (count, Length) = (0, 0);

        public void Add(ReadOnlySpan<byte> bytes)
        {
            Length += bytes.Length;
            var part = bytes[..Math.Min(bytes.Length, BytesMax - count)];
            if (buffer.Length < count + part.Length)
            {
                Array.Resize(ref buffer, Math.Min(BytesMax, Math.Max(count + part.Length, 2 * buffer.Length)));
            }

            part.CopyTo(buffer.AsSpan(count));
            count += part.Length;
        }
    }
}

/// <summary>How a reading of <see cref="JournalExport"/> ended.</summary>
internal enum ExportStep
{
    /// <summary>An entry is complete.</summary>
    Entry,

    /// <summary>Everything was read, and the entry goes on.</summary>
    NeedsMore,

    /// <summary>This is not the export format.</summary>
    Malformed,
}
