using System.Globalization;
using System.Text.Json;
using Lm.Collector.Spool;
using Lm.Platform;
using Lm.Protocol;

namespace Lm.Collector.Agents;

/// <summary>One agent's state; the directory's gate guards it.</summary>
internal sealed class AgentRecord(string agentId)
{
    // Problem codes are ours and few; queues are the agent's, one for each queue directory it ever had.
    private const int RefusalCodesMax = 32;
    private const int QueuesMax = 64;

    // Longer than the longest wait between two tries of an agent that is refused (5 min, docs/protocol.md).
    private static readonly TimeSpan SkewLife = TimeSpan.FromMinutes(10);

    private readonly Dictionary<string, long> refused = new(StringComparer.Ordinal);
    private readonly Dictionary<QueueId, long> acceptedByQueue = [];
    private UnixMillis lastSeen;
    private UnixMillis? lastBatch;
    private long lastBatchTimestamp;
    private string userAgent = "";
    private string version = "";
    private int intervalMs;
    private long? clockSkewMs;
    private QueueReport? queue;
    private UnixMillis queueAt;
    private long accepted;
    private long duplicates;
    private long droppedTooOld;
    private long droppedOverLimit;

    /// <summary>Its name.</summary>
    public string AgentId => agentId;

    /// <summary>Whether a batch of it was ever stored.</summary>
    public bool HasBatches => accepted > 0;

    /// <summary>When it was last heard of, by the process' clock.</summary>
    public long LastSeenTimestamp { get; private set; } = long.MinValue;

    /// <summary>Takes what a request said.</summary>
    public void Take(in AgentReport report, long timestamp)
    {
        Seen(report.ReceivedAt, timestamp);
        if (report.UserAgent is { } agent && agent != userAgent)
        {
            userAgent = agent;
            var slash = agent.IndexOf('/');
            version = slash < 0 ? "" : agent[(slash + 1)..].Split(' ')[0];
        }

        if (report.IntervalMs > 0)
        {
            intervalMs = report.IntervalMs;
        }

        if (report.SentAt is { } sentAt)
        {
            clockSkewMs = report.ReceivedAt.Value - sentAt.Value;
        }

        if (report.Queue is { } said)
        {
            queue = said;
            queueAt = report.ReceivedAt;
        }

        if (report.Accepted + report.Duplicates > 0)
        {
            BatchCame(report.ReceivedAt, timestamp);
        }

        duplicates += report.Duplicates;
        droppedTooOld += report.DroppedTooOld;
        droppedOverLimit += report.DroppedOverLimit;
        if (report.LastRefusal is { } code && (refused.Count < RefusalCodesMax || refused.ContainsKey(code)))
        {
            refused[code] = refused.GetValueOrDefault(code) + report.Refused;
        }
    }

    /// <summary>It was heard of.</summary>
    public void Seen(UnixMillis at, long timestamp)
    {
        if (timestamp >= LastSeenTimestamp)
        {
            lastSeen = at;
            LastSeenTimestamp = timestamp;
        }
    }

    /// <summary>Takes a batch that is in the spool.</summary>
    public void Take(AcceptedBatch batch, long timestamp)
    {
        Seen(batch.ReceivedAt, timestamp);
        BatchCame(batch.ReceivedAt, timestamp);
        intervalMs = batch.Batch.IntervalMs > 0 ? batch.Batch.IntervalMs : intervalMs;
        accepted++;
        var key = batch.Batch.Key.QueueId;
        if (acceptedByQueue.Count < QueuesMax || acceptedByQueue.ContainsKey(key))
        {
            acceptedByQueue[key] = acceptedByQueue.GetValueOrDefault(key) + 1;
        }
    }

    /// <summary>Takes how many batches of a queue an earlier life of the spool has; a number that is known already counts once.</summary>
    public void Restore(QueueId key, long batches, UnixMillis newest, long timestamp)
    {
        Seen(newest, timestamp);
        BatchCame(newest, timestamp);
        var known = acceptedByQueue.GetValueOrDefault(key);
        if (batches > known && (acceptedByQueue.Count < QueuesMax || known > 0))
        {
            acceptedByQueue[key] = batches;
            accepted += batches - known;
        }
    }

