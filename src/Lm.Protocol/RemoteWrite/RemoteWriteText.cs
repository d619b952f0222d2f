namespace Lm.Protocol.RemoteWrite;

/// <summary>What is said to people about remote write.</summary>
public static class RemoteWriteText
{
    /// <summary>A fault, to stand behind "series".</summary>
    public static string Describe(WriteFault fault, WriteLimits limits)
    {
        ArgumentNullException.ThrowIfNull(limits);
        return fault switch
        {
            WriteFault.NoMetricName => "without a label __name__",
            WriteFault.EmptyLabelName => "with a label that has no name",
            WriteFault.UnsortedLabels => "whose labels are not sorted by name",
            WriteFault.DuplicateLabel => "with two labels of one name",
            WriteFault.NotUtf8 => "with a label that is not UTF-8",
            WriteFault.TooManyLabels => $"with more labels than max_labels_per_series, which is {limits.LabelsPerSeriesMax}",
            WriteFault.LabelNameTooLong => $"with a label's name of more than max_label_key_bytes, which is {limits.LabelNameBytesMax}",
            WriteFault.LabelValueTooLong =>
                $"with a label's value of more than max_label_value_bytes, which is {limits.LabelValueBytesMax}, or a metric's name of more than {limits.MetricNameBytesMax} bytes",
            WriteFault.ReservedJob => "with job=\"lightmetrics\", which agents and the collector alone write",
            _ => "without a fault",
        };
    }

    /// <summary>Foreign text in quotation marks, cut, without what a terminal or log would act on.</summary>
    public static string Quote(ReadOnlySpan<byte> utf8) => Decoding.Quote.Text(utf8);
}
