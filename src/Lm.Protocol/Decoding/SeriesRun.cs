using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Lm.Protocol.Wire;

namespace Lm.Protocol.Decoding;

/// <summary>Reads series that follow each other in the form a heartbeat has them in: labels, type, perhaps unit and help text, then one time
/// and one value, which are its last thirteen bytes. A batch has hundreds of them, and nearly all of its time goes here.</summary>
/// <remarks>It takes a series or leaves it: whatever else there may be, another order, other lengths, the smallest doubt or fault, is
/// left untouched to <see cref="SeriesReader"/>, which takes this form too and alone says what is wrong. So this may be strict without
/// refusing anything, and may not be lax: what it takes, <see cref="SeriesReader"/> must read in the same way.</remarks>
internal static class SeriesRun
{
    // Both fields with their tags and lengths: 2a 01 and a time difference of one byte, 32 08 and a double.
    private const int SampleLength = 2 + 1 + 2 + sizeof(double);

    /// <summary>Reads as many as it can, none perhaps, and leaves <paramref name="reader"/> before the first field it leaves.</summary>
    public static void Read(in DecodeContext context, ref WireReader reader)
    {
        var payload = context.Payload;
        var at = reader.Position;
        while (at + 1 < payload.Length && payload[at] == Tag.BatchSeries)
        {
            // A length of more than one byte is longer than what is left to the test behind it, or this form's references are many.
            int length = payload[at + 1];
            if (length >= 0x80 || length > payload.Length - at - 2 || !TryReadOne(context, payload.Slice(at + 2, length)))
            {
                break;
            }

            at += 2 + length;
        }

        reader.MoveTo(at);
    }

    private static bool TryReadOne(in DecodeContext context, ReadOnlySpan<byte> series)
    {
        if (series.Length < 2 + SampleLength || series[0] != Tag.SeriesLabels || series[1] > series.Length - 2 - SampleLength)
        {
            return false;
        }

        var labels = series.Slice(2, series[1]);
        var sample = series[^SampleLength..];
        var description = series[(2 + labels.Length)..^SampleLength];
        return TryReadDescription(context, description, out var type, out var unit, out var help)
            && TryReadTime(context, sample, out var time)
            && TryReadLabels(context, labels, out var labelCount)
            && Add(context, new Description(type, unit, help), labelCount, time, BinaryPrimitives.ReadDoubleLittleEndian(sample[5..]));
    }

    private static bool TryReadDescription(in DecodeContext context, ReadOnlySpan<byte> fields, out uint type, out uint unit, out uint help)
    {
        type = unit = help = 0;
        for (var at = 0; at < fields.Length;)
        {
            var tag = fields[at++];
            if (!TryReadNumber(fields, ref at, out var number))
            {
                return false;
            }

            switch (tag)
            {
                case (byte)Tag.SeriesType:
                    type = number;
                    break;
                case (byte)Tag.SeriesUnit:
                    unit = number;
                    break;
                case (byte)Tag.SeriesHelp:
                    help = number;
                    break;
                default:
                    return false;
            }
        }

        return Math.Max(unit, help) < (uint)context.Batch.Symbols.Count;
    }

    private static bool TryReadTime(in DecodeContext context, ReadOnlySpan<byte> sample, out long time)
    {
        int raw = sample[2];
        time = context.Batch.CollectedAt.Value + ((raw >> 1) ^ -(raw & 1));
        return sample[0] == Tag.SeriesTimeDeltas && sample[1] == 1 && raw < 0x80
            && sample[3] == Tag.SeriesValues && sample[4] == sizeof(double)
            && time is >= PackedFields.TimeMin and <= PackedFields.TimeMax;
    }

    // Into the room behind the references of other records; they are taken only when the whole series is.
    private static bool TryReadLabels(in DecodeContext context, ReadOnlySpan<byte> run, out int count)
    {
        count = 0;
        var batch = context.Batch;
        if (run.Length > context.ReferencesMax - batch.LabelReferences.Count)
        {
            return false;
        }

        var room = batch.LabelReferences.Reserve(run.Length, context.ReferencesMax);
        var table = batch.Symbols;
        var symbols = table.All;
        var set = table.BeginSet();
        var isNamed = false;
        for (var at = 0; at < run.Length; count += 2)
        {
            if (!TryReadNumber(run, ref at, out var name) || !TryReadNumber(run, ref at, out var value)
                || name >= (uint)symbols.Length || value >= (uint)symbols.Length || value == 0)
            {
                return false;
            }

            ref var symbol = ref symbols[(int)name];
            if (symbol.Set == set || !SymbolTable.IsLabelName(context.Payload, ref symbol, out var isMetricName)
                || (isMetricName && !SymbolTable.IsMetricName(context.Payload, ref symbols[(int)value])))
            {
                return false;
            }

            symbol.Set = set;
            isNamed |= isMetricName;
            room[count] = name;
            room[count + 1] = value;
        }

        return isNamed;
    }

    private static bool Add(in DecodeContext context, in Description description, int labelCount, long time, double value)
    {
        var batch = context.Batch;
        var limits = context.Limits;
        if (batch.SampleCount >= limits.SamplesPerBatchMax)
        {
            return false;
        }

        batch.SeriesList.Add(
            new DecodedSeries
            {
                Type = description.Type <= (uint)MetricType.Info ? (MetricType)description.Type : MetricType.Unknown,
                Unit = description.Unit,
                Help = description.Help,
                LabelStart = batch.LabelReferences.Count,
                LabelCount = labelCount,
                SampleStart = batch.SampleTimes.Count,
                SampleCount = 1,
                HistogramStart = batch.HistogramList.Count,
            },
            limits.SeriesPerBatchMax);
        batch.LabelReferences.Take(labelCount);
        batch.SampleTimes.Add(time, limits.SamplesPerBatchMax);
        batch.SampleValues.Add(value, limits.SamplesPerBatchMax);
        batch.NoteTime(time);
        batch.NoteLabels(labelCount / 2);
        return true;
    }

    // Of one or two bytes: up to 16,383, more symbols than a heartbeat has.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool TryReadNumber(ReadOnlySpan<byte> bytes, ref int at, out uint number)
    {
        number = 0;
        if ((uint)at >= (uint)bytes.Length)
        {
            return false;
        }

        number = bytes[at++];
        if (number < 0x80)
        {
            return true;
        }

        if ((uint)at >= (uint)bytes.Length || bytes[at] >= 0x80)
        {
            return false;
        }

        number = (number & 0x7f) | ((uint)bytes[at++] << 7);
        return true;
    }

    private readonly record struct Description(uint Type, uint Unit, uint Help);
}
