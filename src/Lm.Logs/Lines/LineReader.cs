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

    /// <summary>Reads where the rest of a line stands.</summary>
    /// <param name="line">The line without its end.</param>
    /// <param name="time">Its time.</param>
    /// <param name="text">Its stream.</param>
    /// <param name="places">What was read.</param>
    /// <returns>False when it is no line.</returns>
    public static bool TryReadPlaces(ReadOnlySpan<byte> line, long time, StreamText text, out LinePlaces places)
    {
        places = default;
        var at = LineWriter.Start.Length + LineTime.Length + text.Bytes.Length;
        if (!Utf8Parser.TryParse(line[at..], out ulong sequence, out var used))
        {
            return false;
        }

        at += used;
        if (!line[at..].StartsWith(LineWriter.BeforeIndex))
        {
            return false;
        }

        at += LineWriter.BeforeIndex.Length;
        if (!Utf8Parser.TryParse(line[at..], out int index, out used))
        {
            return false;
        }

        at += used;
        if (!line[at..].StartsWith(LineWriter.BeforeBody))
        {
            return false;
        }

        at += LineWriter.BeforeBody.Length;
        var bodyLength = JsonText.LengthOf(line[at..], out var hasEscapes);
        if (bodyLength < 0)
        {
            return false;
        }

        var rest = line[(at + bodyLength)..];
        var hasAttributes = rest.StartsWith(LineWriter.BeforeAttributes) && rest.EndsWith("}}"u8);
        places = new LinePlaces(time, text, new LogIdentity(text.Queue, sequence, index), at, bodyLength, hasEscapes, hasAttributes);
        return hasAttributes || rest.SequenceEqual("\"}"u8);
    }

    /// <summary>A line's body as it came.</summary>
    /// <param name="line">The line without its end.</param>
    /// <param name="places">Where its parts stand.</param>
    /// <param name="body">The body.</param>
    /// <returns>False when it is not in the form that lines have.</returns>
    public bool TryReadBody(ReadOnlySpan<byte> line, scoped in LinePlaces places, out ReadOnlySpan<byte> body)
    {
        body = line.Slice(places.BodyAt, places.BodyLength);
        if (!places.HasEscapes)
        {
            return true;
        }

        plain.Clear();
        var isText = JsonText.TryAppendPlain(plain, body);
        body = plain.Written;
        return isText;
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
        ReadOnlySpan<byte> raw = frame.AsSpan(start, length);
        if (!TryReadPlaces(raw, time, text, out var places) || !TryReadBody(raw, places, out var body))
        {
            return false;
        }

        attributes.Clear();
        if (places.HasAttributes)
        {
            var at = places.BodyAt + places.BodyLength + LineWriter.BeforeAttributes.Length;
            attributes.Set(frame, start + at, length - at - 2);
        }

        line = new LogLine(time, text.Stream, body, attributes, places.Identity);
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

/// <summary>Where a line's parts stand.</summary>
/// <param name="Time">Its time.</param>
/// <param name="Text">Its stream.</param>
/// <param name="Identity">What tells it from all others.</param>
/// <param name="BodyAt">Where its body begins, counted from the line's beginning.</param>
/// <param name="BodyLength">The body's bytes as it is stored.</param>
/// <param name="HasEscapes">Whether it came otherwise than it is stored.</param>
/// <param name="HasAttributes">Whether it has any; they stand behind the body.</param>
internal readonly record struct LinePlaces(
    long Time, StreamText Text, LogIdentity Identity, int BodyAt, int BodyLength, bool HasEscapes, bool HasAttributes);
