using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Lm.Collector.Query;
using Lm.Logs.Query;
using Lm.Platform;

namespace Lm.Collector.Live;

/// <summary>Makes messages of Loki's <c>tail</c>: of stored lines to begin with, then of what the live stream tells, whose entries have the form already.</summary>
/// <remarks>Beside Loki's members an entry has its <c>id</c>, which tells a line that was found from one that comes.</remarks>
/// <param name="time">The clock.</param>
internal sealed class TailMessage(TimeProvider time) : IDisposable
{
    private readonly ArrayBufferWriter<byte> bytes = new(4096);
    private readonly Utf8JsonWriter json = new(Stream.Null, ApiJson.Options);
    private readonly HashSet<string> stored = new(StringComparer.Ordinal);
    private bool isOpen;
    private bool isLagged; // the event that is being read
    private long missed;

    /// <summary>Adds lines that were found; the live stream may tell them again, and then they are left out.</summary>
    /// <param name="lines">In order.</param>
    public void Add(IReadOnlyList<LogEntry> lines)
    {
        foreach (var entry in lines)
        {
            stored.Add(entry.Position.ToString());
            Open();
            json.WriteStartObject();
            LiveEncoder.WriteEntry(json, entry);
            json.WriteEndObject();
        }
    }

    /// <summary>Adds what the live stream tells, as far as its lines are whole.</summary>
    /// <param name="events">Server-sent events.</param>
    /// <returns>Where the rest begins.</returns>
    public SequencePosition Add(ReadOnlySequence<byte> events)
    {
        var reader = new SequenceReader<byte>(events);
        while (reader.TryReadTo(out ReadOnlySequence<byte> line, (byte)'\n'))
        {
            AddLine(line.IsSingleSegment ? line.FirstSpan : line.ToArray());
        }

        return reader.Position;
    }

    /// <summary>The message of what was added since the last; empty when nothing was. It stands until more is added.</summary>
    public ReadOnlyMemory<byte> Take()
    {
        if (!isOpen && missed == 0)
        {
            return default;
        }

        Open();
        json.WriteEndArray();
        if (missed > 0)
        {
            json.WriteStartArray("dropped_entries"u8);
            json.WriteStartObject();
            json.WriteString("timestamp"u8, Nanoseconds(UnixMillis.Now(time).Value));
            json.WriteStartObject("labels"u8);
            json.WriteString("missed"u8, missed.ToString(CultureInfo.InvariantCulture));
            json.WriteEndObject();
            json.WriteEndObject();
            json.WriteEndArray();
        }

        json.WriteEndObject();
        json.Flush();
        (isOpen, missed) = (false, 0);
        return bytes.WrittenMemory;
    }

    /// <inheritdoc/>
    public void Dispose() => json.Dispose();

    /// <summary>A time as Loki writes it.</summary>
    public static string Nanoseconds(long milliseconds) =>
        milliseconds == 0 ? "0" : string.Create(CultureInfo.InvariantCulture, $"{milliseconds}000000"); // they need not fit into 64 bits

    private void Open()
    {
        if (isOpen)
        {
            return;
        }

        isOpen = true;
        bytes.ResetWrittenCount();
        json.Reset(bytes);
        json.WriteStartObject();
        json.WriteStartArray("streams"u8);
    }

    private void AddLine(ReadOnlySpan<byte> line)
    {
        var name = "event: "u8;
        var data = "data: "u8;
        if (line.StartsWith(name))
        {
            isLagged = line[name.Length..].SequenceEqual("lagged"u8);
        }
        else if (line.StartsWith(data))
        {
            AddEvent(line[data.Length..]);
        }
    }

    // An entry's first member is its id, that of an event that lines were missed is how many.
    private void AddEvent(ReadOnlySpan<byte> data)
    {
        var reader = new Utf8JsonReader(data);
        reader.Read();
        reader.Read();
        reader.Read();
        if (isLagged)
        {
            missed += reader.GetInt64();
        }
        else if (stored.Count == 0 || !stored.Remove(reader.GetString()!))
        {
            Open();
            json.WriteRawValue(data, skipInputValidation: true);
        }
    }
}
