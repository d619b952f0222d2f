using System.Runtime.CompilerServices;
using System.Text;
using Lm.Protocol.Wire;

namespace Lm.Protocol.RemoteWrite;

/// <summary>Reads <c>prometheus.WriteRequest</c> (remote write 1.0) in one pass, without a copy and, once its arrays have grown, without an allocation.</summary>
/// <remarks>Labels are checked on the way, because every byte is in hand then; what is wrong with a series is noted on it and stops nothing. Only
/// bytes that are no protobuf end the whole request. Unknown fields are stepped over, as protobuf has it.</remarks>
public static class RemoteWriteDecoder
{
    private static ReadOnlySpan<byte> MetricName => "__name__"u8;

    /// <summary>Decodes a request.</summary>
    /// <param name="payload">Its bytes, decompressed; must stay unchanged while <paramref name="into"/> is in use.</param>
    /// <param name="limits">What it may have.</param>
    /// <param name="into">Takes the result; of no use when that is false.</param>
    /// <param name="fault">Where and why the bytes are not a request.</param>
    public static bool TryDecode(ReadOnlyMemory<byte> payload, WriteLimits limits, DecodedWrite into, out string fault)
    {
        ArgumentNullException.ThrowIfNull(limits);
        ArgumentNullException.ThrowIfNull(into);
        into.Begin(payload);
        var bytes = payload.Span;
        var reader = new WireReader(bytes, 0, bytes.Length);
        while (!reader.AtEnd)
        {
            var at = reader.Position;
            if (!reader.TryReadTag(out var tag))
            {
                return Fail("a field", at, bytes, out fault);
            }

            switch (tag)
            {
                case WriteTag.RequestSeries:
                    if (!reader.TryReadLengthDelimited(out var start, out var length) || !TryReadSeries(bytes, start, length, limits, into))
                    {
                        return Fail($"series {into.Series.Length + into.SeriesBeyond}", at, bytes, out fault);
                    }

                    break;
                case WriteTag.RequestMetadata:
                    if (!reader.TryReadLengthDelimited(out start, out length) || !TryReadMetadata(bytes, start, length, into))
                    {
                        return Fail("a metric's metadata", at, bytes, out fault);
                    }

                    break;
                default:
                    if (!reader.TrySkip(tag))
                    {
                        return Fail($"field {tag >> 3}", at, bytes, out fault);
                    }

                    break;
            }
        }

        fault = "";
        return true;
    }

    /// <summary>The name of a series' metric, for messages; empty when it has none.</summary>
    public static ReadOnlySpan<byte> MetricNameOf(DecodedWrite write, in WriteSeries series)
    {
        ArgumentNullException.ThrowIfNull(write);
        var labels = write.Labels(series);
        while (labels.MoveNext())
        {
            if (labels.Name.SequenceEqual(MetricName))
            {
                return labels.Value;
            }
        }

        return default;
    }

    internal static bool TryReadLabel(ReadOnlySpan<byte> payload, int start, int length, out WriteText name, out WriteText value)
    {
        (name, value) = (default, default);
        var reader = new WireReader(payload, start, length);
        while (!reader.AtEnd)
        {
            if (!reader.TryReadTag(out var tag))
            {
                return false;
            }

            switch (tag)
            {
                case WriteTag.LabelName when reader.TryReadLengthDelimited(out var at, out var size):
                    name = new WriteText(at, size);
                    break;
                case WriteTag.LabelValue when reader.TryReadLengthDelimited(out var at, out var size):
                    value = new WriteText(at, size);
                    break;
                default:
                    if (!reader.TrySkip(tag))
                    {
                        return false;
                    }

                    break;
            }
        }

        return true;
    }

    private static bool Fail(string what, int at, ReadOnlySpan<byte> bytes, out string fault)
    {
        fault = $"{what} at byte {at} of {bytes.Length} is cut short or not protobuf";
        return false;
    }

