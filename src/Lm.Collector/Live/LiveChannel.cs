namespace Lm.Collector.Live;

/// <summary>The events of one filter, made once for all who asked for the same. Bounded: who is too slow finds the oldest gone.</summary>
/// <remarks>The hub's thread alone uses it.</remarks>
/// <param name="filter">What is told.</param>
/// <param name="from">The place in the ring where it begins.</param>
/// <param name="resume">Where its one listener had been, when that was within a record.</param>
internal sealed class LiveChannel(LiveFilter filter, long from, LiveId? resume)
{
    private readonly List<LivePacket> packets = []; // from first on; the ones before are gone
    private int first;
    private long dropped; // packets that are gone
    private long bytes;
    private long? expected;

    /// <summary>Whether others may join: its own listener heard a part of the first record already.</summary>
    public bool IsShared => resume is null;

    /// <summary>What is told.</summary>
    public LiveFilter Filter => filter;

    /// <summary>The next place in the ring.</summary>
    public long Cursor { get; set; } = from;

    /// <summary>Events for every record in the ring from here on are there.</summary>
    public long CoversFrom { get; private set; } = from;

    /// <summary>How many listen.</summary>
    public int Listeners { get; set; }

    /// <summary>Events made.</summary>
    public long Events { get; private set; }

    /// <summary>The number of the first packet that is there.</summary>
    public long First => dropped;

    /// <summary>The number of the next packet.</summary>
    public long End => dropped + packets.Count - first;

    /// <summary>A packet by its number.</summary>
    public LivePacket this[long number] => packets[first + (int)(number - dropped)];

    /// <summary>Takes a record.</summary>
    /// <param name="place">Its place in the ring.</param>
    /// <param name="record">The record.</param>
    /// <param name="events">Where its events are made.</param>
    /// <param name="encoder">Makes them.</param>
    /// <param name="bytesMax">Bytes of them, about.</param>
    /// <returns>How many records were missed before it, itself included when it was too large to be kept.</returns>
    public long Take(long place, LiveRecord record, LiveEvents events, LiveEncoder encoder, long bytesMax)
    {
        var missed = (expected is { } number ? record.Number - number : 0) + (record.Kind == LiveEntryKind.TooLarge ? 1 : 0);
        expected = record.Number + 1;
        if (missed > 0)
        {
            Add(place, LiveEvents.Lagged(missed, "records"), 0);
        }

        events.Begin(record.Position, resume is { } id && id.Position == record.Position ? id.Event : -1, bytesMax);
        encoder.Write(record, filter);
        events.End();
        if (events.Count > 0)
        {
            Add(place, events.Written.ToArray(), events.Count);
        }

        if (events.Missed > 0)
        {
            Add(place, LiveEvents.Lagged(events.Missed, "events"), 0);
        }

        if (encoder.LinesUnjudged > 0)
        {
            Add(place, LiveEvents.Lagged(encoder.LinesUnjudged, "lines"), 0);
        }

        return missed;
    }

    /// <summary>Lets the oldest packets go, down to a number of bytes.</summary>
    public void Trim(long bytesMax)
    {
        while (bytes > bytesMax && first < packets.Count - 1)
        {
            var gone = packets[first];
            bytes -= gone.Bytes.Length;
            packets[first++] = default;
            dropped++;
            CoversFrom = packets[first].Place;
        }

        if (first > 256 && first > packets.Count / 2)
        {
            packets.RemoveRange(0, first);
            first = 0;
        }
    }

    private void Add(long place, byte[] content, int count)
    {
        packets.Add(new LivePacket(place, content, Events));
        Events += count;
        bytes += content.Length;
    }
}

/// <summary>The events of one record.</summary>
/// <param name="Place">The record's place in the ring.</param>
/// <param name="Bytes">Its events.</param>
/// <param name="EventsBefore">How many events the channel made before these.</param>
internal readonly record struct LivePacket(long Place, byte[] Bytes, long EventsBefore);
