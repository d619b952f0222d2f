using Lm.Platform;

namespace Lm.Protocol.Decoding;

/// <summary>Judges a batch record by record: what is over a limit of one record, or too old.</summary>
/// <remarks>The limits are those of the labels as the agent sent them, its common ones included, before the collector adds the identity
/// and renames what collides with it. <c>__name__</c> counts in none of them.</remarks>
internal sealed class RecordJudge(DecodedBatch batch, Limits limits, UnixMillis oldest)
{
    private readonly List<int> droppedSeries = [];
    private readonly List<int> droppedLogs = [];
    private string firstDropped = "";
    private int tooOld;

    public BatchVerdict Judge()
    {
        var commonFault = FaultOfSizes(batch.CommonLabels) is { } fault ? $"common {fault}" : null;
        for (var i = 0; i < batch.Series.Length; i++)
        {
            JudgeSeries(i, commonFault);
        }

        for (var i = 0; i < batch.Logs.Length; i++)
        {
            JudgeLog(i, commonFault);
        }

        return new BatchVerdict
        {
            OldestAccepted = oldest,
            DroppedSeries = droppedSeries,
            DroppedLogs = droppedLogs,
            TooOldCount = tooOld,
            FirstDropped = firstDropped,
        };
    }

    private void JudgeSeries(int index, string? commonFault)
    {
        ref readonly var series = ref batch.Series[index];
        var labels = batch.Labels(series);
        var fault = commonFault ?? FaultOfCount(labels, nameCount: 1) ?? FaultOfSizes(labels);
        if (fault is not null)
        {
            if (firstDropped.Length == 0)
            {
                firstDropped = $"series {index}{Quote.InBrackets(MetricName(labels))}: {fault}";
            }

            droppedSeries.Add(index);
            return;
        }

        foreach (var time in batch.Times(series))
        {
            tooOld += time < oldest.Value ? 1 : 0;
        }

        foreach (ref readonly var histogram in batch.Histograms(series))
        {
            tooOld += histogram.Time < oldest ? 1 : 0;
        }
    }

    private void JudgeLog(int index, string? commonFault)
    {
        ref readonly var log = ref batch.Logs[index];
        var attributes = batch.Attributes(log);
        var fault = log.BodyLength > limits.LogMessageBytesMax
            ? $"the body has {log.BodyLength} bytes; max_log_message_bytes is {limits.LogMessageBytesMax}"
            : commonFault ?? FaultOfCount(attributes, nameCount: 0) ?? FaultOfSizes(attributes);
        if (fault is not null)
        {
            firstDropped = firstDropped.Length == 0 ? $"log record {index}: {fault}" : firstDropped;
            droppedLogs.Add(index);
            return;
        }

        tooOld += log.Time < oldest ? 1 : 0;
    }

    private string? FaultOfCount(ReadOnlySpan<uint> labels, int nameCount)
    {
        var own = (labels.Length / 2) - nameCount;
        var common = batch.CommonLabels.Length / 2;
        var max = limits.LabelsPerSeriesMax;
        if (own + common <= max)
        {
            return null;
        }

        // Own labels replace common ones of the same name. There are at least as many as the more of the two, so that names are compared
        // only where both are within the limit: the work stays linear in what was sent and allowed.
        if (Math.Max(own, common) <= max && own + common - Replaced(labels) <= max)
        {
            return null;
        }

        return $"{own} labels" + (common > 0 ? $" and {common} common ones" : "") + $"; max_labels_per_series is {max}";
    }

    private int Replaced(ReadOnlySpan<uint> labels)
    {
        batch.Symbols.BeginSet();
        for (var i = 0; i < labels.Length; i += 2)
        {
            batch.Symbols.AddToSet(labels[i]);
        }

        var replaced = 0;
        for (var i = 0; i < batch.CommonLabels.Length; i += 2)
        {
            replaced += batch.Symbols.IsInSet(batch.CommonLabels[i]) ? 1 : 0;
        }

        return replaced;
    }

    private string? FaultOfSizes(ReadOnlySpan<uint> labels)
    {
        for (var i = 0; i < labels.Length; i += 2)
        {
            var valueLength = batch.Symbols.LengthOf(labels[i + 1]);
            if (IsMetricName(labels[i]))
            {
                if (valueLength > Limits.MetricNameBytesMax)
                {
                    return $"the metric's name has {valueLength} bytes; it has at most {Limits.MetricNameBytesMax}";
                }

                continue;
            }

            var nameLength = batch.Symbols.LengthOf(labels[i]);
            if (nameLength > limits.LabelKeyBytesMax)
            {
                return $"label {Quote.Text(batch.Symbol(labels[i]))}: its name has {nameLength} bytes; "
                    + $"max_label_key_bytes is {limits.LabelKeyBytesMax}";
            }

            if (valueLength > limits.LabelValueBytesMax)
            {
                return $"label {Quote.Text(batch.Symbol(labels[i]))}: its value has {valueLength} bytes; "
                    + $"max_label_value_bytes is {limits.LabelValueBytesMax}";
            }
        }

        return null;
    }

    // Length first: no other label that is taken has these eight bytes, and most have another length.
    private bool IsMetricName(uint name) => batch.Symbols.LengthOf(name) == 8 && batch.Symbol(name).SequenceEqual("__name__"u8);

    private ReadOnlySpan<byte> MetricName(ReadOnlySpan<uint> labels)
    {
        for (var i = 0; i < labels.Length; i += 2)
        {
            if (IsMetricName(labels[i]))
            {
                return batch.Symbol(labels[i + 1]);
            }
        }

        return default;
    }
}
