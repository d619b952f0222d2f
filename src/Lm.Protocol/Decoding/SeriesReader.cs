using Lm.Protocol.Wire;

namespace Lm.Protocol.Decoding;

/// <summary>Reads one <c>Series</c> into the batch's arrays.</summary>
internal static class SeriesReader
{
    public static bool TryRead(ref DecodeContext context, int start, int length)
    {
        var batch = context.Batch;
        var labelStart = batch.LabelReferences.Count;
        var sampleStart = batch.SampleTimes.Count;
        var histogramStart = batch.HistogramList.Count;
        var read = new Fields { Time = batch.CollectedAt.Value, HistogramTime = batch.CollectedAt.Value };
        var reader = new WireReader(context.Payload, start, length);
        while (!reader.AtEnd)
        {
            if (!reader.TryReadTag(out var tag))
            {
                return context.Unreadable(reader, "a field");
            }

            if (!TryReadField(ref context, ref reader, tag, ref read))
            {
                return false;
            }
        }

        return LabelReader.TryCheck(ref context, ref batch.LabelReferences, labelStart, hasMetricName: true)
            && TryComplete(ref context, read, labelStart, sampleStart, histogramStart);
    }

    /// <summary>The metric's name of a series in which a fault was found, as far as it can be read; else empty.</summary>
    public static string NameOf(in DecodeContext context, int start, int length)
    {
        var symbols = context.Batch.Symbols;
        var reader = new WireReader(context.Payload, start, length);
        while (reader.TryReadTag(out var tag))
        {
            if (tag == Tag.SeriesLabels && reader.TryReadLengthDelimited(out var from, out var count))
            {
                var values = new WireReader(context.Payload, from, count);
                while (values.TryReadUInt32(out var name) && values.TryReadUInt32(out var value))
                {
                    if (Math.Max(name, value) < (uint)symbols.Count && symbols.Bytes(context.Payload, name).SequenceEqual("__name__"u8))
                    {
                        return Quote.InBrackets(symbols.Bytes(context.Payload, value));
                    }
                }
            }
            else if (tag == Tag.SeriesLabels || !reader.TrySkip(tag))
            {
                break;
            }
        }

        return "";
    }

    private static bool TryReadField(ref DecodeContext context, ref WireReader reader, uint tag, ref Fields read)
    {
        var batch = context.Batch;
        switch (tag)
        {
            case Tag.SeriesLabels:
            case Tag.SeriesLabel:
                return PackedFields.TryReadReferences(ref context, ref reader, tag == Tag.SeriesLabels, ref batch.LabelReferences);
            case Tag.SeriesTimeDeltas:
            case Tag.SeriesTimeDelta:
                return PackedFields.TryReadTimes(ref context, ref reader, tag == Tag.SeriesTimeDeltas, ref read.Time);
            case Tag.SeriesValues:
            case Tag.SeriesValue:
                return TryReadValues(ref context, ref reader, tag == Tag.SeriesValues);
            case Tag.SeriesHistograms:
                return HistogramReader.TryRead(ref context, ref reader, ref read.HistogramTime);
            case Tag.SeriesType:
                return reader.TryReadUInt32(out read.Type) || context.Unreadable(reader, "the type");
            case Tag.SeriesUnit:
                return reader.TryReadUInt32(out read.Unit) || context.Unreadable(reader, "the unit");
            case Tag.SeriesHelp:
                return reader.TryReadUInt32(out read.Help) || context.Unreadable(reader, "the help text");
            case Tag.SeriesTemporality:
                return reader.TryReadUInt32(out read.Temporality) || context.Unreadable(reader, "the temporality");
            default:
                return context.SkipUnknown(ref reader, tag, Tag.SeriesLastNumber);
        }
    }

    private static bool TryReadValues(ref DecodeContext context, ref WireReader reader, bool isPacked)
    {
        // The message about too many samples needs a count of them all: made only when it is needed.
        if (PackedFields.TryReadDoubles(
            ref context, ref reader, isPacked, ref context.Batch.SampleValues, context.Limits.SamplesPerBatchMax, tooMany: ""))
        {
            return true;
        }

        return context.Status == DecodeStatus.LimitExceeded && PackedFields.TooManySamples(ref context);
    }

    private static bool TryComplete(ref DecodeContext context, in Fields read, int labelStart, int sampleStart, int histogramStart)
    {
        var batch = context.Batch;
        var samples = batch.SampleTimes.Count - sampleStart;
        var histograms = batch.HistogramList.Count - histogramStart;
        if (batch.SampleValues.Count - sampleStart is var values && values != samples)
        {
            return context.Malformed($"{samples} times and {values} values; every sample has both");
        }

        if (samples > 0 && histograms > 0)
        {
            return context.Malformed($"{samples} samples and {histograms} histograms; a series has one kind");
        }

        // Not said, or cumulative; delta, and whatever may come later, cannot be put in order after an outage.
        if (read.Temporality > 1)
        {
            return context.Fail(DecodeStatus.UnsupportedTemporality, $"temporality {read.Temporality}"
                + (read.Temporality == 2 ? " (delta)" : "") + "; only cumulative series are taken, the agent has to accumulate");
        }

        if (Math.Max(read.Unit, read.Help) >= (uint)batch.Symbols.Count)
        {
            return context.Malformed($"unit or help text refers to symbol {Math.Max(read.Unit, read.Help)}; the batch has {batch.Symbols.Count}");
        }

        if (batch.SampleTimes.Count + batch.HistogramList.Count > context.Limits.SamplesPerBatchMax)
        {
            return PackedFields.TooManySamples(ref context);
        }

        batch.NoteLabels((batch.LabelReferences.Count - labelStart) / 2);
        batch.SeriesList.Add(
            new DecodedSeries
            {
                Type = read.Type <= (uint)MetricType.Info ? (MetricType)read.Type : MetricType.Unknown,
                Unit = read.Unit,
                Help = read.Help,
                LabelStart = labelStart,
                LabelCount = batch.LabelReferences.Count - labelStart,
                SampleStart = sampleStart,
                SampleCount = samples,
                HistogramStart = histogramStart,
                HistogramCount = histograms,
            },
            context.Limits.SeriesPerBatchMax);
        return true;
    }

    private ref struct Fields
    {
        public long Time;
        public long HistogramTime;
        public uint Type;
        public uint Unit;
        public uint Help;
        public uint Temporality;
    }
}
