using System.Text;

namespace Lm.Logs.Query.Pipeline;

/// <summary>The labels of the line in hand: names, and values in UTF-8. For one thread at a time; nothing is allocated for a line but room that grows.</summary>
/// <remarks>Of two labels with one name the later counts: parsed before attribute before stream before derived.</remarks>
internal sealed class LineLabels
{
    /// <summary>Most labels that are found in one line.</summary>
    public const int ParsedMax = 500;

    /// <summary>Most bytes of the values that are set for one line: stages and expressions may take the same text again and again.</summary>
    public const int ParsedBytesMax = 1 << 20;

    private const string TooLongError = "LabelsTooLongErr";

    // A giant line must not be paid for ever.
    private const int ArenaUsualMax = 256 * 1024;
    private const int StreamsMax = 1024;

    private readonly Dictionary<LogStream, Entry[]> known = [];
    private Entry[] entries = new Entry[32];
    private int count;
    private int parsed;
    private long parsedBytes;
    private byte[] arena = new byte[4096];
    private int used;
    private LogStream? lastStream;
    private Entry[] lastEntries = [];
    private LogStream? stream;

    /// <summary>Whether labels are other than those the line came with.</summary>
    public bool IsChanged { get; private set; }

    /// <summary>How many places are taken, hidden and removed ones included.</summary>
    public int Count => count;

    /// <summary>A label by its place.</summary>
    public ref readonly Entry this[int index] => ref entries[index];

    /// <summary>Begins a line.</summary>
    public void Begin(LogStream stream, IReadOnlyList<LogField> attributes)
    {
        this.stream = stream;
        used = 0;
        parsed = 0;
        parsedBytes = 0;
        IsChanged = false;
        if (arena.Length > ArenaUsualMax)
        {
            arena = new byte[4096];
        }

        var fixedEntries = EntriesOf(stream);
        count = fixedEntries.Length;
        Reserve(count + attributes.Count);
        fixedEntries.CopyTo(entries, 0);
        for (var i = 0; i < attributes.Count; i++)
        {
            var attribute = attributes[i];
            if (attribute.Value.Length > 0)
            {
                Append(attribute.Name, Keep(attribute.Value), LabelOrigin.Attribute);
            }
        }
    }

