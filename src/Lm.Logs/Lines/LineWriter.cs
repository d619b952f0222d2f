using System.Buffers.Text;

namespace Lm.Logs.Lines;

/// <summary>Writes a line as it is stored: one JSON object and a line feed, its members always in the same order. Docs: docs/formats/log.md.</summary>
internal static class LineWriter
{
    /// <summary>What a line begins with.</summary>
    public static ReadOnlySpan<byte> Start => "{\"ts\":\""u8;

    /// <summary>What stands before a line's index.</summary>
    public static ReadOnlySpan<byte> BeforeIndex => ",\"index\":"u8;

    /// <summary>What stands before a line's body.</summary>
    public static ReadOnlySpan<byte> BeforeBody => ",\"body\":\""u8;

    /// <summary>What stands before a line's attributes, where it has any.</summary>
    public static ReadOnlySpan<byte> BeforeAttributes => "\",\"attrs\":{"u8;

    /// <summary>Adds a line.</summary>
    public static void Write(ByteBuffer to, in IncomingLine entry)
    {
        var text = entry.Stream.TextFor(entry.Identity.QueueId);
        const int numbers = 20 + 11; // digits of the longest sequence number and index
        var head = to.Reserve(Start.Length + LineTime.Length + text.Length + BeforeIndex.Length + BeforeBody.Length + numbers);
        Start.CopyTo(head);
        var at = Start.Length;
        LineTime.Write(entry.Time, head[at..]);
        at += LineTime.Length;
        text.CopyTo(head[at..]);
        at += text.Length;
        at += Number(entry.Identity.Sequence, head[at..]);
        BeforeIndex.CopyTo(head[at..]);
        at += BeforeIndex.Length;
        at += Number((ulong)entry.Identity.Index, head[at..]);
        BeforeBody.CopyTo(head[at..]);
        to.Take(at + BeforeBody.Length);
        JsonText.Append(to, entry.Body);
        if (entry.Attributes is { Text.Length: > 0 } attributes)
        {
            to.Add(BeforeAttributes);
            to.Add(attributes.Text);
            to.Add("}}\n"u8);
        }
        else
        {
            to.Add("\"}\n"u8);
        }
    }

    private static int Number(ulong value, Span<byte> to)
    {
        Utf8Formatter.TryFormat(value, to, out var written);
        return written;
    }
}
