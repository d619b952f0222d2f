using System.Buffers;
using System.Text;
using System.Text.Json;
using Lm.Collector.Query;
using Lm.Journal;

namespace Lm.Collector.Live;

/// <summary>Writes server-sent events, each a line of JSON with an id.</summary>
/// <remarks>Source: https://html.spec.whatwg.org/multipage/server-sent-events.html. JSON has no line end in it, so an event's data is one line. The id
/// comes last, when it is known whether another event of the same record follows.</remarks>
internal sealed class LiveEvents : IDisposable
{
    private readonly ArrayBufferWriter<byte> bytes = new(4096);
    private readonly Utf8JsonWriter json;
    private readonly Guid incarnation;
    private JournalPosition record;
    private int skippedUpTo;
    private int next;
    private int open = -1;
    private long bytesMax;

    /// <param name="incarnation">The spool's id.</param>
    public LiveEvents(Guid incarnation)
    {
        this.incarnation = incarnation;
        json = new Utf8JsonWriter(bytes, ApiJson.Options);
    }

    /// <summary>Events written since <see cref="Begin"/>.</summary>
    public int Count { get; private set; }

    /// <summary>Events that there was no more room for since <see cref="Begin"/>.</summary>
    public int Missed { get; private set; }

    /// <summary>Whether there is room for no more.</summary>
    public bool IsFull => bytes.WrittenCount >= bytesMax;

    /// <summary>What was written.</summary>
    public ReadOnlySpan<byte> Written => bytes.WrittenSpan;

    /// <summary>Begins a record's events.</summary>
    /// <param name="position">The record's place.</param>
    /// <param name="after">The last of its events that was told already; -1 for none.</param>
    /// <param name="max">Bytes after which no event begins: a query can make much of a short line.</param>
    public void Begin(JournalPosition position, int after, long max)
    {
        bytes.ResetWrittenCount();
        (record, skippedUpTo, next, open, Count, Missed, bytesMax) = (position, after, 0, -1, 0, 0, max);
    }

    /// <summary>Passes over events that a filter leaves out: they have numbers all the same.</summary>
    public void Skip(int count) => next += count;

    /// <summary>Begins an event, unless it was told already or there is no room for more.</summary>
    /// <param name="kind">Its name.</param>
    /// <param name="always">Whether there is always room for it.</param>
    /// <returns>Takes its data, an object that is open; null when it is left out.</returns>
    public Utf8JsonWriter? TryOpen(ReadOnlySpan<byte> kind, bool always = false)
    {
        var number = next++;
        if (number <= skippedUpTo)
        {
            return null;
        }

        if (IsFull && !always)
        {
            Missed++;
            return null;
        }

        EndOpen(isLast: false);
        open = number;
        Count++;
        bytes.Write("event: "u8);
        bytes.Write(kind);
        bytes.Write("\ndata: "u8);
        json.Reset(bytes);
        json.WriteStartObject();
        return json;
    }

    /// <summary>Ends what <see cref="TryOpen"/> began.</summary>
    public void Close()
    {
        json.WriteEndObject();
        json.Flush();
        bytes.Write("\n"u8);
    }

    /// <summary>Ends the record.</summary>
    public void End() => EndOpen(isLast: true);

    /// <summary>An event that something was missed: <c>lagged</c>.</summary>
    /// <param name="missed">How many.</param>
    /// <param name="of">Of what: events; records, none of which was looked at; lines that a query took too long for.</param>
    public static byte[] Lagged(long missed, string of) => Encoding.UTF8.GetBytes($"event: lagged\ndata: {{\"missed\":{missed},\"of\":\"{of}\"}}\n\n");

    /// <summary>An event that what follows does not join up with what the client had: <c>reset</c>.</summary>
    /// <param name="reason">Why, for people.</param>
    /// <param name="now">Where it goes on.</param>
    public static byte[] Reset(string reason, LiveId now) => Encoding.UTF8.GetBytes($"event: reset\ndata: {{\"reason\":\"{reason}\"}}\nid: {now}\n\n");

    /// <summary>Tells the client where it is, without an event.</summary>
    public static byte[] At(LiveId now) => Encoding.UTF8.GetBytes($"id: {now}\n\n");

    /// <inheritdoc/>
    public void Dispose() => json.Dispose();

    private void EndOpen(bool isLast)
    {
        if (open < 0)
        {
            return;
        }

        bytes.Write("id: "u8);
        bytes.Advance(new LiveId(incarnation, record, isLast ? LiveId.WholeRecord : open).Format(bytes.GetSpan(LiveId.BytesMax)));
        bytes.Write("\n\n"u8);
        open = -1;
    }
}
