using Lm.Journal;
using Lm.Platform;

namespace Lm.Collector.Spool;

/// <summary>The collector's own <c>up</c> of the agents at one moment (V23), durable in the spool.</summary>
/// <param name="Position">Where its record stands; the first position of all while it is not committed.</param>
/// <param name="At">The collector's clock.</param>
/// <param name="Agents">The agents whose sample was due.</param>
/// <param name="IsReplay">Whether it was read back from the spool at start.</param>
internal sealed record AcceptedUps(JournalPosition Position, UnixMillis At, IReadOnlyList<AgentUp> Agents, bool IsReplay);

/// <summary>One agent's <c>up</c>.</summary>
/// <param name="AgentId">The agent.</param>
/// <param name="IntervalMs">How often its batches are due, milliseconds; more than 0.</param>
/// <param name="IsUp">1 or 0.</param>
internal readonly record struct AgentUp(string AgentId, int IntervalMs, bool IsUp)
{
    /// <summary>The sample's time: the moment, rounded down to a multiple of the interval.</summary>
    public long TimeAt(UnixMillis at) => at.Value - (at.Value % IntervalMs);
}
