using Lm.Toml;

namespace Lm.Agent.Settings;

/// <summary><c>[events]</c>: which of the agent's own observations become log records of the input <c>events</c>.</summary>
internal sealed record EventSettings
{
    /// <summary>Whether the agent tells of itself: start, stop, reload, clock steps, losses. Default true.</summary>
    public bool LifeCycle { get; init; } = true;

    /// <summary>Whether processes that start and end are told, as far as the sampler sees them. Default true.</summary>
    public bool Processes { get; init; } = true;

    /// <summary>Starts told one by one at a tick, and as many ends; the rest is told as numbers. Default 32.</summary>
    public int ProcessEventsMax { get; init; } = 32;

    public static EventSettings Read(TomlTable root)
    {
        var table = root.ReadTable("events");
        return new EventSettings
        {
            LifeCycle = table.ReadBoolean("lifecycle", true),
            Processes = table.ReadBoolean("processes", true),
            ProcessEventsMax = (int)table.ReadInteger("max_process_events", 32, 0, 1000),
        };
    }
}
