using System.Runtime.InteropServices;
using Lm.Collector.Spool;
using Lm.Journal;
using Lm.Platform;
using Lm.Protocol;
using Lm.Protocol.RemoteWrite;

namespace Lm.Collector.Live;

/// <summary>One record copied out of <see cref="LiveRing"/>, decoded when someone wants it. Used again for the next.</summary>
internal sealed class LiveRecord
{
    private const int KeptBytesMax = 1 << 20;

    private readonly DecodedBatch batch = new();
    private readonly DecodedWrite write = new();
    private byte[] content = [];
    private int size;
    private bool isDecoded;
    private LiveEntry entry;

    /// <summary>What it is.</summary>
    public LiveEntryKind Kind => entry.Kind;

    /// <summary>Its number.</summary>
    public long Number => entry.Number;

    /// <summary>Its place in the spool.</summary>
    public JournalPosition Position => new(entry.Segment, entry.Offset);

    /// <summary>The place of the record before.</summary>
    public JournalPosition Before => new(entry.SegmentBefore, entry.OffsetBefore);

    /// <summary>When it came.</summary>
    public UnixMillis ReceivedAt => new(entry.ReceivedAt);

    /// <summary>Older samples and lines are left out.</summary>
    public long OldestAccepted => entry.OldestAccepted;

    /// <summary>Newer samples are left out.</summary>
    public long NewestAccepted => entry.NewestAccepted;

    /// <summary>Series from this one on are left out.</summary>
    public int SeriesEnd => entry.SeriesEnd;

    /// <summary>Bytes of its frame.</summary>
    public int FrameBytes => entry.FrameBytes;

    /// <summary>Series that are left out, ascending.</summary>
    public ReadOnlySpan<int> DroppedSeries => MemoryMarshal.Cast<byte, int>(content.AsSpan(0, sizeof(int) * entry.DroppedSeries));

    /// <summary>Log records that are left out, ascending.</summary>
    public ReadOnlySpan<int> DroppedLogs =>
        MemoryMarshal.Cast<byte, int>(content.AsSpan(sizeof(int) * entry.DroppedSeries, sizeof(int) * entry.DroppedLogs));

    /// <summary>The batch, of one that is a batch.</summary>
    public DecodedBatch Batch
    {
        get
        {
            Decode();
            return batch;
        }
    }

    /// <summary>The request, of one that is a request.</summary>
    public DecodedWrite Write
    {
        get
        {
            Decode();
            return write;
        }
    }

    /// <summary>The agents, of the collector's own <c>up</c>.</summary>
    public (UnixMillis At, IReadOnlyList<AgentUp> Agents) Ups =>
        UpRecord.TryRead(Payload.Span, out var at, out var agents) is null ? (at, agents) : (default, []);

    private ReadOnlyMemory<byte> Payload => content.AsMemory(size - entry.PayloadSize, entry.PayloadSize);

    /// <summary>Takes an entry's header.</summary>
    /// <returns>Where its content goes.</returns>
    public Span<byte> Begin(in LiveEntry header)
    {
        (entry, isDecoded) = (header, false);
        size = header.Size - Marshal.SizeOf<LiveEntry>();
        if (content.Length < size || (content.Length > KeptBytesMax && size <= KeptBytesMax))
        {
            content = new byte[size];
        }

        return content.AsSpan(0, size);
    }

    // What was accepted decodes: the same bytes were decoded at their admission.
    private void Decode()
    {
        if (isDecoded)
        {
            return;
        }

        isDecoded = true;
        if (entry.Kind == LiveEntryKind.Batch)
        {
            BatchDecoder.Decode(Payload, BatchSpoolLimits.Accepted, batch, out _);
        }
        else if (entry.Kind == LiveEntryKind.Write)
        {
            RemoteWriteDecoder.TryDecode(Payload, WriteLimits.None with { SeriesMax = entry.SeriesEnd }, write, out _);
        }
    }
}
