namespace Lm.Protocol.Wire;

/// <summary>Writes and reads <c>lightmetrics.v1.Limits</c>: all of them are sent, also those that are 0.</summary>
internal static class AckLimits
{
    private const int Count = 11;

    public static void Write(WireWriter writer, Limits limits)
    {
        ReadOnlySpan<int> values =
        [
            limits.BodyBytesMax, limits.BatchBytesMax, limits.SeriesPerBatchMax, limits.LabelsPerSeriesMax, limits.LabelKeyBytesMax,
            limits.LabelValueBytesMax, limits.SamplesPerBatchMax, limits.LogsPerBatchMax, limits.LogMessageBytesMax,
            limits.AlertsPerBatchMax, limits.FutureSecondsMax,
        ];
        for (var i = 0; i < Count; i++)
        {
            writer.WriteVarint((uint)(i + 1) << 3);
            writer.WriteVarint((uint)values[i]);
        }
    }

    public static bool TryRead(ReadOnlySpan<byte> bytes, int start, int length, ref Limits limits)
    {
        var reader = new WireReader(bytes, start, length);
        while (!reader.AtEnd)
        {
            if (!reader.TryReadTag(out var tag) || !TryReadField(ref reader, tag, ref limits))
            {
                return false;
            }
        }

        return true;
    }

    private static bool TryReadField(ref WireReader reader, uint tag, ref Limits limits)
    {
        if (tag >> 3 > Count || (tag & 7) != (int)WireType.Varint)
        {
            return reader.TrySkip(tag);
        }

        if (!reader.TryReadUInt32(out var wide) || wide > int.MaxValue)
        {
            return false;
        }

        var value = (int)wide;
        limits = (tag >> 3) switch
        {
            1 => limits with { BodyBytesMax = value },
            2 => limits with { BatchBytesMax = value },
            3 => limits with { SeriesPerBatchMax = value },
            4 => limits with { LabelsPerSeriesMax = value },
            5 => limits with { LabelKeyBytesMax = value },
            6 => limits with { LabelValueBytesMax = value },
            7 => limits with { SamplesPerBatchMax = value },
            8 => limits with { LogsPerBatchMax = value },
            9 => limits with { LogMessageBytesMax = value },
            10 => limits with { AlertsPerBatchMax = value },
            _ => limits with { FutureSecondsMax = value },
        };
        return true;
    }
}
