using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using Lm.Collector.Spool;
using Lm.Journal;
using Lm.ObjectStore;
using Lm.Platform;
using Lm.Protocol;
using Lm.Protocol.Framing;

namespace Lm.Collector.Landing;

/// <summary>Records of the spool that follow each other, as the raw object that they become. Its bytes are read from the spool's segments when they are needed: memory is that of
/// its manifest.</summary>
/// <remarks>The bytes are a function of the spool, the first place and the last: whoever makes the object again, after a crash or on another day, makes the same.</remarks>
internal sealed class RawGroup : ObjectContent, IDisposable
{
    /// <summary>The most records of one object.</summary>
    public const int RecordsMax = 1 << 18;

    private const int BodyStartOffset = 4;
    private const int ReceivedAtOffset = 8;
    private const byte BatchKind = 1;

    private readonly PayloadReader payloads;
    private readonly byte[] header = RawManifest.Header();
    private readonly byte[] tail;

    private RawGroup(RawManifest manifest, PayloadReader payloads, byte[] tail, byte[] hash)
    {
        (Manifest, this.payloads, this.tail, Hash) = (manifest, payloads, tail, hash);
    }

    /// <summary>What it holds.</summary>
    public RawManifest Manifest { get; }

    /// <summary>SHA-256 of all but the trailer, as the trailer has it.</summary>
    public ReadOnlyMemory<byte> Hash { get; }

    /// <inheritdoc/>
    public override long Length => TailStart + tail.Length;

    private long TailStart => Manifest.Records[^1].Offset + Manifest.Records[^1].Size;

    /// <summary>Gathers what stands in the spool from a place on.</summary>
    /// <param name="spool">The spool.</param>
    /// <param name="collector">The collector's name.</param>
    /// <param name="span">From where, as the object is to say, and up to where.</param>
    /// <param name="sizeMax">Bytes of records; one alone may have more.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Null when there is no record.</returns>
    /// <exception cref="IOException">The spool cannot be read, or a segment went meanwhile.</exception>
    public static RawGroup? Gather(BatchSpool spool, string collector, RawSpan span, long sizeMax, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(RawManifest.Header());
        var gathering = new Gathering();
        foreach (var record in spool.Read(span.Start))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (record.Position >= span.End || gathering.IsFull(record.Payload.Length, sizeMax))
            {
                break;
            }

            if (!record.IsPreamble)
            {
                gathering.Add(record);
                hash.AppendData(record.Payload.Span);
            }
        }

        if (gathering.Entries.Count == 0)
        {
            return null;
        }

