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
        foreach (var found in Find(settings, limits))
        {
            UploadLog.SettingsDisagree(logger, found.AgentKey, found.AgentValue, found.CollectorKey, found.CollectorValue);
        }
    }

    public static List<LimitsDisagreement> Find(AgentSettings settings, Limits limits)
    {
        List<LimitsDisagreement> all =
        [
            new("max_logs_per_batch", settings.LogsPerBatchMax, "ingest.max_logs_per_batch", limits.LogsPerBatchMax),
            new("max_log_message_bytes", settings.LogMessageBytesMax, "ingest.max_log_message_bytes", limits.LogMessageBytesMax),
            new("max_alerts_per_batch", settings.AlertsPerBatchMax, "ingest.max_alerts_per_batch", limits.AlertsPerBatchMax),
            // A series of the heartbeat has up to 3 labels of its own.
            new("[labels] and a series' own labels", settings.Labels.Length + 3, "ingest.max_labels_per_series", limits.LabelsPerSeriesMax),
        ];
        if (settings.Labels.Length > 0)
        {
            all.Add(new("the longest name in [labels]", settings.Labels.Max(label => label.Name.Length),
                "ingest.max_label_key_bytes", limits.LabelKeyBytesMax));
            all.Add(new("the longest value in [labels]", settings.Labels.Max(label => Encoding.UTF8.GetByteCount(label.Value)),
                "ingest.max_label_value_bytes", limits.LabelValueBytesMax));
        }

        all.RemoveAll(each => each.AgentValue <= each.CollectorValue);
        return all;
    }
}

/// <summary>Two settings that do not fit together: the agent's is the larger one.</summary>
internal readonly record struct LimitsDisagreement(string AgentKey, long AgentValue, string CollectorKey, long CollectorValue);
