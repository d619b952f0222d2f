using System.Globalization;
using System.Text;
using Lm.Logs.Lines;

namespace Lm.Logs;

/// <summary>A stream as lines are written with it.</summary>
/// <remarks>Used by one thread at a time.</remarks>
public sealed class StreamHead
{
    private readonly byte[] labels;
    private byte[] text = [];
    private UInt128 queue;

    /// <summary>Prepares a stream.</summary>
    /// <param name="stream">Its labels in valid Unicode; <c>instance</c> is among them.</param>
    public StreamHead(LogStream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        Stream = stream;
        var buffer = new ByteBuffer();
        foreach (var first in (ReadOnlySpan<string>)[LogStream.InstanceLabel, LogStream.InputLabel, LogStream.SeverityLabel])
        {
            Add(buffer, first, stream[first]);
        }

        foreach (var (name, value) in stream.Labels)
        {
            if (name is not (LogStream.InstanceLabel or LogStream.InputLabel or LogStream.SeverityLabel))
            {
                Add(buffer, name, value);
            }
        }

        labels = buffer.Written.ToArray();
    }

    /// <summary>The labels.</summary>
    public LogStream Stream { get; }

    /// <summary>Bytes in memory, about, the stream among them.</summary>
    public long MemoryBytes => Stream.MemoryBytes + (2L * labels.Length) + 256;

    /// <summary>What stands between a line's time and its sequence number.</summary>
    internal ReadOnlySpan<byte> TextFor(UInt128 queueId)
    {
        if (text.Length == 0 || queue != queueId)
        {
            queue = queueId;
            text = [.. "\","u8, .. labels, .. "\"queue_id\":\""u8, .. Encoding.ASCII.GetBytes(queueId.ToString("x32", CultureInfo.InvariantCulture)), .. "\",\"seq\":"u8];
        }

        return text;
    }

    private static void Add(ByteBuffer buffer, string name, string value)
    {
        if (value.Length == 0)
        {
            return;
        }

        buffer.Add((byte)'"');
        JsonText.Append(buffer, Encoding.UTF8.GetBytes(name));
        buffer.Add("\":\""u8);
        JsonText.Append(buffer, Encoding.UTF8.GetBytes(value));
        buffer.Add("\","u8);
    }
}
