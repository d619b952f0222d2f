using System.Globalization;
using Lm.Agent.HostMetrics;
using Lm.Platform;
using Lm.Protocol;

namespace Lm.Agent.Events;

/// <summary>Makes events of processes that started and ended. A process is named by what it calls itself; command lines are never read.</summary>
internal static class ProcessEvents
{
    /// <summary>Posts what one tick saw: each change up to the bound, then the number of the others.</summary>
    /// <param name="changes">What the sampler saw.</param>
    /// <param name="now">The tick.</param>
    /// <param name="events">Takes them.</param>
    public static void Post(ProcessChanges changes, UnixMillis now, EventSource events)
    {
        foreach (var process in changes.Started)
        {
            var at = new UnixMillis(Math.Min(now.Value, (long)(process.StartTime * 1000)));
            events.Post(new AgentEvent(at, AgentEvent.Information, "process_start", $"process {process.Name} ({process.Pid}) started", About(process)));
        }

        foreach (var process in changes.Ended)
        {
            var seconds = Math.Max(0, (now.Value / 1000.0) - process.StartTime).ToString("0", CultureInfo.InvariantCulture);
            events.Post(new AgentEvent(
                now, AgentEvent.Information, "process_exit", $"process {process.Name} ({process.Pid}) ended, at most {seconds} s after its start", About(process)));
        }

        var moreStarted = changes.StartedCount - changes.Started.Count;
        var moreEnded = changes.EndedCount - changes.Ended.Count;
        if (moreStarted + moreEnded > 0)
        {
            events.Post(new AgentEvent(
                now, AgentEvent.Information, "process_summary", $"{moreStarted} more processes started and {moreEnded} more ended since the last look",
                new Label("started", moreStarted.ToString(CultureInfo.InvariantCulture)), new Label("ended", moreEnded.ToString(CultureInfo.InvariantCulture))));
        }
    }

    private static Label[] About(ProcessChange process) =>
        [new Label("pid", process.Pid.ToString(CultureInfo.InvariantCulture)), new Label("comm", process.Name)];
}
