using System.Runtime.InteropServices;

namespace Lm.Collector.Live;

/// <summary>What stands in front of each record in <see cref="LiveRing"/>. In memory only.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct LiveEntry
{
    /// <summary>Bytes of the entry, this included.</summary>
    public int Size;

    /// <summary>What it is.</summary>
    public LiveEntryKind Kind;

    /// <summary>Counts up by one; tells how many were missed.</summary>
    public long Number;

    /// <summary>The record's place in the spool.</summary>
    public long Offset;

    /// <summary>The record's segment.</summary>
    public uint Segment;

    /// <summary>The segment of the record before.</summary>
    public uint SegmentBefore;

    /// <summary>The place of the record before.</summary>
    public long OffsetBefore;

    /// <summary>When the record came, milliseconds since 1970.</summary>
    public long ReceivedAt;

    /// <summary>Older samples and lines are left out.</summary>
    public long OldestAccepted;

    /// <summary>Newer samples are left out.</summary>
    public long NewestAccepted;

    /// <summary>Series from this one on are left out.</summary>
    public int SeriesEnd;

    /// <summary>Bytes of the frame.</summary>
    public int FrameBytes;

    /// <summary>How many series are left out.</summary>
    public int DroppedSeries;

    /// <summary>How many log records are left out.</summary>
    public int DroppedLogs;

    /// <summary>Bytes of the payload, which comes behind the two lists.</summary>
    public int PayloadSize;
}

/// <summary>What a record is.</summary>
internal enum LiveEntryKind
{
    /// <summary>An agent's batch.</summary>
    Batch,

    /// <summary>A remote-write request.</summary>
    Write,

    /// <summary>The collector's own <c>up</c>.</summary>
    Ups,

    /// <summary>One that is too large to be kept: it counts as missed.</summary>
    TooLarge,
}