    /// <summary>Takes the interval of a batch of an earlier life, where nothing newer is known.</summary>
    public void RestoreInterval(int interval) => intervalMs = intervalMs > 0 ? intervalMs : interval;

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    /// <param name="state">One entry.</param>
    /// <param name="timestampOf">Turns a time into one of the process' clock.</param>
    public static AgentRecord Read(JsonElement state, Func<UnixMillis, long> timestampOf)
    {
        var agent = new AgentRecord(state.GetProperty("agent_id").GetString() ?? "");
        var lastBatch = new UnixMillis(state.GetProperty("last_batch_ms").GetInt64());
        agent.Seen(lastBatch, timestampOf(lastBatch));
        agent.BatchCame(lastBatch, timestampOf(lastBatch));
        agent.version = state.GetProperty("version").GetString() ?? "";
        agent.intervalMs = state.GetProperty("interval_ms").GetInt32();
        agent.accepted = state.GetProperty("accepted").GetInt64();
        foreach (var queue in state.GetProperty("accepted_by_queue").EnumerateObject())
        {
            var id = UInt128.Parse(queue.Name, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
            agent.acceptedByQueue[new QueueId(id)] = queue.Value.GetInt64();
        }

        return agent;
    }

    /// <summary>Writes what its batches said, for the next run.</summary>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("agent_id", agentId);
        json.WriteNumber("last_batch_ms", lastBatch?.Value ?? 0);
        json.WriteString("version", version);
        json.WriteNumber("interval_ms", intervalMs);
        json.WriteNumber("accepted", accepted);
        json.WriteStartObject("accepted_by_queue");
        foreach (var (queue, count) in acceptedByQueue)
        {
            json.WriteNumber(queue.Value.ToString("x32", CultureInfo.InvariantCulture), count);
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }

    /// <summary>The state now.</summary>
    /// <param name="time">The clock.</param>
    /// <param name="clockTolerance">How far the agent's clock may differ.</param>
    public AgentSnapshot Snapshot(TimeProvider time, TimeSpan clockTolerance)
    {
        var interval = AgentStates.IntervalOf(intervalMs);
        return new AgentSnapshot
        {
            AgentId = agentId,
            State = AgentStates.Of(lastBatch is null ? null : Elapsed(time, lastBatchTimestamp), interval),
            LastSeen = lastSeen,
            LastSeenAge = Elapsed(time, LastSeenTimestamp),
            LastBatch = lastBatch,
            Version = version,
            IntervalMs = intervalMs,
            ClockSkewMs = clockSkewMs,
            IsClockSuspect = IsClockSuspect(time, clockTolerance),
            Queue = queue,
            HasBacklog = queue is { Oldest: { } oldest } && queueAt - oldest > interval * 2,
            Accepted = accepted,
            Duplicates = duplicates,
            DroppedTooOld = droppedTooOld,
            DroppedOverLimit = droppedOverLimit,
            Refused = refused.OrderBy(entry => entry.Key, StringComparer.Ordinal).ToArray(),
            AcceptedByQueue = new Dictionary<QueueId, long>(acceptedByQueue),
        };
    }

    /// <summary>Whether its clock differs by more than is allowed. An agent that is gone says nothing about clocks any more.</summary>
    public bool IsClockSuspect(TimeProvider time, TimeSpan tolerance)
    {
        var interval = AgentStates.IntervalOf(intervalMs);

        // Two intervals, because one request may fail.
        var life = interval * 2 > SkewLife ? interval * 2 : SkewLife;
        return clockSkewMs is { } skew && Math.Abs((double)skew) > tolerance.TotalMilliseconds && Elapsed(time, LastSeenTimestamp) <= life;
    }

    // Replayed moments may lie before the process' clock began: plain arithmetic, as GetElapsedTime would do it.
    private static TimeSpan Elapsed(TimeProvider time, long since)
    {
        var elapsed = time.GetElapsedTime(since, time.GetTimestamp());
        return elapsed > TimeSpan.Zero ? elapsed : TimeSpan.Zero;
    }

    private void BatchCame(UnixMillis at, long timestamp)
    {
        if (lastBatch is null || timestamp >= lastBatchTimestamp)
        {
            lastBatch = at;
            lastBatchTimestamp = timestamp;
        }
    }
}
