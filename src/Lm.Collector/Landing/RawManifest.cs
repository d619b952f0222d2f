using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Lm.Journal;
using Lm.Platform;
using Lm.Protocol;

namespace Lm.Collector.Landing;

/// <summary>What a raw object holds and vouches for: its footer. Format: docs/formats/raw.md.</summary>
internal sealed record RawManifest
{
    /// <summary>Bytes before the first record.</summary>
    public const int HeaderSize = 16;

    private const ushort Version = 1;
    private const int FixedSize = 96;
    private const int EntrySize = 40;
    private const int QueueSizeMin = 22;
    private const byte OnlyHere = 1; // flag of a record
    private const int RangeSize = 16;

    /// <summary>The collector's name.</summary>
    public required string Collector { get; init; }

    /// <summary>The life of its spool (K12).</summary>
    public required Guid Incarnation { get; init; }

    /// <summary>All records of the spool from here up to <see cref="End"/> are in the object.</summary>
    public required JournalPosition From { get; init; }

    /// <summary>Where the last record ends in the spool.</summary>
    public required JournalPosition End { get; init; }

    /// <summary>The oldest receive time.</summary>
    public required UnixMillis Oldest { get; init; }

    /// <summary>The newest receive time.</summary>
    public required UnixMillis Newest { get; init; }

    /// <summary>The records, in order; one at least.</summary>
    public required IReadOnlyList<RawEntry> Records { get; init; }

    /// <summary>The sequences of the batches among them, by agent and queue.</summary>
    public required IReadOnlyList<RawQueue> Queues { get; init; }

    private static ReadOnlySpan<byte> Magic => "LMRAWOB\n"u8;

