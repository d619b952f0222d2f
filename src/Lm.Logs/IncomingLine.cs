using Lm.Logs.Lines;

namespace Lm.Logs;

/// <summary>A line on its way into the store.</summary>
/// <param name="time">When, milliseconds since 1970-01-01T00:00:00Z; from there to the end of the year 9999.</param>
/// <param name="stream">Where it comes from.</param>
/// <param name="identity">What tells it from all others of its agent.</param>
/// <param name="body">The line in valid UTF-8, without its end.</param>
/// <param name="attributes">Its attributes; null when there are none.</param>
public readonly ref struct IncomingLine(long time, StreamHead stream, LogIdentity identity, ReadOnlySpan<byte> body, LogAttributes? attributes)
{
    /// <summary>When.</summary>
    public long Time { get; } = time;

    /// <summary>Where it comes from.</summary>
    public StreamHead Stream { get; } = stream;

    /// <summary>What tells it from all others of its agent.</summary>
    public LogIdentity Identity { get; } = identity;

    /// <summary>The line.</summary>
    public ReadOnlySpan<byte> Body { get; } = body;

    /// <summary>Its attributes.</summary>
    public LogAttributes? Attributes { get; } = attributes;
}

/// <summary>Attributes of one line, as they are written; used again for the next line.</summary>
public sealed class LogAttributes
{
    private readonly ByteBuffer text = new(256);

    /// <summary>The members of a JSON object.</summary>
    internal ReadOnlySpan<byte> Text => text.Written;

    /// <summary>Forgets all.</summary>
    public void Clear() => text.Clear();

    /// <summary>Adds one.</summary>
    /// <param name="name">Its name in valid UTF-8; each name once.</param>
    /// <param name="value">Its value in valid UTF-8.</param>
    public void Add(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        text.Add(text.Length == 0 ? "\""u8 : ",\""u8);
        JsonText.Append(text, name);
        text.Add("\":\""u8);
        JsonText.Append(text, value);
        text.Add((byte)'"');
    }
}