    private static bool TryReadSeries(ReadOnlySpan<byte> payload, int start, int length, WriteLimits limits, DecodedWrite into)
    {
        var check = new LabelCheck(payload, limits);
        var reader = new WireReader(payload, start, length);
        var isKept = into.SeriesFound.Count < limits.SeriesMax && into.SeriesBeyond == 0;
        var firstSample = into.SamplesFound.Count;
        var (labelsStart, labelsEnd, samples, hasOther) = (0, 0, 0, false);
        var (oldest, newest) = (long.MaxValue, long.MinValue);
        while (!reader.AtEnd)
        {
            var at = reader.Position;
            if (!reader.TryReadTag(out var tag))
            {
                return false;
            }

            if (tag == WriteTag.SeriesLabel)
            {
                if (!reader.TryReadLengthDelimited(out var labelStart, out var labelLength)
                    || !TryReadLabel(payload, labelStart, labelLength, out var name, out var value))
                {
                    return false;
                }

                check.Add(name, value);
                hasOther |= labelsEnd != 0 && at != labelsEnd;
                labelsStart = labelsEnd == 0 ? at : labelsStart;
                labelsEnd = reader.Position;
            }
            else if (tag == WriteTag.SeriesSample)
            {
                if (!reader.TryReadLengthDelimited(out var sampleStart, out var sampleLength)
                    || !TryReadSample(payload, sampleStart, sampleLength, out var sample))
                {
                    return false;
                }

                samples++;
                (oldest, newest) = (Math.Min(oldest, sample.Time), Math.Max(newest, sample.Time));
                isKept = isKept && into.SamplesFound.Count < limits.SamplesMax;
                if (isKept)
                {
                    into.SamplesFound.Add(sample, limits.SamplesMax);
                }
            }
            else if (!TryPass(ref reader, tag, into))
            {
                return false;
            }
        }

        if (!isKept)
        {
            into.SamplesFound.CutTo(firstSample);
            into.SeriesBeyond++;
            into.SamplesBeyond += samples;
            return true;
        }

        var fault = check.End(labelsStart, labelsEnd);
        into.FaultCount += fault == WriteFault.None ? 0 : 1;
        (into.OldestTime, into.NewestTime) = (Math.Min(into.OldestTime, oldest), Math.Max(into.NewestTime, newest));
        into.SeriesFound.Add(new WriteSeries(labelsStart, labelsEnd - labelsStart, firstSample, samples, hasOther, fault), limits.SeriesMax);
        return true;
    }

