using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Lm.Protocol.Wire;

namespace Lm.Protocol.Decoding;

/// <summary>Reads series that follow each other in the form a heartbeat has them in: labels, type, perhaps unit and help text, then one time
/// and one value, which are its last thirteen bytes. A batch has hundreds of them, and most of its time would go into their fields.</summary>
/// <remarks>It takes a series or leaves it: whatever else there may be, another order, other lengths, the smallest doubt or fault, is
/// left untouched to <see cref="SeriesReader"/>, which takes this form too and alone says what is wrong. So this may be strict without
/// refusing anything, and may not be lax: what it takes, <see cref="SeriesReader"/> must read in the same way.</remarks>
internal ref struct SeriesRun
{
    // Both fields with their tags and lengths: 2a 01 and a time difference of one byte, 32 08 and a double.
    private const int SampleLength = 2 + 1 + 2 + sizeof(double);

    // Its first five bytes as a little-endian number, the time difference aside but for its top bit.
    private const ulong SampleMask = 0xff_ff80_ffff;
    private const ulong SampleForm = ((ulong)sizeof(double) << 32) | (Tag.SeriesValues << 24) | (1 << 8) | Tag.SeriesTimeDeltas;

    private readonly DecodedBatch batch;
    private readonly Limits limits;
    private readonly int referencesMax;
    private readonly ReadOnlySpan<byte> payload;
    private readonly Span<SymbolTable.Symbol> symbols;
    private LabelWord labels;

    private SeriesRun(in DecodeContext context)
    {
        (batch, limits, referencesMax) = (context.Batch, context.Limits, context.ReferencesMax);
        payload = context.Payload;
        symbols = context.Batch.Symbols.All;
        labels = new LabelWord(symbols.Length);
    }

    /// <summary>Reads as many as it can, none perhaps, and leaves <paramref name="reader"/> before the first field it leaves.</summary>
    public static void Read(in DecodeContext context, ref WireReader reader)
    {
        if (!reader.AtEnd && context.Payload[reader.Position] == Tag.BatchSeries)
        {
            var run = new SeriesRun(context);
            reader.MoveTo(run.ReadFrom(reader.Position));
        }
    }

    private int ReadFrom(int at)
    {
        while (at + 1 < payload.Length && payload[at] == Tag.BatchSeries)
        {
            int length = payload[at + 1];
            if (length >= 0x80 || length > payload.Length - at - 2 || !TryReadOne(payload.Slice(at + 2, length)))
            {
                break;
            }

            at += 2 + length;
        }

        return at;
    }

    private bool TryReadOne(ReadOnlySpan<byte> series)
    {
        var rest = series.Length - 2 - SampleLength;
        if (rest < 0 || series[0] != Tag.SeriesLabels || series[1] > rest)
        {
            return false;
        }

        int labelLength = series[1];
        var sample = series[^SampleLength..];
        if ((BinaryPrimitives.ReadUInt64LittleEndian(sample) & SampleMask) != SampleForm
            || !TryReadDescription(series.Slice(2 + labelLength, rest - labelLength), out var type, out var unit, out var help)
            || !TryReadLabels(series, labelLength, out var labelCount))
        {
            return false;
        }

        var time = batch.CollectedAt.Value + ((sample[2] >> 1) ^ -(sample[2] & 1));
        if (time is < PackedFields.TimeMin or > PackedFields.TimeMax || batch.SampleCount >= limits.SamplesPerBatchMax)
        {
            return false;
        }

        batch.SeriesList.Add(
            new DecodedSeries
            {
                Type = type <= (uint)MetricType.Info ? (MetricType)type : MetricType.Unknown,
                Unit = unit,
                Help = help,
                LabelStart = batch.LabelReferences.Count,
                LabelCount = labelCount,
                SampleStart = batch.SampleTimes.Count,
                SampleCount = 1,
                HistogramStart = batch.HistogramList.Count,
            },
            limits.SeriesPerBatchMax);
        batch.LabelReferences.Take(labelCount);
        batch.SampleTimes.Add(time, limits.SamplesPerBatchMax);
        batch.SampleValues.Add(BinaryPrimitives.ReadDoubleLittleEndian(sample[5..]), limits.SamplesPerBatchMax);
        batch.NoteTime(time);
        batch.NoteLabels(labelCount / 2);
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly bool TryReadDescription(ReadOnlySpan<byte> fields, out uint type, out uint unit, out uint help)
    {
        if (fields.Length == 2 && fields[0] == Tag.SeriesType && fields[1] < 0x80)
        {
            type = fields[1];
            unit = help = 0;
            return true;
        }

        return TryReadLongDescription(fields, out type, out unit, out help);
    }

    private readonly bool TryReadLongDescription(ReadOnlySpan<byte> fields, out uint type, out uint unit, out uint help)
    {
        type = unit = help = 0;
        for (var reader = new WireReader(fields, 0, fields.Length); !reader.AtEnd;)
        {
            if (!reader.TryReadTag(out var tag) || !reader.TryReadUInt32(out var number))
            {
                return false;
            }

            switch (tag)
            {
                case Tag.SeriesType:
                    type = number;
                    break;
                case Tag.SeriesUnit:
                    unit = number;
                    break;
                case Tag.SeriesHelp:
                    help = number;
                    break;
                default:
                    return false;
            }
        }

        return Math.Max(unit, help) < (uint)symbols.Length;
    }

    // Into the room behind the references of other records, of which they are taken only when the whole series is.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool TryReadLabels(ReadOnlySpan<byte> series, int length, out int count)
    {
        // The sample behind them has more than the eight bytes that are read here.
        var word = BinaryPrimitives.ReadUInt64LittleEndian(series[2..]);
        if (!LabelWord.TryTake(ref word, length) || batch.LabelReferences.Count > referencesMax - LabelWord.ReferencesMax)
        {
            return TryReadManyLabels(series.Slice(2, length), out count);
        }

        count = length;
        var room = batch.LabelReferences.Reserve(LabelWord.ReferencesMax, referencesMax);
        LabelWord.Widen(word, room);
        if (labels.HasSameNames(word, length) && (labels.HasSameMetric(word) || IsMetricName(room[1])))
        {
            return true;
        }

        if (!TryCheck(room[..length]))
        {
            return false;
        }

        // A first label of another name is fine, but not what the shorter check above goes by.
        labels.Remember(word, SymbolTable.IsLabelName(payload, ref symbols[(int)room[0]], out var isFirst) && isFirst ? length : 0);
        return true;
    }

    private readonly bool IsMetricName(uint reference) => SymbolTable.IsMetricName(payload, ref symbols[(int)reference]);

    private readonly bool TryReadManyLabels(ReadOnlySpan<byte> run, out int count)
    {
        count = 0;
        if (run.Length > referencesMax - batch.LabelReferences.Count)
        {
            return false;
        }

        var room = batch.LabelReferences.Reserve(run.Length, referencesMax);
        for (var values = new WireReader(run, 0, run.Length); !values.AtEnd; count++)
        {
            if (!values.TryReadUInt32(out var reference))
            {
                return false;
            }

            room[count] = reference;
        }

        return TryCheck(room[..count]);
    }

    private readonly bool TryCheck(ReadOnlySpan<uint> references)
    {
        var set = batch.Symbols.BeginSet();
        var isNamed = false;
        for (var i = 0; i + 1 < references.Length; i += 2)
        {
            var name = references[i];
            var value = references[i + 1];
            if (name >= (uint)symbols.Length || value >= (uint)symbols.Length || value == 0)
            {
                return false;
            }

            ref var symbol = ref symbols[(int)name];
            if (symbol.Set == set || !SymbolTable.IsLabelName(payload, ref symbol, out var isMetricName)
                || (isMetricName && !IsMetricName(value)))
            {
                return false;
            }

            symbol.Set = set;
            isNamed |= isMetricName;
        }

        return isNamed && references.Length % 2 == 0;
    }

    /// <summary>One to four labels whose references have a byte each, as one little-endian number: name, value, name, value, … And what
    /// was found right of the series before: series of one metric have the same names, and usually stand together.</summary>
    private struct LabelWord(int symbolCount)
    {
        public const int ReferencesMax = sizeof(ulong);
        private const ulong TopBits = 0x8080_8080_8080_8080;
        private const ulong NameBytes = 0x00ff_00ff_00ff_00ff;
        private const ulong ValueOnes = 0x0100_0100_0100_0100;

        // Added to each byte, it sets the top bit of those that are no symbol's number. Of 128 symbols or more every byte is one's.
        private readonly ulong toTopBit = (ulong)Math.Max(0x80 - symbolCount, 0) * 0x0101_0101_0101_0101;
        private ulong before;
        private int lengthBefore;

        /// <summary>Leaves the bytes of the labels alone; false where they are none, too many, unpaired or longer than a byte each.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static bool TryTake(ref ulong word, int length)
        {
            if (length is 0 or > ReferencesMax || length % 2 != 0)
            {
                return false;
            }

            word &= ulong.MaxValue >> (8 * (ReferencesMax - length));
            return (word & TopBits) == 0;
        }

        /// <summary>Writes eight references, zeros behind the last.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Widen(ulong word, Span<uint> room)
        {
            var (lower, upper) = Vector128.Widen(Vector128.WidenLower(Vector128.CreateScalar(word).AsByte()));
            lower.CopyTo(room);
            upper.CopyTo(room[Vector128<uint>.Count..]);
        }

        /// <summary>Whether the names are those that were right before, and the values symbols that are not empty.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly bool HasSameNames(ulong word, int length)
        {
            // A byte above 0 and below 0x80 gets its top bit from 0x7f more.
            var values = ValueOnes & (ulong.MaxValue >> (8 * (ReferencesMax - length)));
            return length == lengthBefore && ((word ^ before) & NameBytes) == 0
                && ((word + toTopBit) & TopBits) == 0
                && ((word + (values * 0x7f)) & (values << 7)) == values << 7;
        }

        /// <summary>Whether the first label has the value that was right before; asked only when <see cref="HasSameNames"/>.</summary>
        public readonly bool HasSameMetric(ulong word) => ((word ^ before) & 0xff00) == 0;

        /// <summary>Remembers labels that are right, the first of them <c>__name__</c>; none for length 0.</summary>
        public void Remember(ulong word, int length) => (before, lengthBefore) = (word, length);
    }
}