    /// <summary>A label's place; -1 when there is none with that name.</summary>
    public int Find(string name)
    {
        for (var i = count - 1; i >= 0; i--)
        {
            if (entries[i].IsThere && (ReferenceEquals(entries[i].Name, name) || entries[i].Name == name))
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>A label's value; empty when there is none.</summary>
    public ReadOnlySpan<byte> ValueOf(string name)
    {
        var found = Find(name);
        return found < 0 ? default : entries[found].Value;
    }

    /// <summary>Whether the stream has a label of that name.</summary>
    public bool HasStreamLabel(string name) => stream![name].Length > 0;

    /// <summary>Sets a label that was found in the line; one of the stream's name gets a suffix.</summary>
    /// <returns>False when there are too many, or they are too long.</returns>
    public bool TryExtract(string name, ReadOnlySpan<byte> value, bool keepsEmpty = false) =>
        TrySet(HasStreamLabel(name) ? name + LabelNames.ExtractedSuffix : name, value, keepsEmpty);

    /// <summary>Sets a label to nothing, unless the stream has one of that name.</summary>
    /// <returns>False when there are too many.</returns>
    public bool TryExtractNothing(string name) => HasStreamLabel(name) || TrySet(name, default, keepsEmpty: true);

    /// <summary>Sets a label; an empty value removes it, unless it is to be kept.</summary>
    /// <returns>False when there are too many, or they are too long.</returns>
    public bool TrySet(string name, ReadOnlySpan<byte> value, bool keepsEmpty = false)
    {
        IsChanged = true;
        if (value.IsEmpty && !keepsEmpty)
        {
            Remove(name);
            return true;
        }

        if (parsedBytes + value.Length > ParsedBytesMax)
        {
            SetErrorIfNone(TooLongError, $"the values found in the line or made for it are longer than {ParsedBytesMax} bytes together; {name} is left out");
            return false;
        }

        parsedBytes += value.Length;
        var found = Find(name);
        if (found >= 0 && entries[found].Origin == LabelOrigin.Parsed)
        {
            entries[found] = entries[found].With(Keep(value));
            return true;
        }

        if (parsed == ParsedMax)
        {
            return false;
        }

        if (found >= 0)
        {
            Remove(name);
        }

        Append(name, Keep(value), LabelOrigin.Parsed);
        parsed++;
        return true;
    }

    /// <summary>Removes a label.</summary>
    public void Remove(string name)
    {
        for (var i = 0; i < count; i++)
        {
            if (entries[i].IsThere && entries[i].Name == name)
            {
                IsChanged = true;
                entries[i] = entries[i].Removed();
            }
        }
    }

    /// <summary>Notes that a label could not be set, unless it is known better what went wrong.</summary>
    public void SetErrorIfNone(string error, string details)
    {
        if (Find(LabelNames.Error) < 0)
        {
            SetError(error, details);
        }
    }

    /// <summary>Notes that the line could not be parsed; the last such error is told.</summary>
    public void SetError(string error, string details)
    {
        Remove(LabelNames.Error);
        Remove(LabelNames.ErrorDetails);
        IsChanged = true;
        Append(LabelNames.Error, Keep(error), LabelOrigin.Parsed);
        Append(LabelNames.ErrorDetails, Keep(details), LabelOrigin.Parsed);
    }

    private (byte[] Data, int Start, int Length) Keep(ReadOnlySpan<byte> value)
    {
        Grow(value.Length);
        value.CopyTo(arena.AsSpan(used));
        used += value.Length;
        return (arena, used - value.Length, value.Length);
    }

    private (byte[] Data, int Start, int Length) Keep(string value)
    {
        Grow(Encoding.UTF8.GetMaxByteCount(value.Length));
        var length = Encoding.UTF8.GetBytes(value, arena.AsSpan(used));
        used += length;
        return (arena, used - length, length);
    }

    // Values that were kept before stay in the old room, which lives as long as they do.
    private void Grow(int more)
    {
        if (arena.Length - used < more)
        {
            arena = new byte[Math.Max(2 * arena.Length, more)];
            used = 0;
        }
    }

    private void Append(string name, (byte[] Data, int Start, int Length) value, LabelOrigin origin)
    {
        Reserve(count + 1);
        entries[count++] = new Entry(name, value.Data, value.Start, value.Length, origin);
    }

    private void Reserve(int size)
    {
        if (entries.Length < size)
        {
            Array.Resize(ref entries, Math.Max(size, 2 * entries.Length));
        }
    }

    private Entry[] EntriesOf(LogStream stream)
    {
        if (ReferenceEquals(stream, lastStream))
        {
            return lastEntries;
        }

        if (!known.TryGetValue(stream, out var found))
        {
            found = [.. LevelOf(stream), .. stream.Labels.Select(label => EntryOf(label.Name, label.Value, LabelOrigin.Stream))];
            if (known.Count == StreamsMax)
            {
                known.Clear();
            }

            known[stream] = found;
        }

        (lastStream, lastEntries) = (stream, found);
        return found;
    }

    private static Entry[] LevelOf(LogStream stream) =>
        DetectedLevel.Of(stream) is { Length: > 0 } level ? [EntryOf(DetectedLevel.Label, level, LabelOrigin.Derived)] : [];

    private static Entry EntryOf(string name, string text, LabelOrigin origin)
    {
        var value = Encoding.UTF8.GetBytes(text);
        return new Entry(name, value, 0, value.Length, origin);
    }

    /// <summary>One label.</summary>
    internal readonly struct Entry(string name, byte[] data, int start, int length, LabelOrigin origin, bool isThere = true)
    {
        public string Name { get; } = name;

        public ReadOnlySpan<byte> Value => data.AsSpan(start, length);

        public LabelOrigin Origin { get; } = origin;

        public bool IsThere { get; } = isThere;

        public Entry With((byte[] Data, int Start, int Length) value) => new(Name, value.Data, value.Start, value.Length, Origin);

        public Entry Removed() => new(Name, data, start, length, Origin, isThere: false);
    }
}

/// <summary>Where a label of a line comes from.</summary>
internal enum LabelOrigin : byte
{
    /// <summary>It is another label in other words, there for who asks for it by name.</summary>
    Derived,

    /// <summary>The stream.</summary>
    Stream,

    /// <summary>The line's attributes.</summary>
    Attribute,

    /// <summary>It was found in the line, or made by the query.</summary>
    Parsed,
}
