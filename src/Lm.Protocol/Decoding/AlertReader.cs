using Lm.Platform;
using Lm.Protocol.Wire;

namespace Lm.Protocol.Decoding;

/// <summary>Reads one <c>AlertRecord</c> into the batch's arrays.</summary>
internal static class AlertReader
{
    public static bool TryRead(ref DecodeContext context, int start, int length)
    {
        var batch = context.Batch;
        var labelStart = batch.LabelReferences.Count;
        var delta = 0L;
        var (severity, name, message) = (0u, 0u, 0u);
        var reader = new WireReader(context.Payload, start, length);
        while (!reader.AtEnd)
        {
            if (!reader.TryReadTag(out var tag))
            {
                return context.Unreadable(reader, "a field");
            }

            var read = tag switch
            {
                Tag.AlertTimeDelta => reader.TryReadSigned(out delta) || context.Unreadable(reader, "the time"),
                Tag.AlertSeverity => reader.TryReadUInt32(out severity) || context.Unreadable(reader, "the severity"),
                Tag.AlertName => reader.TryReadUInt32(out name) || context.Unreadable(reader, "the name"),
                Tag.AlertMessage => reader.TryReadUInt32(out message) || context.Unreadable(reader, "the message"),
                Tag.AlertLabels or Tag.AlertLabel =>
                    PackedFields.TryReadReferences(ref context, ref reader, tag == Tag.AlertLabels, ref batch.LabelReferences),
                _ => context.SkipUnknown(ref reader, tag, Tag.AlertLastNumber),
            };
            if (!read)
            {
                return false;
            }
        }

        var time = batch.CollectedAt.Value;
        if (!TryCheck(ref context, severity, name, message)
            || !PackedFields.TryMove(ref context, ref time, delta)
            || !LabelReader.TryCheck(ref context, ref batch.LabelReferences, labelStart, hasMetricName: false)
            || !TryCheckSizes(ref context, batch.LabelReferences.Items[labelStart..]))
        {
            return false;
        }

        batch.AlertList.Add(
            new DecodedAlert
            {
                Time = new UnixMillis(time),
                Severity = (int)severity,
                Name = name,
                Message = message,
                LabelStart = labelStart,
                LabelCount = batch.LabelReferences.Count - labelStart,
            },
            context.Limits.AlertsPerBatchMax);
        return true;
    }

    /// <summary>The name of an alert record in which a fault was found, as far as it can be read; else empty.</summary>
    public static string NameOf(in DecodeContext context, int start, int length)
    {
        var reader = new WireReader(context.Payload, start, length);
        while (reader.TryReadTag(out var tag))
        {
            if (tag == Tag.AlertName && reader.TryReadUInt32(out var name))
            {
                return name < (uint)context.Batch.SymbolCount ? Quote.InBrackets(context.Batch.Symbol(name)) : "";
            }

            if (tag == Tag.AlertName || !reader.TrySkip(tag))
            {
                break;
            }
        }

        return "";
    }

    private static bool TryCheck(ref DecodeContext context, uint severity, uint name, uint message)
    {
        var symbols = context.Batch.Symbols;
        if (severity > LogReader.SeverityMax)
        {
            return context.Malformed($"severity {severity}; it is 0 to {LogReader.SeverityMax}");
        }

        if (Math.Max(name, message) >= (uint)symbols.Count)
        {
            return context.Malformed($"name or message refers to symbol {Math.Max(name, message)}; the batch has {symbols.Count}");
        }

        if (symbols.LengthOf(message) > context.Limits.LogMessageBytesMax)
        {
            return context.TooMany($"the message has {symbols.LengthOf(message)} bytes; max_log_message_bytes is {context.Limits.LogMessageBytesMax}");
        }

        return name != 0 || context.Malformed("the name is empty");
    }

    // Alerts are few and the agent's own: over a limit they refuse the batch rather than having a verdict of their own.
    private static bool TryCheckSizes(ref DecodeContext context, ReadOnlySpan<uint> labels)
    {
        var limits = context.Limits;
        if (labels.Length / 2 > limits.LabelsPerSeriesMax)
        {
            return context.TooMany($"{labels.Length / 2} labels; max_labels_per_series is {limits.LabelsPerSeriesMax}");
        }

        for (var i = 0; i < labels.Length; i++)
        {
            var length = context.Batch.Symbols.LengthOf(labels[i]);
            if (i % 2 == 0 && length > limits.LabelKeyBytesMax)
            {
                return context.TooMany($"a label's name has {length} bytes; max_label_key_bytes is {limits.LabelKeyBytesMax}");
            }

            if (i % 2 == 1 && length > limits.LabelValueBytesMax)
            {
                return context.TooMany($"a label's value has {length} bytes; max_label_value_bytes is {limits.LabelValueBytesMax}");
            }
        }

        return true;
    }
}
