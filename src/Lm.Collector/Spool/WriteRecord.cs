using System.Buffers.Binary;
using System.Text;
using Lm.Platform;
using Lm.Protocol.RemoteWrite;

namespace Lm.Collector.Spool;

/// <summary>A record of the spool that holds a remote-write request: what was decided about it, then its body, unchanged. Format: docs/formats/spool.md.</summary>
internal static class WriteRecord
{
    /// <summary>What such a record begins with.</summary>
    public const byte Kind = 2;

    private const byte Version = 1;
    private const int HeadSizeMin = 48;

    /// <summary>Writes what stands before the body.</summary>
    public static byte[] WriteHead(string sender, UnixMillis receivedAt, WriteVerdict verdict)
    {
        var (dropped, name) = (verdict.DroppedSeries, Encoding.UTF8.GetByteCount(sender));
        var head = new byte[HeadSizeMin + (sizeof(uint) * dropped.Count) + name];
        head[0] = Kind;
        head[1] = Version;
        BinaryPrimitives.WriteUInt16LittleEndian(head.AsSpan(2), checked((ushort)name));
        BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(4), head.Length);
        BinaryPrimitives.WriteInt64LittleEndian(head.AsSpan(8), receivedAt.Value);
        BinaryPrimitives.WriteInt64LittleEndian(head.AsSpan(16), verdict.OldestAccepted.Value);
        BinaryPrimitives.WriteInt64LittleEndian(head.AsSpan(24), verdict.NewestAccepted.Value);
        BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(32), verdict.SeriesEnd);
        BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(36), dropped.Count);
        BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(40), verdict.TooOld);
        BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(44), verdict.TooNew);
        var at = HeadSizeMin;
        foreach (var index in dropped)
        {
            BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(at), index);
            at += sizeof(uint);
        }

        Encoding.UTF8.GetBytes(sender, head.AsSpan(at));
        return head;
    }

    /// <summary>Reads a record.</summary>
    /// <param name="record">Its bytes.</param>
    /// <param name="head">What stands before the body.</param>
    /// <param name="body">The body's bytes, a view.</param>
    /// <returns>Null, or what is wrong with it.</returns>
    public static string? TryRead(ReadOnlyMemory<byte> record, out WriteHead head, out ReadOnlyMemory<byte> body)
    {
        (head, body) = (default, default);
        var bytes = record.Span;
        if (bytes.Length < HeadSizeMin || bytes[0] != Kind || bytes[1] != Version)
        {
            return bytes.Length < HeadSizeMin
                ? $"the record has {bytes.Length} bytes; at least {HeadSizeMin} are expected"
                : $"the record is of kind {bytes[0]} and version {bytes[1]}; this program reads kind {Kind}, version {Version}";
        }

        var name = BinaryPrimitives.ReadUInt16LittleEndian(bytes[2..]);
        var size = BinaryPrimitives.ReadInt32LittleEndian(bytes[4..]);
        var end = BinaryPrimitives.ReadInt32LittleEndian(bytes[32..]);
        var dropped = BinaryPrimitives.ReadInt32LittleEndian(bytes[36..]);
        if (dropped < 0 || end < 0 || size != HeadSizeMin + ((long)sizeof(uint) * dropped) + name || size > bytes.Length)
        {
            return $"the record's head has {size} bytes, lists {dropped} series of {end} and a name of {name} bytes, in a record of {bytes.Length} bytes";
        }

        var verdict = new WriteVerdict
        {
            OldestAccepted = new UnixMillis(BinaryPrimitives.ReadInt64LittleEndian(bytes[16..])),
            NewestAccepted = new UnixMillis(BinaryPrimitives.ReadInt64LittleEndian(bytes[24..])),
            SeriesEnd = end,
            DroppedSeries = ReadIndexes(bytes[HeadSizeMin..], dropped),
            TooOld = BinaryPrimitives.ReadInt32LittleEndian(bytes[40..]),
            TooNew = BinaryPrimitives.ReadInt32LittleEndian(bytes[44..]),
        };
        var sender = Encoding.UTF8.GetString(bytes[(size - name)..size]);
        head = new WriteHead(new UnixMillis(BinaryPrimitives.ReadInt64LittleEndian(bytes[8..])), sender, verdict);
        body = record[size..];
        return null;
    }

    private static int[] ReadIndexes(ReadOnlySpan<byte> bytes, int count)
    {
        var indexes = count == 0 ? [] : new int[count];
        for (var i = 0; i < count; i++)
        {
            indexes[i] = BinaryPrimitives.ReadInt32LittleEndian(bytes[(i * sizeof(uint))..]);
        }

        return indexes;
    }
}

/// <summary>What a spool record says about its remote-write request.</summary>
/// <param name="ReceivedAt">The collector's clock when it came.</param>
/// <param name="Sender">Whom the token belonged to.</param>
/// <param name="Verdict">What of it is left out.</param>
internal readonly record struct WriteHead(UnixMillis ReceivedAt, string Sender, WriteVerdict Verdict);
