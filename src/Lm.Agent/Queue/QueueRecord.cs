using System.Buffers.Binary;
using System.Text;
using Lm.Platform;
using Lm.Platform.Files;
using Lm.Protocol;

namespace Lm.Agent.Queue;

/// <summary>What stands in front of a frame, or alone, in one record of the queue's journal.</summary>
/// <remarks>
/// Format: docs/formats/queue.md. Every record carries what changed since the one before it, so that one sync makes both durable:
/// totals that may be read twice, and the batches done with since. A record never says less than was true when it was written.
/// </remarks>
internal sealed record QueueRecord
{
    /// <summary>What the record is.</summary>
    public required QueueRecordKind Kind { get; init; }

    /// <summary>The batch; for other kinds the current generation and the next sequence number.</summary>
    public required BatchNumber Number { get; init; }

    /// <summary>When the batch was collected.</summary>
    public UnixMillis CollectedAt { get; init; }

    /// <summary>The batch that this one takes the place of, or null.</summary>
    public BatchNumber? Replaces { get; init; }

    /// <summary>Segments before this number are dropped, whether they are still there or not.</summary>
    public uint DropBefore { get; init; }

    /// <summary>The totals.</summary>
    public QueueCounters Counters { get; init; }

    /// <summary>Batches done with since the record before; all of them in a <see cref="QueueRecordKind.Snapshot"/>.</summary>
    public BatchSet Done { get; init; } = new();

    /// <summary>Tail offsets that changed with this record; all of them in a <see cref="QueueRecordKind.Snapshot"/>.</summary>
    public IReadOnlyList<TailOffset> Tails { get; init; } = [];

    /// <summary>The queue id from this record on; in a snapshot and a <see cref="QueueRecordKind.NewQueueId"/>.</summary>
    public QueueId QueueId { get; init; }

    /// <summary>Where the queue stands; in a snapshot and a <see cref="QueueRecordKind.NewQueueId"/>.</summary>
    public QueueIdentity? Identity { get; init; }
}

/// <summary>What a record of the queue is.</summary>
internal enum QueueRecordKind
{
    /// <summary>A batch: a frame follows.</summary>
    Batch = 1,

    /// <summary>Batches done with, totals and tail offsets, without a batch.</summary>
    Progress = 2,

    /// <summary>A new queue id: what is not done with of earlier generations is to be queued again under it.</summary>
    NewQueueId = 3,

    /// <summary>The whole state, as each segment's preamble.</summary>
    Snapshot = 4,
}

/// <summary>The bytes of <see cref="QueueRecord"/>.</summary>
internal static class QueueRecordCodec
{
    /// <summary>The format's version.</summary>
    public const byte Version = 1;

    // Fixed part, range, identity: see docs/formats/queue.md.
    private const int FixedSize = 100;
    private const int RangeSize = 20;
    private const int IdentitySize = 52;

    // Two totals that records have only once they are not both 0, or with tail offsets, which programs that know nothing of them would take for
    // these totals. They stand in front of the identity.
    private const int LateTotalsSize = 16;

