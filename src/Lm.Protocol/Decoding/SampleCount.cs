using Lm.Protocol.Wire;

namespace Lm.Protocol.Decoding;

/// <summary>Counts the samples of a batch that has too many, for the message about it. Reads what it can and allocates nothing.</summary>
internal static class SampleCount
{
    public static long Of(ReadOnlySpan<byte> payload)
    {
        var count = 0L;
        var reader = new WireReader(payload, 0, payload.Length);
        while (reader.TryReadTag(out var tag))
        {
            if (tag == Tag.BatchSeries && reader.TryReadLengthDelimited(out var start, out var length))
            {
                count += OfSeries(payload, start, length);
            }
            else if (tag == Tag.BatchSeries || !reader.TrySkip(tag))
            {
                break;
            }
        }

        return count;
    }

    private static long OfSeries(ReadOnlySpan<byte> payload, int start, int length)
    {
        var times = 0L;
        var values = 0L;
        var histograms = 0L;
        var reader = new WireReader(payload, start, length);
        while (reader.TryReadTag(out var tag))
        {
            var from = reader.Position;
            if (!reader.TrySkip(tag))
            {
                break;
            }

            times += tag == Tag.SeriesTimeDelta ? 1 : tag == Tag.SeriesTimeDeltas ? RunOf(payload, from, reader.Position) : 0;
            values += tag == Tag.SeriesValue ? 1 : tag == Tag.SeriesValues ? (reader.Position - from) / sizeof(double) : 0;
            histograms += tag == Tag.SeriesHistograms ? 1 : 0;
        }

        return Math.Max(times, values) + histograms;
    }

    private static int RunOf(ReadOnlySpan<byte> payload, int from, int to)
    {
        var reader = new WireReader(payload, from, to - from);
        return reader.TryReadLengthDelimited(out var start, out var length) ? PackedFields.CountVarints(payload.Slice(start, length)) : 0;
    }
}
