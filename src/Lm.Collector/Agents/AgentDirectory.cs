using System.Text.Json;
using Lm.Collector.Listeners;
using Lm.Collector.Spool;
using Lm.Journal;
using Lm.Platform;
using Lm.Protocol;

namespace Lm.Collector.Agents;

/// <summary>What is known about every agent: from the token table, from its requests, and from its batches in the spool, those of earlier runs
/// included.</summary>
/// <param name="time">The clock.</param>
/// <param name="expected">The agents of the token table.</param>
/// <param name="clockTolerance">How far an agent's clock may differ (<c>max_future_seconds</c>).</param>
internal sealed class AgentDirectory(TimeProvider time, Func<IReadOnlyCollection<string>> expected, Func<TimeSpan> clockTolerance)
    : IAgentReports, IBatchConsumer, IRestoredConsumer, IStatePart
{
    /// <summary>Agents remembered; a further one takes the place of the one silent longest. Only agents with a token get here.</summary>
    public const int AgentsMax = 16_384;

    private readonly Lock gate = new(); // guards agents and everything in them, hasForgotten, applied
    private readonly Dictionary<string, AgentRecord> agents = new(StringComparer.Ordinal);
    private bool hasForgotten;
    private JournalPosition applied;

    /// <inheritdoc/>
    public string Name => "agents";

    /// <summary>The last record that is in the state, or has nothing for it: what comes from senders of remote write alone covers the spool, too.</summary>
    public JournalPosition AppliedUpTo
    {
        get
        {
            lock (gate)
            {
                return applied;
            }
        }
    }

    /// <summary>Agents whose clock differs from the collector's by more than is allowed.</summary>
    public int SuspectClocks
    {
        get
        {
            var tolerance = clockTolerance();
            lock (gate)
            {
                return agents.Values.Count(agent => agent.IsClockSuspect(time, tolerance));
            }
        }
    }

    /// <inheritdoc/>
    public void Report(in AgentReport report)
    {
        lock (gate)
        {
            Find(report.AgentId).Take(report, time.GetTimestamp());
        }
    }

    /// <inheritdoc/>
    public void Apply(AcceptedBatch batch)
    {
        var timestamp = batch.IsReplay ? TimestampOf(batch.ReceivedAt) : time.GetTimestamp();
        lock (gate)
        {
            if (batch.Position > applied || applied == default)
            {
                Find(batch.Batch.Key.AgentId).Take(batch, timestamp);
                applied = batch.Position;
            }
        }
    }

    /// <inheritdoc/>
    /// <remarks>A token of remote write alone has no batches; it shows that it is used.</remarks>
    public void Apply(AcceptedWrite write)
    {
        var timestamp = TimestampOf(write.ReceivedAt);
        lock (gate)
        {
            Find(write.Sender).Seen(write.ReceivedAt, timestamp);
            PassOver(write.Position);
        }
    }

    /// <inheritdoc/>
    public void Apply(AcceptedUps ups)
    {
        lock (gate)
        {
            PassOver(ups.Position);
        }
    }

    /// <summary>Takes what manifests say of batches that an earlier life of the spool acknowledged.</summary>
    /// <param name="agentId">Whose.</param>
    /// <param name="queue">Which queue.</param>
    /// <param name="batches">How many.</param>
    /// <param name="newest">None of them came later.</param>
    public void Restore(string agentId, QueueId queue, long batches, UnixMillis newest)
    {
        lock (gate)
        {
            Find(agentId).Restore(queue, batches, newest, TimestampOf(newest));
        }
    }

    /// <inheritdoc/>
    /// <remarks>They are counted already.</remarks>
    public void Restore(AcceptedBatch batch, IStoredWindows stored)
    {
        lock (gate)
        {
            Find(batch.Batch.Key.AgentId).RestoreInterval(batch.Batch.IntervalMs);
        }
    }

    /// <inheritdoc/>
    public void Write(Utf8JsonWriter json)
    {
        lock (gate)
        {
            json.WriteStartObject();
            json.WriteNumber("segment", applied.Segment);
            json.WriteNumber("offset", applied.Offset);
            json.WriteStartArray("known");
            foreach (var agent in agents.Values.Where(static agent => agent.HasBatches))
            {
                agent.Write(json);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }
    }

    /// <inheritdoc/>
    public void Read(JsonElement state)
    {
        var position = new JournalPosition(state.GetProperty("segment").GetUInt32(), state.GetProperty("offset").GetInt64());
        List<AgentRecord> known = [.. state.GetProperty("known").EnumerateArray().Select(entry => AgentRecord.Read(entry, TimestampOf))];
        lock (gate)
        {
            // Only when all of them could be read: else their batches are read back from the spool, and would count twice.
            foreach (var agent in known)
            {
                agents[agent.AgentId] = agent;
            }

            applied = position;
        }
    }

    /// <summary>The spool's next record comes at this position or behind it: what the state says beyond is of records that were lost.</summary>
    public void SpoolEndsAt(JournalPosition end)
    {
        lock (gate)
        {
            applied = applied < end ? applied : end with { Offset = Math.Max(0, end.Offset - 1) };
        }
    }

    private void PassOver(JournalPosition position) => applied = position > applied ? position : applied;

    // As long ago by this process' clock as the wall clock says; a time in the future counts as fresh.
    private long TimestampOf(UnixMillis at)
    {
        var age = TimeSpan.FromTicks(Math.Max(0, (UnixMillis.Now(time) - at).Ticks));
        return time.GetTimestamp() - (long)(age.TotalSeconds * time.TimestampFrequency);
    }

    /// <summary>Every agent as it is now, sorted by name.</summary>
    public IReadOnlyList<AgentSnapshot> Snapshot()
    {
        var tolerance = clockTolerance();
        List<AgentSnapshot> snapshots;
        lock (gate)
        {
            snapshots = [.. agents.Values.Select(agent => agent.Snapshot(time, tolerance))];
            if (!hasForgotten) // else nobody knows who was never seen
            {
                snapshots.AddRange(expected().Where(agent => !agents.ContainsKey(agent)).Take(AgentsMax - agents.Count).Select(AgentSnapshot.Unseen));
            }
        }

        snapshots.Sort(static (left, right) => string.CompareOrdinal(left.AgentId, right.AgentId));
        return snapshots;
    }

    /// <summary>Metrics about the agents.</summary>
    public IEnumerable<CollectorMetric> Collect()
    {
        var snapshots = Snapshot();
        foreach (var state in Enum.GetValues<AgentState>())
        {
            yield return new CollectorMetric("lm_collector_agents", "Agents known, by state.", false,
                $"state=\"{state.ToString().ToLowerInvariant()}\"", snapshots.Count(agent => agent.State == state));
        }
    }

    private AgentRecord Find(string agentId)
    {
        if (agents.TryGetValue(agentId, out var agent))
        {
            return agent;
        }

        if (agents.Count >= AgentsMax)
        {
            agents.Remove(agents.MinBy(entry => entry.Value.LastSeenTimestamp).Key);
            hasForgotten = true;
        }

        agent = new AgentRecord(agentId);
        agents.Add(agentId, agent);
        return agent;
    }
}
