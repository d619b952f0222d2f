using System.Buffers.Binary;
using Lm.Platform;
using Lm.Protocol;

namespace Lm.Collector.Spool;

/// <summary>A record of the spool: what was decided about a batch at its admission, then its frame, unchanged. Format: docs/formats/spool.md.</summary>
/// <remarks>Replay applies the verdict and never judges again (D2): limits and clock may have changed since.</remarks>
internal static class SpoolRecord
{
    /// <summary>Bytes of the part that every record has.</summary>
    public const int HeadSizeMin = 44;

    /// <summary>What a batch's record begins with.</summary>
    public const byte BatchKind = 1;

    private const byte Version = 1;

    /// <summary>Writes what stands before the frame.</summary>
    public static byte[] WriteHead(UnixMillis receivedAt, ulong floor, BatchVerdict verdict)
    {
        var head = new byte[HeadSizeMin + (sizeof(uint) * (verdict.DroppedSeries.Count + verdict.DroppedLogs.Count))];
        head[0] = BatchKind;
        head[1] = Version;
        BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(4), head.Length);
        BinaryPrimitives.WriteInt64LittleEndian(head.AsSpan(8), receivedAt.Value);
        BinaryPrimitives.WriteInt64LittleEndian(head.AsSpan(16), verdict.OldestAccepted.Value);
        BinaryPrimitives.WriteUInt64LittleEndian(head.AsSpan(24), floor);
        BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(32), verdict.TooOldCount);
        BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(36), verdict.DroppedSeries.Count);
        BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(40), verdict.DroppedLogs.Count);
        var at = HeadSizeMin;
        foreach (var index in verdict.DroppedSeries)
        {
            BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(at), index);
            at += sizeof(uint);
        }

        foreach (var index in verdict.DroppedLogs)
        {
            BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(at), index);
            at += sizeof(uint);
        }

        return head;
    }

    /// <summary>Reads a record.</summary>
    /// <param name="record">Its bytes.</param>
    /// <param name="head">What stands before the frame.</param>
    /// <param name="frame">The frame's bytes, a view.</param>
    /// <returns>Null, or what is wrong with it.</returns>
    public static string? TryRead(ReadOnlyMemory<byte> record, out SpoolHead head, out ReadOnlyMemory<byte> frame)
    {
        (head, frame) = (default, default);
        var bytes = record.Span;
        if (bytes.Length < HeadSizeMin || bytes[0] != BatchKind || bytes[1] != Version)
        {
            return bytes.Length < HeadSizeMin
                ? $"the record has {bytes.Length} bytes; at least {HeadSizeMin} are expected"
                : $"the record is of kind {bytes[0]} and version {bytes[1]}; this program reads kind {BatchKind}, version {Version}";
        }

        var size = BinaryPrimitives.ReadInt32LittleEndian(bytes[4..]);
        var series = BinaryPrimitives.ReadInt32LittleEndian(bytes[36..]);
        var logs = BinaryPrimitives.ReadInt32LittleEndian(bytes[40..]);
        if (series < 0 || logs < 0 || size != HeadSizeMin + (sizeof(uint) * ((long)series + logs)) || size > bytes.Length)
        {
            return $"the record's head has {size} bytes and lists {series} series and {logs} log records, in a record of {bytes.Length} bytes";
        }

        var verdict = new BatchVerdict
        {
            OldestAccepted = new UnixMillis(BinaryPrimitives.ReadInt64LittleEndian(bytes[16..])),
            TooOldCount = BinaryPrimitives.ReadInt32LittleEndian(bytes[32..]),
            DroppedSeries = ReadIndexes(bytes[HeadSizeMin..], series),
            DroppedLogs = ReadIndexes(bytes[(HeadSizeMin + (sizeof(uint) * series))..], logs),
        };
        head = new SpoolHead(
            new UnixMillis(BinaryPrimitives.ReadInt64LittleEndian(bytes[8..])), BinaryPrimitives.ReadUInt64LittleEndian(bytes[24..]), verdict);
        frame = record[size..];
        return null;
    }

    private static int[] ReadIndexes(ReadOnlySpan<byte> bytes, int count)
    {
        if (count == 0)
        {
            return [];
        }

        var indexes = new int[count];
        for (var i = 0; i < count; i++)
        {
            indexes[i] = BinaryPrimitives.ReadInt32LittleEndian(bytes[(i * sizeof(uint))..]);
        }

        return indexes;
    }
}

/// <summary>What a spool record says about its frame.</summary>
/// <param name="ReceivedAt">The collector's clock when it came.</param>
/// <param name="Floor">The queue's floor at its admission; 0 when not known.</param>
/// <param name="Verdict">Which of its records are left out.</param>
internal readonly record struct SpoolHead(UnixMillis ReceivedAt, ulong Floor, BatchVerdict Verdict);
