using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using Lm.Platform;

namespace Lm.Logs.Lines;

/// <summary>What is known of the texts between lines' times and sequence numbers: read once, then recognised.</summary>
/// <remarks>For one thread.</remarks>
/// <param name="isWanted">Whether lines of a stream are wanted at all.</param>
internal sealed class StreamTexts(Func<LogStream, bool> isWanted)
{
    // More than a frame of the smallest lines has.
    private const int KnownMax = 16_384;

    private const int RecentMax = 4;

    private static ReadOnlySpan<byte> BeforeQueue => ",\"queue_id\":\""u8;

    private static ReadOnlySpan<byte> BeforeSequence => "\",\"seq\":"u8;

    private const int QueueLength = 32;

    private readonly Dictionary<byte[], StreamText> known = new(ByteKeyComparer.Instance);
    private readonly Dictionary<LogStream, LogStream> streams = [];
    private readonly Recent recent = new();

    /// <summary>Finds the text that something begins with.</summary>
    /// <param name="rest">A line from behind its time on.</param>
    /// <returns>Null when it does not begin as it must.</returns>
    public StreamText? Find(ReadOnlySpan<byte> rest)
    {
        // Lines of a few streams lie together; which of them comes next is told by the first bytes that differ.
        for (var i = 0; i < RecentMax; i++)
        {
            if (recent[i] is { } text && rest.StartsWith(text.Bytes))
            {
                return text;
            }
        }

        var found = Look(rest);
        if (found is not null)
        {
            recent.Push(found);
        }

        return found;
    }

    private StreamText? Look(ReadOnlySpan<byte> rest)
    {
        var queueAt = rest.IndexOf(BeforeQueue);
        var end = queueAt + BeforeQueue.Length + QueueLength + BeforeSequence.Length;
        if (queueAt < 0 || end > rest.Length)
        {
            return null;
        }

        var bytes = rest[..end];
        var lookup = known.GetAlternateLookup<ReadOnlySpan<byte>>();
        if (lookup.TryGetValue(bytes, out var text))
        {
            return text;
        }

        text = Read(bytes, queueAt);
        if (text is not null)
        {
            if (known.Count >= KnownMax)
            {
                known.Clear();
                streams.Clear();
            }

            known.Add(text.Bytes, text);
        }

        return text;
    }

    private StreamText? Read(ReadOnlySpan<byte> bytes, int queueAt)
    {
        var queueText = bytes.Slice(queueAt + BeforeQueue.Length, QueueLength);
        if (!bytes.EndsWith(BeforeSequence) || !bytes.StartsWith("\",\""u8)
            || !UInt128.TryParse(queueText, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var queue)
            || ReadLabels(bytes[2..queueAt]) is not { } labels)
        {
            return null;
        }

        var stream = new LogStream(labels);
        if (streams.TryGetValue(stream, out var same))
        {
            stream = same;
        }
        else
        {
            streams.Add(stream, stream);
        }

        return stream.Instance.Length == 0 ? null : new StreamText(bytes.ToArray(), stream, stream.Instance, queue, isWanted(stream));
    }

    // "name":"value","name":"value"
    private static List<LogField>? ReadLabels(ReadOnlySpan<byte> members) => JsonMembers.TryRead(members, out var labels) ? labels : null;

    [InlineArray(RecentMax)]
    private struct Slots
    {
        private StreamText? first;
    }

    private sealed class Recent
    {
        private Slots slots;
        private int next;

        public StreamText? this[int i] => slots[i];

        public void Push(StreamText text)
        {
            slots[next] = text;
            next = (next + 1) % RecentMax;
        }
    }
}

/// <summary>A text that lines share, and what it says.</summary>
/// <param name="Bytes">The text.</param>
/// <param name="Stream">The stream that it names.</param>
/// <param name="Instance">The stream's agent.</param>
/// <param name="Queue">The queue that it names.</param>
/// <param name="IsWanted">Whether lines of the stream are wanted.</param>
internal sealed record StreamText(byte[] Bytes, LogStream Stream, string Instance, UInt128 Queue, bool IsWanted);

/// <summary>Members of a JSON object of texts, in the form that lines have.</summary>
internal static class JsonMembers
{
    /// <summary>Reads them all.</summary>
    /// <param name="members">Without braces.</param>
    /// <param name="fields">Names and values.</param>
    /// <returns>False when they are not in the form that lines have.</returns>
    public static bool TryRead(ReadOnlySpan<byte> members, out List<LogField> fields)
    {
        fields = [];
        ByteBuffer? scratch = null;
        while (!members.IsEmpty)
        {
            if (fields.Count > 0)
            {
                if (members[0] != ',')
                {
                    return false;
                }

                members = members[1..];
            }

            if (!TryReadText(ref members, ref scratch, out var name) || members.IsEmpty || members[0] != ':')
            {
                return false;
            }

            members = members[1..];
            if (!TryReadText(ref members, ref scratch, out var value))
            {
                return false;
            }

            fields.Add(new LogField(name, value));
        }

        return true;
    }

    private static bool TryReadText(ref ReadOnlySpan<byte> from, ref ByteBuffer? scratch, out string text)
    {
        text = "";
        if (from.IsEmpty || from[0] != '"')
        {
            return false;
        }

        var length = JsonText.LengthOf(from[1..], out var hasEscapes);
        if (length < 0)
        {
            return false;
        }

        var escaped = from.Slice(1, length);
        from = from[(length + 2)..];
        if (!hasEscapes)
        {
            text = Encoding.UTF8.GetString(escaped);
            return true;
        }

        scratch ??= new ByteBuffer(256);
        scratch.Clear();
        if (!JsonText.TryAppendPlain(scratch, escaped))
        {
            return false;
        }

        text = Encoding.UTF8.GetString(scratch.Written);
        return true;
    }
}
