using System.Text.Json;
using Lm.Collector.Spool;
using Lm.Platform;

namespace Lm.Collector.Agents;

/// <summary>Writes <c>up{instance,job="lightmetrics"}</c> for every agent that has a token and ever sent a batch (V23).</summary>
/// <remarks>
/// Invariants:
/// a sample is a record of the spool before anyone sees it, so a restart shows the same;
/// its time is a multiple of the agent's interval, and no time is written twice, but where the wall clock was set back by more than four
/// intervals: then it goes on from there, for a clock that once ran ahead must not silence it, and the first value of a time stays (V20);
/// it is 1 while batches arrive, whatever their age, and 0 once four intervals have passed without one;
/// it is never 0 within four intervals of the start, or of the end of a time in which no batch could come: until then an agent that has not called for so long has no sample at all;
/// it ends, without a stale marker, when the agent's token goes, and not before: a restart that reads back none of a silent agent's records knows it
/// from the state file.
/// </remarks>
/// <param name="time">The clock.</param>
/// <param name="hasToken">Whether an agent may send.</param>
/// <param name="append">Makes samples durable.</param>
internal sealed class UpWriter(TimeProvider time, Func<string, bool> hasToken, Func<AcceptedUps, ValueTask<SpoolResult>> append) : IBatchConsumer, IRestoredConsumer, IStatePart
{
    /// <summary>How often it looks whose sample is due; an agent's interval counts as no shorter.</summary>
    public static readonly TimeSpan Tick = TimeSpan.FromSeconds(1);

    private const int IntervalsMissedMax = 4;

    private readonly Lock gate = new(); // guards agents and everything in them
    private readonly Dictionary<string, Agent> agents = new(StringComparer.Ordinal);
    private static readonly TimeSpan PauseMin = 10 * Tick;
    private long startedAt;

    /// <inheritdoc/>
    public string Name => "up";

    /// <inheritdoc/>
    public void Apply(AcceptedBatch batch)
    {
        lock (gate)
        {
            if (Find(batch.Batch.Key.AgentId) is not { } agent)
            {
                return;
            }

            agent.SetInterval(batch.Batch.IntervalMs);
            if (!batch.IsReplay)
            {
                agent.LastBatch = time.GetTimestamp();
            }
        }
    }

    /// <inheritdoc/>
    /// <remarks>The records of the last run tell of agents whose batches are no longer read back.</remarks>
    public void Apply(AcceptedUps ups)
    {
        if (!ups.IsReplay)
        {
            return; // this process', noted already
        }

        lock (gate)
        {
            foreach (var up in ups.Agents)
            {
                if (Find(up.AgentId) is { } agent)
                {
                    agent.SetInterval(up.IntervalMs);
                    agent.LastWritten = up.TimeAt(ups.At);
                }
            }
        }
    }

    /// <inheritdoc/>
    /// <remarks>What came since knows better.</remarks>
    public void Restore(AcceptedBatch batch, IStoredWindows stored)
    {
        lock (gate)
        {
            if (Find(batch.Batch.Key.AgentId) is { LastBatch: null } agent)
            {
                agent.SetInterval(batch.Batch.IntervalMs);
            }
        }
    }

    /// <inheritdoc/>
    public void Restore(AcceptedUps ups, IStoredWindows stored)
    {
        lock (gate)
        {
            foreach (var up in ups.Agents)
            {
                if (Find(up.AgentId) is { LastBatch: null } agent)
                {
                    agent.SetInterval(up.IntervalMs);
                    agent.LastWritten = Math.Max(agent.LastWritten ?? long.MinValue, up.TimeAt(ups.At));
                }
            }
        }
    }

    /// <inheritdoc/>
    public void Write(Utf8JsonWriter json)
    {
        lock (gate)
        {
            json.WriteStartArray();
            foreach (var (agentId, agent) in agents)
            {
                json.WriteStartObject();
                json.WriteString("agent_id", agentId);
                json.WriteNumber("interval_ms", agent.IntervalMs);
                if (agent.LastWritten is { } last)
                {
                    json.WriteNumber("last_ms", last);
                }

                json.WriteEndObject();
            }

            json.WriteEndArray();
        }
    }