    /// <summary>What every raw object begins with.</summary>
    public static byte[] Header()
    {
        var header = new byte[HeaderSize];
        Magic.CopyTo(header);
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(8), Version);
        return header;
    }

    /// <summary>Whether an object begins as one of these.</summary>
    public static bool IsHeader(ReadOnlySpan<byte> header) => header.SequenceEqual(Header());

    /// <summary>Writes the manifest.</summary>
    public void Write(IBufferWriter<byte> output)
    {
        var start = new ArrayBufferWriter<byte>(FixedSize + (Records.Count * EntrySize));
        var head = start.GetSpan(FixedSize)[..FixedSize];
        head.Clear();
        Incarnation.TryWriteBytes(head, bigEndian: true, out _);
        WritePosition(head[16..], From);
        WritePosition(head[32..], Records[0].Position);
        WritePosition(head[48..], End);
        BinaryPrimitives.WriteInt64LittleEndian(head[64..], Oldest.Value);
        BinaryPrimitives.WriteInt64LittleEndian(head[72..], Newest.Value);
        BinaryPrimitives.WriteInt32LittleEndian(head[80..], Records.Count);
        BinaryPrimitives.WriteInt32LittleEndian(head[84..], Queues.Count);
        BinaryPrimitives.WriteInt32LittleEndian(head[88..], Encoding.UTF8.GetByteCount(Collector));
        start.Advance(FixedSize);
        start.Write(Encoding.UTF8.GetBytes(Collector));
        foreach (var record in Records)
        {
            WriteEntry(start.GetSpan(EntrySize)[..EntrySize], record);
            start.Advance(EntrySize);
        }

        foreach (var queue in Queues)
        {
            WriteQueue(start, queue);
        }

        output.Write(start.WrittenSpan);
        BinaryPrimitives.WriteUInt32LittleEndian(output.GetSpan(sizeof(uint)), Crc32C.Compute(start.WrittenSpan));
        output.Advance(sizeof(uint));
    }

    /// <summary>Reads a manifest.</summary>
    /// <param name="bytes">Its bytes.</param>
    /// <param name="recordsEnd">Where the records end in the object.</param>
    /// <param name="manifest">The manifest, when there is nothing wrong.</param>
    /// <returns>Null, or what is wrong.</returns>
    public static string? TryRead(ReadOnlySpan<byte> bytes, long recordsEnd, out RawManifest? manifest)
    {
        manifest = null;
        if (bytes.Length < FixedSize + sizeof(uint))
        {
            return $"its manifest has {bytes.Length} bytes; at least {FixedSize + sizeof(uint)} are expected";
        }

        var (expected, computed) = (BinaryPrimitives.ReadUInt32LittleEndian(bytes[^sizeof(uint)..]), Crc32C.Compute(bytes[..^sizeof(uint)]));
        if (expected != computed)
        {
            return $"its manifest's checksum is {expected:x8}, computed {computed:x8}";
        }

        var rest = bytes[FixedSize..^sizeof(uint)];
        var (records, queues, name) = (BinaryPrimitives.ReadInt32LittleEndian(bytes[80..]), BinaryPrimitives.ReadInt32LittleEndian(bytes[84..]), BinaryPrimitives.ReadInt32LittleEndian(bytes[88..]));
        if (records < 1 || queues < 0 || name < 0 || name + ((long)records * EntrySize) + ((long)queues * QueueSizeMin) > rest.Length)
        {
            return $"its manifest says that it has {records} records, {queues} queues and a name of {name} bytes, in {bytes.Length} bytes";
        }

        var collector = Encoding.UTF8.GetString(rest[..name]);
        rest = rest[name..];
        if (TryReadEntries(ref rest, records, recordsEnd, out var entries) is { } entryFault)
        {
            return entryFault;
        }

        if (TryReadQueues(ref rest, queues, out var found) is { } queueFault)
        {
            return queueFault;
        }

        manifest = new RawManifest
        {
            Collector = collector,
            Incarnation = new Guid(bytes[..16], bigEndian: true),
            From = ReadPosition(bytes[16..]),
            End = ReadPosition(bytes[48..]),
            Oldest = new UnixMillis(BinaryPrimitives.ReadInt64LittleEndian(bytes[64..])),
            Newest = new UnixMillis(BinaryPrimitives.ReadInt64LittleEndian(bytes[72..])),
            Records = entries,
            Queues = found,
        };
        return manifest.From <= entries[0].Position && entries[^1].Position < manifest.End && ReadPosition(bytes[32..]) == entries[0].Position
            ? null
            : $"its manifest covers {manifest.From} to {manifest.End}, and its records stand from {entries[0].Position} to {entries[^1].Position}";
    }

    private static string? TryReadEntries(ref ReadOnlySpan<byte> rest, int count, long recordsEnd, out RawEntry[] entries)
    {
        entries = new RawEntry[count];
        var (at, last) = ((long)HeaderSize, default(JournalPosition));
        for (var i = 0; i < count; i++)
        {
            var entry = ReadEntry(rest);
            if (entry.Offset != at || entry.Size < 1 || entry.BodyStart < 0 || entry.BodyStart > entry.Size || (i > 0 && entry.Position <= last))
            {
                return $"its manifest places record {i} at byte {entry.Offset} with {entry.Size} bytes, behind {last}; byte {at} is expected";
            }

            (entries[i], at, last) = (entry, at + entry.Size, entry.Position);
            rest = rest[EntrySize..];
        }

        return at == recordsEnd ? null : $"its records end at byte {at}, its manifest begins at {recordsEnd}";
    }

    private static string? TryReadQueues(ref ReadOnlySpan<byte> rest, int count, out List<RawQueue> queues)
    {
        queues = new List<RawQueue>(count);
        for (var i = 0; i < count; i++)
        {
            var name = rest.Length < QueueSizeMin ? 0 : BinaryPrimitives.ReadUInt16LittleEndian(rest);
            var ranges = rest.Length < QueueSizeMin + name ? -1 : BinaryPrimitives.ReadInt32LittleEndian(rest[(18 + name)..]);
            if (ranges < 1 || ranges > (rest.Length - QueueSizeMin - name) / RangeSize)
            {
                return $"its manifest ends within queue {i} of {count}";
            }

            var sequences = new SequenceRange[ranges];
            for (var range = 0; range < ranges; range++)
            {
                var place = rest[(QueueSizeMin + name + (range * RangeSize))..];
                sequences[range] = new SequenceRange(BinaryPrimitives.ReadUInt64LittleEndian(place), BinaryPrimitives.ReadUInt64LittleEndian(place[8..]));
            }

            queues.Add(new RawQueue(Encoding.UTF8.GetString(rest.Slice(2, name)), new QueueId(BinaryPrimitives.ReadUInt128BigEndian(rest[(2 + name)..])), sequences));
            rest = rest[(QueueSizeMin + name + (ranges * RangeSize))..];
        }

        return rest.IsEmpty ? null : $"{rest.Length} bytes follow the queues of its manifest";
    }

    private static void WriteEntry(Span<byte> target, in RawEntry entry)
    {
        target.Clear();
        WritePosition(target, entry.Position);
        target[4] = entry.Kind;
        target[5] = entry.IsOnlyHere ? OnlyHere : (byte)0;
        BinaryPrimitives.WriteInt64LittleEndian(target[16..], entry.Offset);
        BinaryPrimitives.WriteInt32LittleEndian(target[24..], entry.Size);
        BinaryPrimitives.WriteInt32LittleEndian(target[28..], entry.BodyStart);
        BinaryPrimitives.WriteUInt32LittleEndian(target[32..], entry.Checksum);
    }

    private static RawEntry ReadEntry(ReadOnlySpan<byte> source) => new(
        ReadPosition(source),
        source[4],
        BinaryPrimitives.ReadInt64LittleEndian(source[16..]),
        BinaryPrimitives.ReadInt32LittleEndian(source[24..]),
        BinaryPrimitives.ReadInt32LittleEndian(source[28..]),
        BinaryPrimitives.ReadUInt32LittleEndian(source[32..]))
    {
        IsOnlyHere = (source[5] & OnlyHere) != 0,
    };

    private static void WriteQueue(ArrayBufferWriter<byte> output, RawQueue queue)
    {
        var name = Encoding.UTF8.GetByteCount(queue.AgentId);
        var size = QueueSizeMin + name + (queue.Sequences.Count * RangeSize);
        var target = output.GetSpan(size)[..size];
        BinaryPrimitives.WriteUInt16LittleEndian(target, checked((ushort)name));
        Encoding.UTF8.GetBytes(queue.AgentId, target[2..]);
        BinaryPrimitives.WriteUInt128BigEndian(target[(2 + name)..], queue.QueueId.Value);
        BinaryPrimitives.WriteInt32LittleEndian(target[(18 + name)..], queue.Sequences.Count);
        for (var i = 0; i < queue.Sequences.Count; i++)
        {
            var place = target[(QueueSizeMin + name + (i * RangeSize))..];
            BinaryPrimitives.WriteUInt64LittleEndian(place, queue.Sequences[i].Start);
            BinaryPrimitives.WriteUInt64LittleEndian(place[8..], queue.Sequences[i].End);
        }

        output.Advance(size);
    }

    private static void WritePosition(Span<byte> target, JournalPosition position)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(target, position.Segment);
        BinaryPrimitives.WriteInt64LittleEndian(target[8..], position.Offset);
    }

    private static JournalPosition ReadPosition(ReadOnlySpan<byte> source) =>
        new(BinaryPrimitives.ReadUInt32LittleEndian(source), BinaryPrimitives.ReadInt64LittleEndian(source[8..]));
}

/// <summary>A record of a raw object.</summary>
/// <param name="Position">Where it stands in the spool: with the incarnation, its LSN.</param>
/// <param name="Kind">What it is, as its first byte says (docs/formats/spool.md).</param>
/// <param name="Offset">Where it begins in the object.</param>
/// <param name="Size">Its bytes.</param>
/// <param name="BodyStart">Where in it the frame or the body of a request begins; 0 when it has none.</param>
/// <param name="Checksum">CRC-32C of its bytes.</param>
internal readonly record struct RawEntry(JournalPosition Position, byte Kind, long Offset, int Size, int BodyStart, uint Checksum)
{
    /// <summary>Whether it holds what no block and no log file will have: alert records, or what cannot be read.</summary>
    public bool IsOnlyHere { get; init; }
}

/// <summary>Sequences of one queue.</summary>
/// <param name="AgentId">Whose.</param>
/// <param name="QueueId">Which queue.</param>
/// <param name="Sequences">The intervals, ascending.</param>
internal sealed record RawQueue(string AgentId, QueueId QueueId, IReadOnlyList<SequenceRange> Sequences);
