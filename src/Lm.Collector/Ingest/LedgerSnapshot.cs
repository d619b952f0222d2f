using System.Buffers.Binary;
using System.Text;
using Lm.Journal;
using Lm.Platform;
using Lm.Protocol;

namespace Lm.Collector.Ingest;

/// <summary>The file <c>ledger.snapshot</c>: the sequence ledger at one position of the spool. Format: docs/formats/ledger.md.</summary>
internal static class LedgerSnapshot
{
    /// <summary>A snapshot longer than this is not read: 4,096 queues with full memories are 270 MB.</summary>
    public const int SizeMax = 1 << 30;

    private const ushort Version = 1;
    private const int HeaderSize = 48;

    private static ReadOnlySpan<byte> Magic => "LMLEDGR\n"u8;

    /// <summary>The file's bytes.</summary>
    public static byte[] Write(Guid incarnation, JournalPosition covered, Dictionary<string, Dictionary<QueueId, QueueSequences>> agents)
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream, Encoding.UTF8);
        writer.Write(Magic);
        writer.Write(Version);
        writer.Write((ushort)0);
        writer.Write(agents.Values.Sum(queues => queues.Count));
        writer.Write(incarnation.ToByteArray(bigEndian: true));
        writer.Write(covered.Segment);
        writer.Write(0);
        writer.Write(covered.Offset);
        foreach (var (agent, queues) in agents.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            foreach (var (id, queue) in queues.OrderBy(pair => pair.Key.Value))
            {
                WriteQueue(writer, agent, id, queue);
            }
        }

        writer.Flush();
        writer.Write(Crc32C.Compute(stream.GetBuffer().AsSpan(0, (int)stream.Length)));
        writer.Flush();
        return stream.ToArray();
    }

    /// <summary>Reads the file's bytes.</summary>
    /// <returns>Null, or what is wrong; the target is empty then.</returns>
    public static string? TryRead(
        ReadOnlySpan<byte> bytes, Guid incarnation, Dictionary<string, Dictionary<QueueId, QueueSequences>> agents, out JournalPosition covered)
    {
        covered = default;
        if (bytes.Length < HeaderSize + sizeof(uint) || !bytes.StartsWith(Magic))
        {
            return $"it has {bytes.Length} bytes and does not begin as a ledger snapshot";
        }

        var expected = BinaryPrimitives.ReadUInt32LittleEndian(bytes[^sizeof(uint)..]);
        var computed = Crc32C.Compute(bytes[..^sizeof(uint)]);
        if (expected != computed)
        {
            return $"its checksum is {expected:x8}, computed {computed:x8}";
        }

        var version = BinaryPrimitives.ReadUInt16LittleEndian(bytes[8..]);
        if (version != Version)
        {
            return $"its version is {version}; this program reads {Version}";
        }

        if (new Guid(bytes.Slice(16, 16), bigEndian: true) != incarnation)
        {
            return "it belongs to another spool";
        }

        using var reader = new BinaryReader(new MemoryStream(bytes[..^sizeof(uint)].ToArray()), Encoding.UTF8);
        reader.BaseStream.Position = HeaderSize;
        try
        {
            for (var queues = BinaryPrimitives.ReadInt32LittleEndian(bytes[12..]); queues > 0; queues--)
            {
                ReadQueue(reader, agents);
            }
        }
        catch (Exception e) when (e is EndOfStreamException or FormatException or ArgumentException)
        {
            agents.Clear();
            return $"it ends or is wrong within a queue at byte {reader.BaseStream.Position}";
        }

        covered = new JournalPosition(
            BinaryPrimitives.ReadUInt32LittleEndian(bytes[32..]), BinaryPrimitives.ReadInt64LittleEndian(bytes[40..]));
        return null;
    }

    private static void WriteQueue(BinaryWriter writer, string agent, QueueId id, QueueSequences queue)
    {
        var name = Encoding.UTF8.GetBytes(agent);
        writer.Write((ushort)name.Length);
        writer.Write(name);
        Span<byte> number = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(number, id.Value);
        writer.Write(number);
        writer.Write(queue.Floor);
        writer.Write(queue.Gaps);
        writer.Write(queue.LastReceivedAt.Value);
        writer.Write(queue.Accepted.Count);
        foreach (var range in queue.Accepted)
        {
            writer.Write(range.Start);
            writer.Write(range.End);
        }

        var frames = queue.Remembered.OrderBy(frame => frame.Sequence).ToArray();
        writer.Write(frames.Length);
        foreach (var frame in frames)
        {
            writer.Write(frame.Sequence);
            writer.Write(frame.Fingerprint.Checksum);
            writer.Write(frame.Fingerprint.Length);
        }
    }

    private static void ReadQueue(BinaryReader reader, Dictionary<string, Dictionary<QueueId, QueueSequences>> agents)
    {
        var agent = Encoding.UTF8.GetString(reader.ReadBytes(reader.ReadUInt16()));
        var id = new QueueId(BinaryPrimitives.ReadUInt128BigEndian(reader.ReadBytes(16)));
        var (floor, gaps, last) = (reader.ReadUInt64(), reader.ReadUInt64(), new UnixMillis(reader.ReadInt64()));
        var ranges = new List<SequenceRange>();
        for (var count = reader.ReadInt32(); count > 0; count--)
        {
            ranges.Add(new SequenceRange(reader.ReadUInt64(), reader.ReadUInt64()));
        }

        var frames = new List<FrameMemory.Entry>();
        for (var count = reader.ReadInt32(); count > 0; count--)
        {
            frames.Add(new FrameMemory.Entry(reader.ReadUInt64(), new FrameFingerprint(reader.ReadUInt32(), reader.ReadInt32())));
        }

        var queue = new QueueSequences();
        queue.Restore(floor, gaps, last, ranges, frames);
        if (!agents.TryGetValue(agent, out var queues))
        {
            agents.Add(agent, queues = []);
        }

        queues.Add(id, queue);
    }
}
