using Lm.Platform.Files;

namespace Lm.Journal;

/// <summary>Walks a segment's records, and over its damage.</summary>
/// <remarks>
/// Invariants:
/// nothing at or behind <see cref="Limit"/> is looked at;
/// a bad record before <see cref="ProvenEnd"/> is damage, for everything there was synced; behind it, it is damage only if a valid
/// record that starts a group follows, for that one was written after everything before it had been synced; otherwise it is
/// where a write was cut off, and the walk ends there;
/// zeros from a record's end to the file's end are room written ahead: the walk ends before them, and they are neither torn nor damage;
/// work is linear in the segment's size, memory is that of the largest record.
/// </remarks>
internal sealed class SegmentCursor(int recordSizeMax)
{
    private const int BufferSizeMin = 32 << 10;

    private byte[] buffer = new byte[BufferSizeMin];
    private long bufferOffset;
    private int bufferCount;
    private IFileHandle? file;
    private uint salt;
    private bool mayEndInZeros;

    /// <summary>Where the walk ends at the latest.</summary>
    public long Limit { get; set; }

    /// <summary>Everything before it was synced.</summary>
    public long ProvenEnd { get; set; }

    /// <summary>Where the record or damage of the last step stands; at the end: where the last record ends.</summary>
    public long Offset { get; private set; }

    /// <summary>Where the next step begins.</summary>
    public long Next { get; private set; }

    /// <summary>The record's header.</summary>
    public RecordHeader Header { get; private set; }

    /// <summary>The record's payload, valid until the next step.</summary>
    public ReadOnlyMemory<byte> Payload { get; private set; }

    /// <summary>What is wrong with a damaged stretch or a torn tail.</summary>
    public string Reason { get; private set; } = "";

    /// <summary>Starts over in a file. The owner of the file keeps it open meanwhile.</summary>
    /// <param name="segment">The file.</param>
    /// <param name="segmentSalt">Its salt.</param>
    /// <param name="offset">Where to begin.</param>
    /// <param name="limit">Where to end at the latest.</param>
    /// <param name="provenEnd">Everything before it was synced.</param>
    /// <param name="limitIsFileEnd">The limit is no more than where the file ends, so that zeros written ahead of the records may stand before it.</param>
    public void Begin(IFileHandle segment, uint segmentSalt, long offset, long limit, long provenEnd, bool limitIsFileEnd)
    {
        mayEndInZeros = limitIsFileEnd;
        file = segment;
        salt = segmentSalt;
        bufferCount = 0;
        Limit = limit;
        ProvenEnd = provenEnd;
        Next = offset;
    }

    /// <summary>Goes one step on. After <see cref="SegmentStep.End"/> it may go on if <see cref="Limit"/> was moved.</summary>
    public SegmentStep MoveNext()
    {
        Offset = Next;
        if (Offset >= Limit)
        {
            Reason = "";
            return SegmentStep.End;
        }

        if (TryReadRecord(Offset, out var goOn))
        {
            return SegmentStep.Record;
        }

        if (mayEndInZeros && IsZeroFrom(Offset))
        {
            (Payload, Reason) = (default, "");
            return SegmentStep.End;
        }

        var damaged = Offset;
        var reason = Reason;
        if (damaged >= ProvenEnd)
        {
            ProvenEnd = Find(goOn, Limit, mustStartGroup: true) ?? damaged;
        }

        var provesDamage = damaged < ProvenEnd;
        var resume = provesDamage ? Find(goOn, ProvenEnd, mustStartGroup: false) ?? ProvenEnd : damaged;
        Offset = damaged;
        Next = resume;
        Payload = default;
        Reason = reason;
        return provesDamage ? SegmentStep.Damage : SegmentStep.End;
    }

    /// <summary>Where the last byte behind an offset that is not zero ends; the offset itself when there is none before the limit.</summary>
    public long ContentEnd(long offset)
    {
        var end = offset;
        while (offset < Limit)
        {
            var view = View(offset, BufferSizeMin).Span;
            if (view.IsEmpty)
            {
                break; // the file is shorter than it should be
            }

            var last = view.LastIndexOfAnyExcept((byte)0);
            end = last < 0 ? end : offset + last + 1;
            offset += view.Length;
        }

        return end;
    }

    private bool IsZeroFrom(long offset)
    {
        while (offset < Limit)
        {
            var view = View(offset, BufferSizeMin).Span;
            if (view.ContainsAnyExcept((byte)0))
            {
                return false;
            }

            if (view.IsEmpty)
            {
                break; // the file is shorter than it should be
            }

            offset += view.Length;
        }

        return true;
    }