    private static bool TryPass(ref WireReader reader, uint tag, DecodedWrite into)
    {
        into.Histograms += tag == WriteTag.SeriesHistogram ? 1 : 0;
        into.Exemplars += tag == WriteTag.SeriesExemplar ? 1 : 0;
        return reader.TrySkip(tag);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool TryReadSample(ReadOnlySpan<byte> payload, int start, int length, out WriteSample sample)
    {
        var (time, value) = (0UL, 0.0);
        var reader = new WireReader(payload, start, length);
        while (!reader.AtEnd)
        {
            if (!reader.TryReadTag(out var tag)
                || !(tag == WriteTag.SampleValue ? reader.TryReadDouble(out value) : tag == WriteTag.SampleTime ? reader.TryReadVarint(out time) : reader.TrySkip(tag)))
            {
                sample = default;
                return false;
            }
        }

        sample = new WriteSample((long)time, value);
        return true;
    }

    private static bool TryReadMetadata(ReadOnlySpan<byte> payload, int start, int length, DecodedWrite into)
    {
        var (type, metric, help, unit) = (0UL, default(WriteText), default(WriteText), default(WriteText));
        var reader = new WireReader(payload, start, length);
        while (!reader.AtEnd)
        {
            if (!reader.TryReadTag(out var tag)
                || !(tag switch
                {
                    WriteTag.MetadataType => reader.TryReadVarint(out type),
                    WriteTag.MetadataMetric => TryReadText(ref reader, out metric),
                    WriteTag.MetadataHelp => TryReadText(ref reader, out help),
                    WriteTag.MetadataUnit => TryReadText(ref reader, out unit),
                    _ => reader.TrySkip(tag),
                }))
            {
                return false;
            }
        }

        if (metric.Length == 0 || metric.Length > Limits.MetricNameBytesMax || into.MetadataFound.Count >= WriteLimits.MetadataMax)
        {
            into.MetadataBeyond++;
            return true;
        }

        into.MetadataFound.Add(new WriteMetadata(TypeOf(type), metric, help, unit), WriteLimits.MetadataMax);
        return true;
    }

    private static bool TryReadText(ref WireReader reader, out WriteText text)
    {
        var isRead = reader.TryReadLengthDelimited(out var start, out var length);
        text = new WriteText(start, length);
        return isRead;
    }

    // MetricMetadata.MetricType of the specification.
    private static MetricType TypeOf(ulong type) => type switch
    {
        1 => MetricType.Counter,
        2 => MetricType.Gauge,
        3 => MetricType.Histogram,
        4 => MetricType.GaugeHistogram,
        5 => MetricType.Summary,
        6 => MetricType.Info,
        7 => MetricType.StateSet,
        _ => MetricType.Unknown,
    };

    /// <summary>Checks the labels of one series as they come; the first fault stays.</summary>
    private ref struct LabelCheck(ReadOnlySpan<byte> payload, WriteLimits limits)
    {
        private readonly ReadOnlySpan<byte> payload = payload;
        private ReadOnlySpan<byte> before;
        private WriteFault fault;
        private int count;
        private bool hasMetricName;

        public void Add(WriteText nameAt, WriteText valueAt)
        {
            var name = payload.Slice(nameAt.Start, nameAt.Length);
            var isMetricName = name.SequenceEqual(MetricName);
            hasMetricName |= isMetricName && valueAt.Length > 0;
            count += isMetricName || valueAt.Length == 0 ? 0 : 1;
            if (fault == WriteFault.None)
            {
                fault = FaultOf(name, payload.Slice(valueAt.Start, valueAt.Length), isMetricName);
            }

            before = name;
        }

        public readonly WriteFault End(int labelsStart, int labelsEnd)
        {
            if (fault != WriteFault.None || !hasMetricName)
            {
                return fault != WriteFault.None ? fault : WriteFault.NoMetricName;
            }

            // Tags and lengths below 128 are ASCII, too: one look at all the bytes is enough for most series.
            return Ascii.IsValid(payload[labelsStart..labelsEnd]) || IsUtf8(labelsStart, labelsEnd - labelsStart) ? WriteFault.None : WriteFault.NotUtf8;
        }

        private readonly WriteFault FaultOf(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, bool isMetricName)
        {
            var order = before.SequenceCompareTo(name);
            if (name.IsEmpty)
            {
                return WriteFault.EmptyLabelName;
            }

            if (order >= 0)
            {
                return order == 0 ? WriteFault.DuplicateLabel : WriteFault.UnsortedLabels;
            }

            if (value.Length > (isMetricName ? limits.MetricNameBytesMax : limits.LabelValueBytesMax))
            {
                return WriteFault.LabelValueTooLong;
            }

            if (name.Length > limits.LabelNameBytesMax || count > limits.LabelsPerSeriesMax)
            {
                return count > limits.LabelsPerSeriesMax ? WriteFault.TooManyLabels : WriteFault.LabelNameTooLong;
            }

            return name.SequenceEqual("job"u8) && value.SequenceEqual("lightmetrics"u8) ? WriteFault.ReservedJob : WriteFault.None;
        }

        private readonly bool IsUtf8(int start, int length)
        {
            var labels = new WriteLabels(payload, start, length);
            while (labels.MoveNext())
            {
                if (!System.Text.Unicode.Utf8.IsValid(labels.Name) || !System.Text.Unicode.Utf8.IsValid(labels.Value))
                {
                    return false;
                }
            }

            return true;
        }
    }
}
