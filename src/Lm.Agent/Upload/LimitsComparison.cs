using System.Text;
using Lm.Agent.Settings;
using Lm.Protocol;
using Microsoft.Extensions.Logging;

namespace Lm.Agent.Upload;

/// <summary>Says which settings of the agent and of the collector do not fit together.</summary>
internal static class LimitsComparison
{
    public static void Report(AgentSettings settings, Limits limits, ILogger logger)
    {
        ReportOver(logger, "max_logs_per_batch", settings.LogsPerBatchMax, "ingest.max_logs_per_batch", limits.LogsPerBatchMax);
        ReportOver(logger, "max_log_message_bytes", settings.LogMessageBytesMax, "ingest.max_log_message_bytes", limits.LogMessageBytesMax);
        ReportOver(logger, "max_alerts_per_batch", settings.AlertsPerBatchMax, "ingest.max_alerts_per_batch", limits.AlertsPerBatchMax);
        // A series of the heartbeat has up to 3 labels of its own.
        ReportOver(logger, "[labels] and a series' own labels", settings.Labels.Length + 3, "ingest.max_labels_per_series", limits.LabelsPerSeriesMax);
        if (settings.Labels.Length > 0)
        {
            ReportOver(logger, "the longest name in [labels]", settings.Labels.Max(label => label.Name.Length),
                "ingest.max_label_key_bytes", limits.LabelKeyBytesMax);
            ReportOver(logger, "the longest value in [labels]", settings.Labels.Max(label => Encoding.UTF8.GetByteCount(label.Value)),
                "ingest.max_label_value_bytes", limits.LabelValueBytesMax);
        }
    }

    private static void ReportOver(ILogger logger, string agentKey, long agentValue, string collectorKey, long collectorValue)
    {
        if (agentValue > collectorValue)
        {
            UploadLog.SettingsDisagree(logger, agentKey, agentValue, collectorKey, collectorValue);
        }
    }
}
