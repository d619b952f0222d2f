using Lm.Protocol.Decoding;
using Lm.Protocol.Wire;

namespace Lm.Protocol;

/// <summary>Reads <c>lightmetrics.v1.Batch</c>.</summary>
/// <remarks>
/// What holds for any input, however hostile: no exception; memory is bounded by the limits and not by what the bytes claim; time is
/// linear in the payload; a batch that is taken satisfies everything that <c>lightmetrics.proto</c> says, but for the limits of
/// single records, which <see cref="BatchRules"/> judges. Fields may come in any order, packed or not; unknown ones are skipped.
/// </remarks>
public static class BatchDecoder
{
    /// <summary>Reads a payload into <paramref name="batch"/>, which is a view of it afterwards. Counts are checked before anything is
    /// allocated for them; time is linear in the payload.</summary>
    /// <param name="payload">The decompressed bytes; must stay unchanged while the batch is used.</param>
    /// <param name="limits">What one batch may have.</param>
    /// <param name="batch">Filled when the status is <see cref="DecodeStatus.Ok"/>.</param>
    /// <param name="fault">Else: what is wrong, naming the record and its place, and what is allowed.</param>
    public static DecodeStatus Decode(ReadOnlyMemory<byte> payload, Limits limits, DecodedBatch batch, out string fault)
    {
        ArgumentNullException.ThrowIfNull(limits);
        ArgumentNullException.ThrowIfNull(batch);
        batch.Reset(payload);
        var context = new DecodeContext(payload.Span, limits, batch);
        if (payload.Length > limits.BatchBytesMax)
        {
            context.TooMany($"the batch has {payload.Length} bytes; max_batch_bytes is {limits.BatchBytesMax}");
        }
        else if (HeaderReader.TryRead(ref context) && TryReadRecords(ref context))
        {
            batch.NoteCollection();
        }

        fault = context.Fault;
        if (context.Status != DecodeStatus.Ok)
        {
            batch.Reset(default);
        }

        return context.Status;
    }

    private static bool TryReadRecords(ref DecodeContext context)
    {
        var reader = new WireReader(context.Payload, context.RecordsStart, context.Payload.Length - context.RecordsStart);
        while (true)
        {
            SeriesRun.Read(context, ref reader);
            if (reader.AtEnd)
            {
                break;
            }

            // The first pass has read all tags and lengths, so only a record's inside can be at fault here.
            if (!reader.TryReadTag(out var tag))
            {
                return context.Unreadable(reader, "a field");
            }

            if (!TryReadRecord(ref context, ref reader, tag))
            {
                return false;
            }
        }

        var read = LabelReader.TryCheck(ref context, ref context.Batch.CommonReferences, start: 0, hasMetricName: false);
        if (!read)
        {
            context.InRecord("common_labels");
        }

        return read;
    }

    private static bool TryReadRecord(ref DecodeContext context, ref WireReader reader, uint tag)
    {
        if (tag is Tag.BatchCommonLabels or Tag.BatchCommonLabel)
        {
            return PackedFields.TryReadReferences(
                ref context, ref reader, tag == Tag.BatchCommonLabels, ref context.Batch.CommonReferences);
        }

        if (tag is not (Tag.BatchSeries or Tag.BatchLogs or Tag.BatchAlerts))
        {
            return reader.TrySkip(tag) || context.Unreadable(reader, "a field");
        }

        if (!reader.TryReadLengthDelimited(out var start, out var length))
        {
            return context.Unreadable(reader, "a record");
        }

        var read = tag switch
        {
            Tag.BatchSeries => SeriesReader.TryRead(ref context, start, length),
            Tag.BatchLogs => LogReader.TryRead(ref context, start, length),
            _ => AlertReader.TryRead(ref context, start, length),
        };
        if (!read)
        {
            context.InRecord(tag switch
            {
                Tag.BatchSeries => $"series {context.Batch.SeriesList.Count}{SeriesReader.NameOf(context, start, length)}",
                Tag.BatchLogs => $"log record {context.Batch.LogList.Count}",
                _ => $"alert record {context.Batch.AlertList.Count}{AlertReader.NameOf(context, start, length)}",
            });
        }

        return read;
    }
}

/// <summary>How reading a batch ended.</summary>
public enum DecodeStatus
{
    /// <summary>It is a valid batch.</summary>
    Ok = 0,

    /// <summary>The bytes are not a batch (<c>malformed_batch</c>).</summary>
    Malformed,

    /// <summary>It has more series, samples, logs or alerts than allowed (<c>limit_exceeded</c>).</summary>
    LimitExceeded,

    /// <summary>A histogram or counter with delta temporality (<c>unsupported_temporality</c>).</summary>
    UnsupportedTemporality,
}
