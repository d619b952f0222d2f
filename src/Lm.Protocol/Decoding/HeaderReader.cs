using System.Buffers.Binary;
using System.Text.Unicode;
using Lm.Platform;
using Lm.Protocol.Wire;

namespace Lm.Protocol.Decoding;

/// <summary>The first pass over a batch: its key and times, where its symbols lie, and how many records of each kind it has.</summary>
/// <remarks>Two passes, because the fields may stand in any order, and because counts are checked before anything is made for them.</remarks>
internal ref struct HeaderReader
{
    private ReadOnlySpan<byte> agentId;
    private UInt128 queueId;
    private ulong seqStart;
    private ulong seqEnd;
    private ulong collectedAt;
    private uint intervalMs;
    private uint seen;
    private int series;
    private int logs;
    private int alerts;
    private bool hasRecords;

    public static bool TryRead(ref DecodeContext context)
    {
        var header = default(HeaderReader);
        var reader = new WireReader(context.Payload, 0, context.Payload.Length);
        while (header.StepOverRuns(ref context, ref reader))
        {
            if (!reader.TryReadTag(out var tag))
            {
                return context.Unreadable(reader, "a field");
            }

            if (!header.TryReadField(ref context, ref reader, tag))
            {
                return false;
            }

            header.NoteHead(ref context, reader.Position);
        }

        return header.TryCheckCounts(ref context) && header.TryComplete(ref context)
            && (context.Batch.Symbols.Complete(context.Payload) is not { } fault || context.Malformed(fault));
    }

    // Symbols and series stand in long runs, and have lengths of one byte: what TryReadField would do with them, in a small loop.
    private bool StepOverRuns(ref DecodeContext context, ref WireReader reader)
    {
        var payload = context.Payload;
        var at = reader.Position;
        if (at < payload.Length && payload[at] == Tag.BatchSymbols)
        {
            at = context.Batch.Symbols.AddRun(payload, at, context.SymbolsMax);
            NoteHead(ref context, at);
        }

        var count = 0;
        while (at + 1 < payload.Length && payload[at] == Tag.BatchSeries && payload[at + 1] < 0x80 && payload[at + 1] <= payload.Length - at - 2)
        {
            at += 2 + payload[at + 1];
            count++;
        }

        series += count;
        hasRecords |= count > 0;
        reader.MoveTo(at);
        return !reader.AtEnd;
    }

    // Up to here there is nothing for the second pass.
    private readonly void NoteHead(ref DecodeContext context, int end)
    {
        if (!hasRecords)
        {
            context.RecordsStart = end;
        }
    }

    private bool TryReadField(ref DecodeContext context, ref WireReader reader, uint tag)
    {
        switch (tag)
        {
            case Tag.BatchSymbols:
                return TryReadSymbol(ref context, ref reader);
            case Tag.BatchSeries:
                series++;
                return TrySkipRecord(ref context, ref reader, tag);
            case Tag.BatchLogs:
                logs++;
                return TrySkipRecord(ref context, ref reader, tag);
            case Tag.BatchAlerts:
                alerts++;
                return TrySkipRecord(ref context, ref reader, tag);
            case Tag.BatchCommonLabels:
            case Tag.BatchCommonLabel:
                return TrySkipRecord(ref context, ref reader, tag);
            case Tag.BatchAgentId:
            case Tag.BatchQueueId:
            case Tag.BatchSeqStart:
            case Tag.BatchSeqEnd:
            case Tag.BatchCollectedAt:
            case Tag.BatchInterval:
                return TryReadSingle(ref context, ref reader, tag);
            default:
                return context.SkipUnknown(ref reader, tag, Tag.BatchLastNumber);
        }
    }

    private bool TrySkipRecord(ref DecodeContext context, ref WireReader reader, uint tag)
    {
        hasRecords = true;
        return reader.TrySkip(tag) || context.Unreadable(reader, $"field {tag >> 3}");
    }

    private static bool TryReadSymbol(ref DecodeContext context, ref WireReader reader)
    {
        if (!reader.TryReadLengthDelimited(out var start, out var length))
        {
            return context.Unreadable(reader, "a symbol");
        }

        var max = context.SymbolsMax;
        if (context.Batch.Symbols.Count >= max)
        {
            return context.TooMany($"the batch has more than {max} symbols, which is more than its records may refer to");
        }

        context.Batch.Symbols.Add(start, length, max);
        return true;
    }

    private bool TryReadSingle(ref DecodeContext context, ref WireReader reader, uint tag)
    {
        // Protobuf takes the last of several; a batch is known by these fields, and two readers must not know it by different ones.
        var number = (int)(tag >> 3);
        if ((seen & (1u << number)) != 0)
        {
            return context.Malformed($"field {number} appears twice");
        }

        seen |= 1u << number;
        var read = tag switch
        {
            Tag.BatchAgentId => TryReadAgentId(ref context, ref reader),
            Tag.BatchQueueId => TryReadQueueId(ref context, ref reader),
            Tag.BatchSeqStart => reader.TryReadVarint(out seqStart),
            Tag.BatchSeqEnd => reader.TryReadVarint(out seqEnd),
            Tag.BatchCollectedAt => reader.TryReadVarint(out collectedAt),
            _ => reader.TryReadUInt32(out intervalMs),
        };
        return read || (context.Status == DecodeStatus.Ok ? context.Unreadable(reader, $"field {number}") : read);
    }

    private bool TryReadAgentId(ref DecodeContext context, ref WireReader reader)
    {
        if (!reader.TryReadLengthDelimited(out var start, out var length))
        {
            return false;
        }

        agentId = context.Payload.Slice(start, length);
        return length <= Limits.AgentIdBytesMax
            || context.Malformed($"agent_id has {length} bytes; it has at most {Limits.AgentIdBytesMax}");
    }

    private bool TryReadQueueId(ref DecodeContext context, ref WireReader reader)
    {
        if (!reader.TryReadLengthDelimited(out var start, out var length))
        {
            return false;
        }

        if (length != 16)
        {
            return context.Malformed($"queue_id has {length} bytes; it has 16");
        }

        queueId = BinaryPrimitives.ReadUInt128BigEndian(context.Payload[start..]);
        return true;
    }

    private readonly bool TryCheckCounts(ref DecodeContext context)
    {
        var limits = context.Limits;
        if (series > limits.SeriesPerBatchMax)
        {
            return context.TooMany($"the batch has {series} series; max_series_per_batch is {limits.SeriesPerBatchMax}");
        }

        if (logs > limits.LogsPerBatchMax)
        {
            return context.TooMany($"the batch has {logs} log records; max_logs_per_batch is {limits.LogsPerBatchMax}");
        }

        return alerts <= limits.AlertsPerBatchMax
            || context.TooMany($"the batch has {alerts} alert records; max_alerts_per_batch is {limits.AlertsPerBatchMax}");
    }

    private readonly bool TryComplete(ref DecodeContext context)
    {
        if (agentId.IsEmpty || !Utf8.IsValid(agentId))
        {
            return context.Malformed("agent_id is missing, empty, or not valid UTF-8");
        }

        if ((seen & (1u << 2)) == 0)
        {
            return context.Malformed("queue_id is missing");
        }

        if (seqStart == 0 || seqEnd < seqStart)
        {
            return context.Malformed($"the sequences are {seqStart} to {seqEnd}; the first is at least 1, the last not below it");
        }

        if ((long)collectedAt is < PackedFields.TimeMin or > PackedFields.TimeMax)
        {
            return context.Malformed($"collected_at_ms is {(long)collectedAt}, outside the years 1 to 9999");
        }

        if (intervalMs > int.MaxValue)
        {
            return context.Malformed($"interval_ms is {intervalMs}; it is at most {int.MaxValue}");
        }

        var batch = context.Batch;
        batch.Key = new BatchKey(batch.AgentIdOf(agentId), new QueueId(queueId), new SequenceRange(seqStart, seqEnd));
        batch.CollectedAt = new UnixMillis((long)collectedAt);
        batch.IntervalMs = (int)intervalMs;
        return true;
    }
}
