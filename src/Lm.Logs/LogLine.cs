namespace Lm.Logs;

/// <summary>One stored line as a search sees it: a view into a buffer that is used again for the next.</summary>
/// <param name="time">When, milliseconds since 1970-01-01T00:00:00Z.</param>
/// <param name="stream">Where it comes from.</param>
/// <param name="body">The line in valid UTF-8, without its end.</param>
/// <param name="attributes">The line's attributes, as the agent ordered them; without the one that names the input.</param>
/// <param name="identity">What tells it from all others.</param>
public readonly ref struct LogLine(
    long time, LogStream stream, ReadOnlySpan<byte> body, IReadOnlyList<LogField> attributes, LogIdentity identity)
{
    /// <summary>When, milliseconds since 1970-01-01T00:00:00Z.</summary>
    public long Time { get; } = time;

    /// <summary>Where it comes from.</summary>
    public LogStream Stream { get; } = stream;

    /// <summary>The line in valid UTF-8, without its end.</summary>
    public ReadOnlySpan<byte> Body { get; } = body;

    /// <summary>The line's attributes; valid as long as the view.</summary>
    public IReadOnlyList<LogField> Attributes { get; } = attributes;

    /// <summary>What tells it from all others.</summary>
    public LogIdentity Identity { get; } = identity;
}
