using Lm.Platform;
using Lm.Protocol.Wire;

namespace Lm.Protocol.Decoding;

/// <summary>Reads one <c>Histogram</c> into the batch's arrays.</summary>
internal static class HistogramReader
{
    private const string TooManyBounds =
        "the batch's histograms have more than 16 bounds for each sample that max_samples_per_batch allows";

    public static bool TryRead(ref DecodeContext context, ref WireReader outer, ref long time)
    {
        if (!outer.TryReadLengthDelimited(out var start, out var length))
        {
            return context.Unreadable(outer, "a histogram");
        }

        var batch = context.Batch;
        if (batch.HistogramList.Count >= context.Limits.SamplesPerBatchMax)
        {
            return PackedFields.TooManySamples(ref context);
        }

        var boundStart = batch.BucketBounds.Count;
        var countStart = batch.BucketCounts.Count;
        var delta = 0L;
        var sum = 0.0;
        var observations = 0UL;
        var reader = new WireReader(context.Payload, start, length);
        while (!reader.AtEnd)
        {
            if (!reader.TryReadTag(out var tag))
            {
                return context.Unreadable(reader, "a field of a histogram");
            }

            if (!TryReadField(ref context, ref reader, tag, ref delta, ref sum, ref observations))
            {
                return false;
            }
        }

        if (!PackedFields.TryMove(ref context, ref time, delta) || !TryCheck(ref context, boundStart, countStart, observations))
        {
            return false;
        }

        batch.HistogramList.Add(
            new DecodedHistogram
            {
                Time = new UnixMillis(time),
                Sum = sum,
                Count = observations,
                BoundStart = boundStart,
                BoundCount = batch.BucketBounds.Count - boundStart,
                BucketStart = countStart,
            },
            context.Limits.SamplesPerBatchMax);
        return true;
    }

    private static bool TryReadField(
        ref DecodeContext context, ref WireReader reader, uint tag, ref long delta, ref double sum, ref ulong observations)
    {
        var max = context.Limits.BoundsPerBatchMax;
        switch (tag)
        {
            case Tag.HistogramTimeDelta:
                return reader.TryReadSigned(out delta) || context.Unreadable(reader, "a histogram's time");
            case Tag.HistogramBounds:
            case Tag.HistogramBound:
                return PackedFields.TryReadDoubles(
                    ref context, ref reader, tag == Tag.HistogramBounds, ref context.Batch.BucketBounds, max, TooManyBounds);
            case Tag.HistogramCounts:
            case Tag.HistogramOneCount:
                return TryReadCounts(ref context, ref reader, tag == Tag.HistogramCounts);
            case Tag.HistogramSum:
                return reader.TryReadDouble(out sum) || context.Unreadable(reader, "a histogram's sum");
            case Tag.HistogramCount:
                return reader.TryReadVarint(out observations) || context.Unreadable(reader, "a histogram's count");
            default:
                return context.SkipUnknown(ref reader, tag, Tag.HistogramLastNumber);
        }
    }

    private static bool TryReadCounts(ref DecodeContext context, ref WireReader reader, bool isPacked)
    {
        if (!PackedFields.TryReadRun(ref context, ref reader, isPacked, out var run))
        {
            return false;
        }

        // One more than bounds for each histogram.
        var max = context.Limits.BoundsPerBatchMax + context.Limits.SamplesPerBatchMax;
        ref var counts = ref context.Batch.BucketCounts;
        var left = max - counts.Count;
        if (run.Length > left && PackedFields.CountVarints(run) > left)
        {
            return context.TooMany(TooManyBounds);
        }

        var room = counts.Reserve(Math.Min(run.Length, left), max);
        var count = 0;
        for (var values = new WireReader(run, 0, run.Length); !values.AtEnd; count++)
        {
            // Into a local first: a last number that is cut short is not among those that there is room for.
            if (!values.TryReadVarint(out var observed))
            {
                return context.Malformed($"the bucket counts that end at byte {reader.Position} are cut short or not protobuf");
            }

            room[count] = observed;
        }

        counts.Take(count);
        return true;
    }

    private static bool TryCheck(ref DecodeContext context, int boundStart, int countStart, ulong observations)
    {
        var bounds = context.Batch.BucketBounds.Items[boundStart..];
        var counts = context.Batch.BucketCounts.Items[countStart..];
        if (bounds.Length > Limits.BoundsPerHistogramMax)
        {
            return context.Malformed($"a histogram with {bounds.Length} bounds; it has at most {Limits.BoundsPerHistogramMax}");
        }

        if (counts.Length != bounds.Length + 1)
        {
            return context.Malformed($"a histogram with {counts.Length} counts for {bounds.Length} bounds; it has one more than bounds");
        }

        for (var i = 0; i < bounds.Length; i++)
        {
            if (!double.IsFinite(bounds[i]) || (i > 0 && bounds[i] <= bounds[i - 1]))
            {
                return context.Malformed($"a histogram whose bound {i} is not finite or not above the one before it");
            }
        }

        var sum = default(UInt128);
        foreach (var count in counts)
        {
            sum += count;
        }

        return sum == observations || context.Malformed($"a histogram with count {observations} whose buckets have {sum}");
    }
}
