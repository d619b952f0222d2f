using Lm.Platform;
using Lm.Platform.Files;

namespace Lm.Journal;

/// <summary>Writes headers and records to a segment through one small buffer, kept between groups; large payloads bypass it.</summary>
internal sealed class SegmentOutput
{
    // 32 KiB: a few usual batches. A larger group takes several writes before its one sync, and an idle journal holds no more.
    private readonly byte[] buffer = new byte[32 << 10];

    private static readonly byte[] Zeros = new byte[64 << 10];

    private IFileHandle? file;
    private uint salt;
    private long flushedEnd;
    private int buffered;

    /// <summary>Where the next byte goes.</summary>
    public long End => flushedEnd + buffered;

    /// <summary>Begins at a file's offset, forgetting what a failed group left.</summary>
    public void Begin(IFileHandle segment, uint segmentSalt, long offset)
    {
        file = segment;
        salt = segmentSalt;
        flushedEnd = offset;
        buffered = 0;
    }

    public void WriteHeader(SegmentHeader header)
    {
        SegmentFormat.WriteHeader(Reserve(SegmentFormat.HeaderSize), header);
        buffered += SegmentFormat.HeaderSize;
    }

    public void WriteRecord(ReadOnlySpan<byte> head, ReadOnlySpan<byte> body, bool startsGroup, bool isPreamble)
    {
        var checksum = Crc32C.Append(SegmentFormat.PayloadChecksum(salt, head), body);
        var header = new RecordHeader(head.Length + body.Length, startsGroup, isPreamble, checksum);
        var target = Reserve(SegmentFormat.RecordHeaderSize);
        SegmentFormat.WriteRecordHeader(target, salt, End, header);
        buffered += SegmentFormat.RecordHeaderSize;
        Write(head);
        Write(body);
    }

    public void Flush()
    {
        if (buffered > 0)
        {
            file!.Write(flushedEnd, buffer.AsSpan(0, buffered));
            flushedEnd += buffered;
            buffered = 0;
        }
    }

    /// <summary>Writes zeros behind what was written, as room for the next groups.</summary>
    /// <exception cref="FileSystemException">They do not fit, or not all; what was written before stands.</exception>
    public void WriteZeros(long end)
    {
        Flush();
        for (var at = End; at < end; at += Zeros.Length)
        {
            file!.Write(at, Zeros.AsSpan(0, (int)Math.Min(Zeros.Length, end - at)));
        }
    }

    private void Write(ReadOnlySpan<byte> data)
    {
        if (data.Length >= buffer.Length)
        {
            Flush();
            file!.Write(flushedEnd, data);
            flushedEnd += data.Length;
            return;
        }

        if (data.Length > buffer.Length - buffered)
        {
            Flush();
        }

        data.CopyTo(buffer.AsSpan(buffered));
        buffered += data.Length;
    }

    private Span<byte> Reserve(int count)
    {
        if (count > buffer.Length - buffered)
        {
            Flush();
        }

        return buffer.AsSpan(buffered, count);
    }
}
