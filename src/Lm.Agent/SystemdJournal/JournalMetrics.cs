using Lm.Protocol;

namespace Lm.Agent.SystemdJournal;

/// <summary>What the agent tells of its journal inputs with each heartbeat, beside what it tells of every input.</summary>
internal static class JournalMetrics
{
    private static readonly MetricDescriptor Restarts = new("lmagent_journal_restarts_total", MetricType.Counter, "",
        "Times that journalctl ended or could not be started.");

    /// <summary>Adds the series of as many inputs as there is room for.</summary>
    public static int AddTo(ISampleSink sink, JournalInputs inputs, int seriesMax)
    {
        var all = inputs.All;
        var count = Math.Min(all.Count, Math.Max(0, seriesMax));
        for (var i = 0; i < count; i++)
        {
            sink.Add(Restarts, [new Label("input", all[i].Input.Name)], all[i].RestartCount);
        }

        return count;
    }
}
