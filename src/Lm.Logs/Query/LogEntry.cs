namespace Lm.Logs.Query;

/// <summary>A line as a query gives it.</summary>
public sealed class LogEntry
{
    private const int EntryBytes = 192; // the object, the body's array and those of the labels, empty
    private const int FieldBytes = 64; // two references, and the heads of two strings

    /// <summary>Where it stands in the order of all lines.</summary>
    public required LogPosition Position { get; init; }

    /// <summary>Where it comes from.</summary>
    public required LogStream Stream { get; init; }

    /// <summary>The line after the query's stages, valid UTF-8.</summary>
    public required ReadOnlyMemory<byte> Body { get; init; }

    /// <summary>The stream's labels as far as the query left them, sorted by name.</summary>
    public required IReadOnlyList<LogField> Labels { get; init; }

    /// <summary>The line's attributes as far as the query left them, in the agent's order.</summary>
    public required IReadOnlyList<LogField> Attributes { get; init; }

    /// <summary>Labels that the query found in the line or made, sorted by name.</summary>
    public required IReadOnlyList<LogField> Parsed { get; init; }

    /// <summary>The label <c>detected_level</c> as Loki's clients have it, made of the stream's severity; empty where none is known, the query took it away, or
    /// another label has its name.</summary>
    public string Level { get; init; } = "";

    /// <summary>The same with its name.</summary>
    public LogField LevelLabel => new(DetectedLevel.Label, Level);

    /// <summary>When, milliseconds since 1970-01-01T00:00:00Z.</summary>
    public long Time => Position.Time;

    /// <summary>Bytes of memory that it holds by itself, about; labels that are the stream's own are held once for all its lines.</summary>
    public long HeldBytes =>
        EntryBytes + Body.Length + (ReferenceEquals(Labels, Stream.Labels) ? 0 : SizeOf(Labels)) + SizeOf(Attributes) + SizeOf(Parsed);

    /// <summary>Labels, attributes and parsed ones together, sorted by name; of two with one name the later counts.</summary>
    /// <param name="withLevel">Whether <c>detected_level</c> is among them.</param>
    public IReadOnlyList<LogField> AllLabels(bool withLevel = false)
    {
        var hasLevel = withLevel && Level.Length > 0;
        if (Attributes.Count == 0 && Parsed.Count == 0 && !hasLevel)
        {
            return Labels;
        }

        var all = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var label in Labels.Concat(Attributes).Concat(Parsed))
        {
            all[label.Name] = label.Value;
        }

        if (hasLevel)
        {
            all[DetectedLevel.Label] = Level;
        }

        return [.. all.Select(label => new LogField(label.Key, label.Value))];
    }

    private static long SizeOf(IReadOnlyList<LogField> fields)
    {
        long size = 0;
        for (var i = 0; i < fields.Count; i++)
        {
            size += FieldBytes + (sizeof(char) * ((long)fields[i].Name.Length + fields[i].Value.Length));
        }

        return size;
    }
}