    /// <inheritdoc/>
    public void Read(JsonElement state)
    {
        lock (gate)
        {
            foreach (var entry in state.EnumerateArray())
            {
                if (Find(entry.GetProperty("agent_id").GetString() ?? "") is { } agent)
                {
                    agent.SetInterval(entry.GetProperty("interval_ms").GetInt32());
                    agent.LastWritten = entry.TryGetProperty("last_ms", out var last) ? last.GetInt64() : agent.LastWritten;
                }
            }
        }
    }

    /// <summary>Batches are taken from now on: silence counts from here.</summary>
    public void Start() => Volatile.Write(ref startedAt, time.GetTimestamp());

    /// <summary>Writes what is due, until stopped.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(Tick, time);
        try
        {
            for (var last = time.GetTimestamp(); await timer.WaitForNextTickAsync(stopping); last = time.GetTimestamp())
            {
                if (time.GetElapsedTime(last) > PauseMin)
                {
                    Start(); // the process stood still: what agents sent meanwhile is on its way yet
                }

                await WriteDueAsync().AsTask().WaitAsync(stopping); // what becomes of the record at a stop is not waited for
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // That is how it ends.
        }
    }

    /// <summary>Writes the samples that are due now, in one record.</summary>
    public async ValueTask WriteDueAsync()
    {
        var now = UnixMillis.Now(time);
        if (Due(now) is not { Count: > 0 } due)
        {
            return;
        }

        var result = await append(new AcceptedUps(default, now, due, IsReplay: false));
        if (result.Status == SpoolStatus.Ok)
        {
            NoteWritten(now, due);
        }

        // Else they are due still; the spool has logged and counted why.
    }

    private List<AgentUp> Due(UnixMillis now)
    {
        var due = new List<AgentUp>();
        lock (gate)
        {
            foreach (var (agentId, agent) in agents)
            {
                var up = new AgentUp(agentId, agent.IntervalMs, IsUp: false);
                if (agent.IsNext(up.TimeAt(now)) && ValueOf(agent) is { } isUp && hasToken(agentId))
                {
                    due.Add(up with { IsUp = isUp });
                }
            }
        }

        return due;
    }

    private void NoteWritten(UnixMillis now, List<AgentUp> due)
    {
        lock (gate)
        {
            foreach (var up in due)
            {
                if (agents.TryGetValue(up.AgentId, out var agent))
                {
                    agent.LastWritten = up.TimeAt(now);
                }
            }
        }
    }

    // Null where nobody can know yet.
    private bool? ValueOf(Agent agent)
    {
        var silenceMax = TimeSpan.FromMilliseconds((double)IntervalsMissedMax * agent.IntervalMs);
        return agent.LastBatch is { } last && time.GetElapsedTime(last) <= silenceMax ? true : time.GetElapsedTime(Volatile.Read(ref startedAt)) > silenceMax ? false : null;
    }

    private Agent? Find(string agentId)
    {
        if (agents.TryGetValue(agentId, out var agent))
        {
            return agent;
        }

        if (agents.Count >= AgentDirectory.AgentsMax)
        {
            foreach (var gone in agents.Keys.Where(id => !hasToken(id)).ToArray())
            {
                agents.Remove(gone);
            }
        }

        return agents.Count >= AgentDirectory.AgentsMax ? null : agents[agentId] = new Agent();
    }

    private sealed class Agent
    {
        // The agent's default, until a batch says otherwise.
        public int IntervalMs { get; private set; } = 15_000;

        // By the process' clock; null when none came since the start.
        public long? LastBatch { get; set; }

        // Null before the first sample.
        public long? LastWritten { get; set; }

        public bool IsNext(long time) => LastWritten is not { } last || time > last || time < last - ((long)IntervalsMissedMax * IntervalMs);

        public void SetInterval(int intervalMs) => IntervalMs = intervalMs > 0 ? Math.Max(intervalMs, (int)Tick.TotalMilliseconds) : IntervalMs;
    }
}
