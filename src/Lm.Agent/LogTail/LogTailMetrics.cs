using Lm.Protocol;

namespace Lm.Agent.LogTail;

/// <summary>What the agent tells of its log inputs with each heartbeat.</summary>
internal static class LogTailMetrics
{
    /// <summary>Series of one input.</summary>
    public const int SeriesPerInput = 8;

    private static readonly MetricDescriptor Lines = new("lmagent_log_records_total", MetricType.Counter, "",
        "Log records made of an input's lines.");

    private static readonly MetricDescriptor Bytes = new("lmagent_log_bytes_total", MetricType.Counter, "bytes",
        "Bytes of an input that were read, those of excluded lines included.");

    private static readonly MetricDescriptor Truncated = new("lmagent_log_truncated_total", MetricType.Counter, "",
        "Log records that were cut at max_log_message_bytes.");

    private static readonly MetricDescriptor Repaired = new("lmagent_log_invalid_utf8_total", MetricType.Counter, "",
        "Log records in which bytes that are no UTF-8 were replaced.");

    private static readonly MetricDescriptor Excluded = new("lmagent_log_excluded_total", MetricType.Counter, "",
        "Lines left out because they match a pattern of exclude.");

    private static readonly MetricDescriptor Lost = new("lmagent_log_lost_files_total", MetricType.Counter, "",
        "Files that were deleted or truncated before all of them was read, as far as that is known.");

    private static readonly MetricDescriptor Files = new("lmagent_log_files", MetricType.Gauge, "",
        "Files that an input follows.");

    private static readonly MetricDescriptor Behind = new("lmagent_log_behind_bytes", MetricType.Gauge, "bytes",
        "Bytes of an input's files that are not read yet.");

    /// <summary>Adds the series of as many inputs as there is room for.</summary>
    /// <param name="sink">Where they go.</param>
    /// <param name="inputs">The inputs.</param>
    /// <param name="seriesMax">The most series to add.</param>
    public static void AddTo(ISampleSink sink, IReadOnlyList<InputCounters> inputs, int seriesMax)
    {
        for (var i = 0; i < inputs.Count && (i + 1) * SeriesPerInput <= seriesMax; i++)
        {
            var (of, input) = (new[] { new Label("input", inputs[i].Name) }, inputs[i]);
            sink.Add(Lines, of, input.Lines);
            sink.Add(Bytes, of, input.Bytes);
            sink.Add(Truncated, of, input.Truncated);
            sink.Add(Repaired, of, input.Repaired);
            sink.Add(Excluded, of, input.Excluded);
            sink.Add(Lost, of, input.LostFiles);
            sink.Add(Files, of, input.Files);
            sink.Add(Behind, of, input.Behind);
        }
    }
}
