namespace Lm.Collector.Agents;

/// <summary>Whether an agent's batches arrive on time.</summary>
internal enum AgentState
{
    /// <summary>It has a token and has not been heard of: no request since the start, no batch in the spool.</summary>
    Unseen,

    /// <summary>It asks, but no batch has come.</summary>
    Never,

    /// <summary>They do.</summary>
    Up,

    /// <summary>Two intervals were missed.</summary>
    Late,

    /// <summary>Four intervals were missed.</summary>
    Down,
}

/// <summary>The one rule for <see cref="AgentState"/>.</summary>
internal static class AgentStates
{
    // The agent's default, until a batch says otherwise.
    private static readonly TimeSpan IntervalDefault = TimeSpan.FromSeconds(15);

    /// <summary>An agent's interval.</summary>
    public static TimeSpan IntervalOf(int intervalMs) => intervalMs > 0 ? TimeSpan.FromMilliseconds(intervalMs) : IntervalDefault;

    /// <summary>The state of an agent.</summary>
    /// <param name="sinceLastBatch">How long ago its last batch came; null when none did.</param>
    /// <param name="interval">How often batches are due.</param>
    public static AgentState Of(TimeSpan? sinceLastBatch, TimeSpan interval) => sinceLastBatch switch
    {
        null => AgentState.Never,
        { } age when age > interval * 4 => AgentState.Down,
        { } age when age > interval * 2 => AgentState.Late,
        _ => AgentState.Up,
    };
}
