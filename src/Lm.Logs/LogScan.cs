namespace Lm.Logs;

/// <summary>Which lines a search reads.</summary>
public sealed record LogScan
{
    /// <summary>The earliest time, milliseconds since 1970-01-01T00:00:00Z.</summary>
    public required long From { get; init; }

    /// <summary>The first time that no longer belongs to it.</summary>
    public required long Until { get; init; }

    /// <summary>Newest first; else oldest first.</summary>
    public bool IsBackward { get; init; }

    /// <summary>Whether lines of a stream are wanted. Called from several threads; may be called again for the same stream.</summary>
    public required Func<LogStream, bool> Stream { get; init; }

    /// <summary>Text in UTF-8 that the body of every wanted line contains, in any order: lets frames be passed over unread. Lines without it are not given.</summary>
    public IReadOnlyList<byte[]> Required { get; init; } = [];
}
