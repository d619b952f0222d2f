using System.Text.Unicode;
using Lm.Platform;
using Lm.Protocol.Wire;

namespace Lm.Protocol.Decoding;

/// <summary>Reads one <c>LogRecord</c> into the batch's arrays.</summary>
internal static class LogReader
{
    /// <summary>OpenTelemetry's highest severity number.</summary>
    public const uint SeverityMax = 24;

    public static bool TryRead(ref DecodeContext context, int start, int length)
    {
        var batch = context.Batch;
        var attributeStart = batch.LabelReferences.Count;
        var delta = 0L;
        var severity = 0u;
        var (bodyStart, bodyLength) = (0, 0);
        var reader = new WireReader(context.Payload, start, length);
        while (!reader.AtEnd)
        {
            if (!reader.TryReadTag(out var tag))
            {
                return context.Unreadable(reader, "a field");
            }

            var read = tag switch
            {
                Tag.LogTimeDelta => reader.TryReadSigned(out delta) || context.Unreadable(reader, "the time"),
                Tag.LogSeverity => reader.TryReadUInt32(out severity) || context.Unreadable(reader, "the severity"),
                Tag.LogBody => reader.TryReadLengthDelimited(out bodyStart, out bodyLength) || context.Unreadable(reader, "the body"),
                Tag.LogAttributes or Tag.LogAttribute =>
                    PackedFields.TryReadReferences(ref context, ref reader, tag == Tag.LogAttributes, ref batch.LabelReferences),
                _ => context.SkipUnknown(ref reader, tag, Tag.LogLastNumber),
            };
            if (!read)
            {
                return false;
            }
        }

        if (severity > SeverityMax)
        {
            return context.Malformed($"severity {severity}; it is 0 to {SeverityMax}");
        }

        if (!Utf8.IsValid(context.Payload.Slice(bodyStart, bodyLength)))
        {
            return context.Malformed($"the body ({bodyLength} bytes at byte {bodyStart}) is not valid UTF-8");
        }

        var time = batch.CollectedAt.Value;
        if (!PackedFields.TryMove(ref context, ref time, delta)
            || !LabelReader.TryCheck(ref context, ref batch.LabelReferences, attributeStart, hasMetricName: false))
        {
            return false;
        }

        batch.NoteLabels((batch.LabelReferences.Count - attributeStart) / 2);
        batch.NoteBody(bodyLength);
        batch.LogList.Add(
            new DecodedLog
            {
                Time = new UnixMillis(time),
                Severity = (int)severity,
                BodyStart = bodyStart,
                BodyLength = bodyLength,
                AttributeStart = attributeStart,
                AttributeCount = batch.LabelReferences.Count - attributeStart,
            },
            context.Limits.LogsPerBatchMax);
        return true;
    }
}