    /// <summary>Reads and checks the record at an offset.</summary>
    /// <param name="offset">Where it should stand.</param>
    /// <param name="goOn">When it is bad: from where on a next one may stand.</param>
    private bool TryReadRecord(long offset, out long goOn)
    {
        goOn = offset + 1;
        var head = View(offset, SegmentFormat.RecordHeaderSize);
        if (head.Length < SegmentFormat.RecordHeaderSize)
        {
            Reason = $"{head.Length} bytes are left, a record's header has {SegmentFormat.RecordHeaderSize}";
            return false;
        }

        if (!SegmentFormat.TryReadRecordHeader(head.Span, salt, offset, out var header))
        {
            Reason = "the record's header does not match its checksum";
            return false;
        }

        if (header.Size == 0 || header.Size > recordSizeMax)
        {
            Reason = $"the record has {header.Size} bytes, 1 to {recordSizeMax} are allowed";
            return false;
        }

        var end = offset + SegmentFormat.RecordHeaderSize + header.Size;
        if (end > Limit)
        {
            Reason = $"the record ends at byte {end}, the segment at byte {Limit}";
            return false;
        }

        goOn = end; // the header is sound, so that its length can be trusted: a bad payload costs this record alone
        var payload = View(offset + SegmentFormat.RecordHeaderSize, header.Size);
        var checksum = SegmentFormat.PayloadChecksum(salt, payload.Span);
        if (payload.Length < header.Size || checksum != header.PayloadChecksum)
        {
            Reason = payload.Length < header.Size
                ? $"the record has {header.Size} bytes, {payload.Length} are there"
                : $"the record's checksum is {header.PayloadChecksum:x8}, computed {checksum:x8}";
            return false;
        }

        (Header, Payload, Next) = (header, payload, end);
        return true;
    }

    /// <summary>The first valid record in a stretch, byte by byte.</summary>
    private long? Find(long from, long to, bool mustStartGroup)
    {
        var offset = from;
        while (offset + SegmentFormat.RecordHeaderSize <= to)
        {
            var view = View(offset, (int)Math.Min(BufferSizeMin, to - offset)).Span;
            if (view.Length < SegmentFormat.RecordHeaderSize)
            {
                return null; // the file is shorter than it should be
            }

            var found = FindHeader(view, offset, mustStartGroup);
            if (found < 0)
            {
                offset += view.Length - SegmentFormat.RecordHeaderSize + 1;
                continue;
            }

            offset += found;
            if (TryReadRecord(offset, out _))
            {
                return offset;
            }

            offset++;
        }

        return null;
    }

    private int FindHeader(ReadOnlySpan<byte> view, long offset, bool mustStartGroup)
    {
        for (var at = 0; at + SegmentFormat.RecordHeaderSize <= view.Length; at++)
        {
            if (SegmentFormat.TryReadRecordHeader(view[at..], salt, offset + at, out var header)
                && (header.StartsGroup || !mustStartGroup))
            {
                return at;
            }
        }

        return -1;
    }

    /// <summary>Bytes of the file; fewer than asked where the limit or the file ends.</summary>
    private ReadOnlyMemory<byte> View(long offset, int count)
    {
        count = (int)Math.Min(count, Limit - offset);
        if (offset < bufferOffset || offset + count > bufferOffset + bufferCount)
        {
            Load(offset, count);
        }

        var start = (int)(offset - bufferOffset);
        return buffer.AsMemory(start, Math.Min(count, bufferCount - start));
    }

    private void Load(long offset, int count)
    {
        if (count > buffer.Length)
        {
            buffer = new byte[count]; // a record's header vouches for the count, and the owner's limit bounds it
        }

        bufferCount = 0; // nothing is buffered if the read throws
        bufferOffset = offset;
        bufferCount = file!.Read(offset, buffer.AsSpan(0, (int)Math.Min(buffer.Length, Limit - offset)));
    }
}

/// <summary>What a step of a <see cref="SegmentCursor"/> came to.</summary>
internal enum SegmentStep
{
    /// <summary>A valid record.</summary>
    Record,

    /// <summary>A damaged stretch; valid records, or the end, follow.</summary>
    Damage,

    /// <summary>The last record is behind; what follows before the limit, if anything, is a torn tail.</summary>
    End,
}
