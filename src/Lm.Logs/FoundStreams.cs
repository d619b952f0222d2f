using Lm.Logs.Query;

namespace Lm.Logs;

/// <summary>Gathers streams, each once, and what is taken of them: as much as memory may hold.</summary>
/// <param name="bytesMax">Bytes at the most.</param>
public sealed class FoundStreams(long bytesMax = FoundStreams.BytesMaxUsual)
{
    /// <summary>Bytes at the most where nothing else is said: some 60,000 usual streams.</summary>
    public const long BytesMaxUsual = 48L << 20;

    // An entry of a table of texts, with a good deal of room.
    private const int TextBytes = 96;

    private readonly HashSet<LogStream> all = [];
    private readonly HashSet<string> texts = new(StringComparer.Ordinal);
    private long bytes;

    /// <summary>The streams.</summary>
    public IReadOnlyCollection<LogStream> All => all;

    /// <summary>The texts.</summary>
    public IReadOnlyCollection<string> Texts => texts;

    /// <summary>Adds a stream.</summary>
    /// <exception cref="LogQueryException">They are more than memory may hold.</exception>
    public void Add(LogStream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        if (all.Add(stream))
        {
            Count(stream.MemoryBytes, all.Count, "streams");
        }
    }

    /// <summary>Adds a text: a label's name, or its value.</summary>
    /// <exception cref="LogQueryException">They are more than memory may hold.</exception>
    public void Add(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (texts.Add(text))
        {
            Count(TextBytes + (sizeof(char) * (long)text.Length), texts.Count, "labels or values");
        }
    }

    private void Count(long more, int count, string what)
    {
        bytes += more;
        if (bytes > bytesMax)
        {
            throw new LogQueryException($"{count} {what} match by now, and an answer may have {bytesMax >> 20} MiB of them: narrow the time range or the selector");
        }
    }
}
