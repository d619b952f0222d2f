using Lm.Agent.HostMetrics;
using Lm.Agent.LogTail;
using Lm.Agent.Queue;
using Lm.Agent.Settings;
using Lm.Platform;
using Microsoft.Extensions.Logging;

namespace Lm.Agent.Events;

/// <summary>Everything that makes events, as a daemon has it: the agent itself, processes, watched directories.</summary>
internal sealed class AgentEvents
{
    /// <param name="settings">What is on.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Where log events go.</param>
    public AgentEvents(AgentSettings settings, TimeProvider time, ILogger logger)
    {
        Source = new EventSource(time) { Watches = new FileWatches(time, logger) };
        LifeCycle = new LifeCycle(Source, time);
        BeginTick(settings);
    }

    /// <summary>Where they wait; owned by the tail loop.</summary>
    public EventSource Source { get; }

    /// <summary>What the agent tells of itself.</summary>
    public LifeCycle LifeCycle { get; }

    /// <summary>For the sampler.</summary>
    public ProcessChanges Processes { get; } = new();

    /// <summary>Before a tick collects: takes what the settings say.</summary>
    public void BeginTick(AgentSettings settings)
    {
        LifeCycle.IsOn = settings.Events.LifeCycle;
        Processes.IsOn = settings.Events.Processes;
        Processes.EachMax = settings.Events.ProcessEventsMax;
    }

    /// <summary>After a tick collected: posts what it saw.</summary>
    public void EndTick(UnixMillis collectedAt, in QueueCounters counters, IReadOnlyList<InputCounters> inputs)
    {
        ProcessEvents.Post(Processes, collectedAt, Source);
        Processes.Told();
        LifeCycle.Tick(counters, inputs);
    }
}