    /// <summary>The record's bytes without the frame.</summary>
    public static byte[] Encode(QueueRecord record)
    {
        var agentId = Encoding.UTF8.GetBytes(record.Identity?.AgentId ?? "");
        var identitySize = record.Identity is null ? 0 : IdentitySize + agentId.Length;
        var hasLateTotals = (record.Counters.RejectedDeleted | record.Counters.RejectedDeletedReported) != 0 || record.Tails.Count > 0;
        var lateTotalsSize = hasLateTotals ? LateTotalsSize : 0;
        var rangesSize = RangeSize * record.Done.RangeCount;
        var bytes = new byte[FixedSize + rangesSize + TailOffsetCodec.SizeOf(record.Tails) + lateTotalsSize + identitySize];
        var to = bytes.AsSpan();
        to[0] = Version;
        to[1] = (byte)record.Kind;
        BinaryPrimitives.WriteUInt16LittleEndian(to[2..], checked((ushort)record.Tails.Count));
        BinaryPrimitives.WriteUInt32LittleEndian(to[4..], (uint)bytes.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(to[8..], record.Number.Generation);
        BinaryPrimitives.WriteUInt64LittleEndian(to[12..], record.Number.Sequence);
        BinaryPrimitives.WriteInt64LittleEndian(to[20..], record.CollectedAt.Value);
        BinaryPrimitives.WriteUInt32LittleEndian(to[28..], record.Replaces?.Generation ?? 0);
        BinaryPrimitives.WriteUInt64LittleEndian(to[32..], record.Replaces?.Sequence ?? 0);
        BinaryPrimitives.WriteUInt32LittleEndian(to[40..], record.DropBefore);
        BinaryPrimitives.WriteUInt64LittleEndian(to[44..], record.Counters.Dropped);
        BinaryPrimitives.WriteUInt64LittleEndian(to[52..], record.Counters.Lost);
        BinaryPrimitives.WriteUInt64LittleEndian(to[60..], record.Counters.Rejected);
        BinaryPrimitives.WriteUInt64LittleEndian(to[68..], record.Counters.DroppedReported);
        BinaryPrimitives.WriteUInt64LittleEndian(to[76..], record.Counters.LostReported);
        BinaryPrimitives.WriteUInt64LittleEndian(to[84..], record.Counters.RejectedReported);
        BinaryPrimitives.WriteUInt32LittleEndian(to[92..], (uint)record.Done.RangeCount);
        BinaryPrimitives.WriteUInt32LittleEndian(to[96..], (uint)identitySize);
        EncodeRanges(to[FixedSize..], record.Done);
        var tails = to[(FixedSize + rangesSize)..];
        for (var i = 0; i < record.Tails.Count; i++)
        {
            tails = TailOffsetCodec.Write(tails, record.Tails[i]);
        }

        if (lateTotalsSize > 0)
        {
            var totals = to[^(identitySize + LateTotalsSize)..];
            BinaryPrimitives.WriteUInt64LittleEndian(totals, record.Counters.RejectedDeleted);
            BinaryPrimitives.WriteUInt64LittleEndian(totals[8..], record.Counters.RejectedDeletedReported);
        }

        if (record.Identity is { } identity)
        {
            EncodeIdentity(to[^identitySize..], record.QueueId, identity, agentId);
        }

        return bytes;
    }

    /// <summary>Reads a record.</summary>
    /// <param name="payload">A journal record's payload.</param>
    /// <param name="record">What it says.</param>
    /// <param name="frame">The frame behind it; empty for kinds other than a batch.</param>
    /// <returns>False when the bytes are not a record of this version.</returns>
    public static bool TryDecode(ReadOnlyMemory<byte> payload, out QueueRecord record, out ReadOnlyMemory<byte> frame)
    {
        var from = payload.Span;
        record = Nothing;
        frame = default;
        if (from.Length < FixedSize || from[0] != Version || from[1] is < 1 or > (byte)QueueRecordKind.Snapshot)
        {
            return false;
        }

        var length = BinaryPrimitives.ReadUInt32LittleEndian(from[4..]);
        var ranges = BinaryPrimitives.ReadUInt32LittleEndian(from[92..]);
        var identitySize = BinaryPrimitives.ReadUInt32LittleEndian(from[96..]);
        if (length > from.Length || length < FixedSize + ((long)RangeSize * ranges) + identitySize || identitySize is > 0 and < IdentitySize)
        {
            return false;
        }

        var kind = (QueueRecordKind)from[1];
        var replaces = new BatchNumber(BinaryPrimitives.ReadUInt32LittleEndian(from[28..]), BinaryPrimitives.ReadUInt64LittleEndian(from[32..]));
        var behindRanges = FixedSize + (RangeSize * (int)ranges);
        if (!TryDecodeRanges(from[FixedSize..behindRanges], out var done)
            || !TailOffsetCodec.TryRead(from[behindRanges..(int)(length - identitySize)], BinaryPrimitives.ReadUInt16LittleEndian(from[2..]), out var tails, out var tailsSize)
            || (identitySize == 0 && kind is QueueRecordKind.Snapshot or QueueRecordKind.NewQueueId))
        {
            return false;
        }

        record = new QueueRecord
        {
            Kind = kind,
            Number = new BatchNumber(BinaryPrimitives.ReadUInt32LittleEndian(from[8..]), BinaryPrimitives.ReadUInt64LittleEndian(from[12..])),
            CollectedAt = new UnixMillis(BinaryPrimitives.ReadInt64LittleEndian(from[20..])),
            Replaces = replaces == default ? null : replaces,
            DropBefore = BinaryPrimitives.ReadUInt32LittleEndian(from[40..]),
            Counters = DecodeCounters(from[44..92], from[(behindRanges + tailsSize)..(int)(length - identitySize)]),
            Done = done,
            Tails = tails,
        };
        if (identitySize > 0)
        {
            var identity = from.Slice((int)(length - identitySize), (int)identitySize);
            record = record with { QueueId = new QueueId(BinaryPrimitives.ReadUInt128BigEndian(identity)), Identity = DecodeIdentity(identity) };
        }

        frame = kind == QueueRecordKind.Batch ? payload[(int)length..] : default;
        return true;
    }

    private static QueueRecord Nothing { get; } = new() { Kind = QueueRecordKind.Progress, Number = default };

    private static void EncodeRanges(Span<byte> to, BatchSet done)
    {
        foreach (var (generation, sequences) in done.Generations)
        {
            foreach (var range in sequences.Ranges)
            {
                BinaryPrimitives.WriteUInt32LittleEndian(to, generation);
                BinaryPrimitives.WriteUInt64LittleEndian(to[4..], range.Start);
                BinaryPrimitives.WriteUInt64LittleEndian(to[12..], range.End);
                to = to[RangeSize..];
            }
        }
    }

    private static bool TryDecodeRanges(ReadOnlySpan<byte> from, out BatchSet done)
    {
        done = new BatchSet();
        for (; !from.IsEmpty; from = from[RangeSize..])
        {
            var range = new SequenceRange(BinaryPrimitives.ReadUInt64LittleEndian(from[4..]), BinaryPrimitives.ReadUInt64LittleEndian(from[12..]));
            if (range.Start == 0 || range.End < range.Start)
            {
                return false;
            }

            done.Of(BinaryPrimitives.ReadUInt32LittleEndian(from)).Add(range);
        }

        return true;
    }

    private static QueueCounters DecodeCounters(ReadOnlySpan<byte> from, ReadOnlySpan<byte> late) => new()
    {
        Dropped = BinaryPrimitives.ReadUInt64LittleEndian(from),
        Lost = BinaryPrimitives.ReadUInt64LittleEndian(from[8..]),
        Rejected = BinaryPrimitives.ReadUInt64LittleEndian(from[16..]),
        DroppedReported = BinaryPrimitives.ReadUInt64LittleEndian(from[24..]),
        LostReported = BinaryPrimitives.ReadUInt64LittleEndian(from[32..]),
        RejectedReported = BinaryPrimitives.ReadUInt64LittleEndian(from[40..]),
        RejectedDeleted = late.Length < LateTotalsSize ? 0 : BinaryPrimitives.ReadUInt64LittleEndian(late[^LateTotalsSize..]),
        RejectedDeletedReported = late.Length < LateTotalsSize ? 0 : BinaryPrimitives.ReadUInt64LittleEndian(late[^8..]),
    };

    private static void EncodeIdentity(Span<byte> to, QueueId queueId, QueueIdentity identity, ReadOnlySpan<byte> agentId)
    {
        BinaryPrimitives.WriteUInt128BigEndian(to, queueId.Value);
        BinaryPrimitives.WriteUInt128BigEndian(to[16..], identity.MachineId);
        BinaryPrimitives.WriteUInt64LittleEndian(to[32..], identity.Directory.Device);
        BinaryPrimitives.WriteUInt64LittleEndian(to[40..], identity.Directory.Inode);
        BinaryPrimitives.WriteUInt32LittleEndian(to[48..], (uint)agentId.Length);
        agentId.CopyTo(to[IdentitySize..]);
    }

    private static QueueIdentity DecodeIdentity(ReadOnlySpan<byte> from) => new(
        Encoding.UTF8.GetString(from[IdentitySize..]),
        BinaryPrimitives.ReadUInt128BigEndian(from[16..]),
        new FileIdentity(BinaryPrimitives.ReadUInt64LittleEndian(from[32..]), BinaryPrimitives.ReadUInt64LittleEndian(from[40..])));
}
