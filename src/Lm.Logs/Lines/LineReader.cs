using System.Buffers.Text;
using System.Collections;

namespace Lm.Logs.Lines;

/// <summary>Reads lines of a frame, in the form that <see cref="LineWriter"/> writes.</summary>
/// <remarks>For one thread. What it gives lasts until the next call.</remarks>
/// <param name="texts">The streams.</param>
internal sealed class LineReader(StreamTexts texts)
{
    private readonly LineTime.Reader times = new();
    private readonly ByteBuffer plain = new(1024);
    private readonly Attributes attributes = new();

    /// <summary>Reads a line's time and stream.</summary>
    /// <param name="line">The line without its end.</param>
    /// <param name="time">Its time.</param>
    /// <param name="text">Its stream.</param>
    /// <returns>False when it is no line.</returns>
    public bool TryReadHead(ReadOnlySpan<byte> line, out long time, out StreamText text)
    {
        time = 0;
        text = null!;
        if (!line.StartsWith(LineWriter.Start) || !times.TryRead(line[LineWriter.Start.Length..], out time)
            || texts.Find(line[(LineWriter.Start.Length + LineTime.Length)..]) is not { } found)
        {
            return false;
        }

        text = found;
        return true;
    }

    /// <summary>Reads the rest.</summary>
    /// <param name="frame">The array that holds the line.</param>
    /// <param name="start">Where it begins.</param>
    /// <param name="length">Its bytes, without its end.</param>
    /// <param name="time">Its time.</param>
    /// <param name="text">Its stream.</param>
    /// <param name="line">The line.</param>
    /// <returns>False when it is no line.</returns>
    public bool TryReadRest(byte[] frame, int start, int length, long time, StreamText text, out LogLine line)
    {
        line = default;
        var raw = frame.AsSpan(start, length);
        var at = LineWriter.Start.Length + LineTime.Length + text.Bytes.Length;
        if (!Utf8Parser.TryParse(raw[at..], out ulong sequence, out var used))
        {
            return false;
        }

        at += used;
        if (!raw[at..].StartsWith(LineWriter.BeforeIndex))
        {
            return false;
        }

        at += LineWriter.BeforeIndex.Length;
        if (!Utf8Parser.TryParse(raw[at..], out int index, out used))
        {
            return false;
        }

        at += used;
        if (!raw[at..].StartsWith(LineWriter.BeforeBody))
        {
            return false;
        }

        at += LineWriter.BeforeBody.Length;
        var bodyLength = JsonText.LengthOf(raw[at..], out var hasEscapes);
        if (bodyLength < 0)
        {
            return false;
        }

        ReadOnlySpan<byte> body = raw.Slice(at, bodyLength);
        at += bodyLength;
        if (hasEscapes)
        {
            plain.Clear();
            if (!JsonText.TryAppendPlain(plain, body))
            {
                return false;
            }

            body = plain.Written;
        }

        if (raw[at..].SequenceEqual("\"}"u8))
        {
            attributes.Clear();
        }
        else if (raw[at..].StartsWith(LineWriter.BeforeAttributes) && raw.EndsWith("}}"u8))
        {
            at += LineWriter.BeforeAttributes.Length;
            attributes.Set(frame, start + at, length - at - 2);
        }
        else
        {
            return false;
        }

        line = new LogLine(time, text.Stream, body, attributes, new LogIdentity(text.Queue, sequence, index)) { Stored = raw };
        return true;
    }

    // Most searches look at no attribute: they are read when one does.
    private sealed class Attributes : IReadOnlyList<LogField>
    {
        private static readonly List<LogField> None = [];

        private byte[] frame = [];
        private int start;
        private int length;
        private List<LogField>? fields = None;

        public int Count => Fields.Count;

        private List<LogField> Fields =>
            fields ??= JsonMembers.TryRead(frame.AsSpan(start, length), out var read) ? read : None;

        public LogField this[int index] => Fields[index];

        public void Clear() => fields = None;

        public void Set(byte[] newFrame, int newStart, int newLength)
        {
            (frame, start, length) = (newFrame, newStart, newLength);
            fields = null;
        }

        public IEnumerator<LogField> GetEnumerator() => Fields.GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