        var manifest = gathering.ToManifest(collector, spool.Incarnation, span.From);
        var written = new ArrayBufferWriter<byte>();
        manifest.Write(written);
        hash.AppendData(written.WrittenSpan);
        var digest = hash.GetHashAndReset();
        var trailer = new RawTrailer(gathering.NextOffset, written.WrittenCount, digest).ToBytes();
        return new RawGroup(manifest, spool.OpenPayloads(), [.. written.WrittenSpan, .. trailer], digest);
    }

    /// <summary>When a record of the spool came; null when it is too short to say. All kinds have it at the same place.</summary>
    public static UnixMillis? ReceivedAt(ReadOnlySpan<byte> record) =>
        record.Length >= ReceivedAtOffset + sizeof(long) ? new UnixMillis(BinaryPrimitives.ReadInt64LittleEndian(record[ReceivedAtOffset..])) : null;

    /// <inheritdoc/>
    public override int Read(long offset, Span<byte> buffer)
    {
        var done = 0;
        while (done < buffer.Length && offset + done < Length)
        {
            done += ReadSome(offset + done, buffer[done..]);
        }

        return done;
    }

    /// <inheritdoc/>
    public void Dispose() => payloads.Dispose();

    // From one of its parts: the header, one record, or the tail.
    private int ReadSome(long offset, Span<byte> buffer)
    {
        if (offset < RawManifest.HeaderSize)
        {
            return Copy(header.AsSpan((int)offset), buffer);
        }

        if (offset >= TailStart)
        {
            return Copy(tail.AsSpan((int)(offset - TailStart)), buffer);
        }

        var entry = Manifest.Records[IndexAt(offset)];
        var start = (int)(offset - entry.Offset);
        var count = Math.Min(buffer.Length, entry.Size - start);
        payloads.Read(entry.Position, start, buffer[..count]);
        return count;
    }

    private int IndexAt(long offset)
    {
        var (low, high) = (0, Manifest.Records.Count - 1);
        while (low < high)
        {
            var middle = low + ((high - low + 1) / 2);
            (low, high) = Manifest.Records[middle].Offset <= offset ? (middle, high) : (low, middle - 1);
        }

        return low;
    }

    private static int Copy(ReadOnlySpan<byte> source, Span<byte> target)
    {
        var count = Math.Min(source.Length, target.Length);
        source[..count].CopyTo(target);
        return count;
    }

    private sealed class Gathering
    {
        private readonly SortedDictionary<(string Agent, UInt128 Queue), SequenceSet> queues = new(QueueOrder.Instance);
        private readonly DecodedBatch batch = new();
        private byte[] payload = [];
        private UnixMillis oldest = new(long.MaxValue);
        private UnixMillis newest = new(long.MinValue);
        private JournalPosition end;

        public List<RawEntry> Entries { get; } = [];

        public long NextOffset { get; private set; } = RawManifest.HeaderSize;

        public bool IsFull(int size, long sizeMax) => Entries.Count > 0 && (Entries.Count == RecordsMax || NextOffset - RawManifest.HeaderSize + size > sizeMax);

        public void Add(in JournalRecord record)
        {
            var bytes = record.Payload.Span;
            var kind = bytes[0];
            var bodyStart = kind is BatchKind or WriteRecord.Kind && bytes.Length >= SpoolRecord.HeadSizeMin
                ? BinaryPrimitives.ReadInt32LittleEndian(bytes[BodyStartOffset..])
                : 0;
            Entries.Add(new RawEntry(record.Position, kind, NextOffset, bytes.Length, bodyStart >= 0 && bodyStart <= bytes.Length ? bodyStart : 0, Crc32C.Compute(bytes))
            {
                IsOnlyHere = kind == BatchKind ? IsOnlyHere(record.Payload) : kind is not (WriteRecord.Kind or UpRecord.Kind),
            });
            NextOffset += bytes.Length;
            end = record.Next;
            if (ReceivedAt(bytes) is { } received)
            {
                (oldest, newest) = (received < oldest ? received : oldest, received > newest ? received : newest);
            }
        }

        public RawManifest ToManifest(string collector, Guid incarnation, JournalPosition from) => new()
        {
            Collector = collector,
            Incarnation = incarnation,
            From = from,
            End = end,
            Oldest = oldest,
            Newest = newest,
            Records = Entries,
            Queues = [.. queues.Select(static queue => new RawQueue(queue.Key.Agent, new QueueId(queue.Key.Queue), queue.Value.Ranges))],
        };

        // Notes the sequences, too. One that cannot be read lands as it is, like all others: it is listed with its place, and its sequences are not known.
        private bool IsOnlyHere(ReadOnlyMemory<byte> record)
        {
            if (SpoolRecord.TryRead(record, out _, out var frameBytes) is not null
                || FrameReader.TryRead(frameBytes.Span, BatchSpoolLimits.BatchBytesMax, out var frame) != FrameStatus.Ok)
            {
                return true;
            }

            if (payload.Length < frame.PayloadLength)
            {
                payload = new byte[frame.PayloadLength];
            }

            if (FrameReader.ReadPayload(frameBytes.Span, frame, payload) != FrameStatus.Ok
                || BatchDecoder.Decode(payload.AsMemory(0, frame.PayloadLength), BatchSpoolLimits.Accepted, batch, out _) != DecodeStatus.Ok)
            {
                return true;
            }

            var key = (batch.Key.AgentId, batch.Key.QueueId.Value);
            if (!queues.TryGetValue(key, out var sequences))
            {
                queues.Add(key, sequences = new SequenceSet());
            }

            sequences.Add(batch.Key.Sequences);
            return batch.Alerts.Length > 0;
        }
    }

    private sealed class QueueOrder : IComparer<(string Agent, UInt128 Queue)>
    {
        public static readonly QueueOrder Instance = new();

        public int Compare((string Agent, UInt128 Queue) x, (string Agent, UInt128 Queue) y)
        {
            var byAgent = string.CompareOrdinal(x.Agent, y.Agent);
            return byAgent != 0 ? byAgent : x.Queue.CompareTo(y.Queue);
        }
    }
}

/// <summary>A stretch of the spool.</summary>
/// <param name="From">Where what the object vouches for begins: where the object before it ended.</param>
/// <param name="Start">Where reading begins: there or behind.</param>
/// <param name="End">Records from here on are left out.</param>
internal readonly record struct RawSpan(JournalPosition From, JournalPosition Start, JournalPosition End);
