using System.Globalization;
using System.Text.Json;
using Lm.Collector.Ingest;
using Lm.Collector.Listeners;
using Lm.Collector.Query;
using Lm.Platform;

namespace Lm.Collector.Agents;

/// <summary><c>/api/v1/agents</c>: every agent with its last sign of life, its sequences, its queue and its current values.</summary>
internal sealed class AgentsEndpoint(PrivateServices services, AgentDirectory directory, CurrentValues currentValues)
{
    /// <summary>Answers one request.</summary>
    public async Task HandleAsync(HttpContext context)
    {
        var now = UnixMillis.Now(services.Time);
        var agents = directory.Snapshot();
        var values = currentValues.Read(now, context.RequestAborted);
        var queues = services.Queues().ToLookup(queue => queue.AgentId, StringComparer.Ordinal);

        await using var writer = ApiJson.Begin(context.Response);
        writer.WriteStartObject();
        writer.WriteNumber("now_ms"u8, now.Value);
        writer.WriteStartArray("notices"u8);
        foreach (var notice in services.Readiness.Report().Lines)
        {
            writer.WriteStringValue(notice);
        }

        writer.WriteEndArray();
        writer.WriteStartArray("agents"u8);
        foreach (var agent in agents)
        {
            Write(writer, agent, queues[agent.AgentId], values.TryGetValue(agent.AgentId, out var current) ? current : default);
            await ApiJson.FlushIfLargeAsync(writer, context.Response, context.RequestAborted);
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
        await ApiJson.EndAsync(writer, context.Response, context.RequestAborted);
    }

    private static void Write(Utf8JsonWriter writer, AgentSnapshot agent, IEnumerable<QueueState> queues, HostValues current)
    {
        writer.WriteStartObject();
        writer.WriteString("agent_id"u8, agent.AgentId);
        writer.WriteString("state"u8, agent.State.ToString().ToLowerInvariant());
        WriteNumber(writer, "last_seen_ms", agent.LastSeen?.Value);
        writer.WriteString("last_seen"u8, agent.LastSeen is { } seen ? Rfc3339(seen) : null);
        WriteNumber(writer, "last_seen_age_ms", (long?)agent.LastSeenAge?.TotalMilliseconds);
        WriteNumber(writer, "last_batch_ms", agent.LastBatch?.Value);
        writer.WriteString("version"u8, agent.Version);
        WriteNumber(writer, "interval_ms", agent.IntervalMs > 0 ? agent.IntervalMs : null);
        WriteNumber(writer, "clock_skew_ms", agent.ClockSkewMs);
        writer.WriteBoolean("clock_suspect"u8, agent.IsClockSuspect);
        writer.WriteBoolean("backlog"u8, agent.HasBacklog);
        writer.WriteNumber("accepted"u8, agent.Accepted);
        writer.WriteNumber("duplicates"u8, agent.Duplicates);
        writer.WriteNumber("dropped_too_old"u8, agent.DroppedTooOld);
        writer.WriteNumber("dropped_over_limit"u8, agent.DroppedOverLimit);
        writer.WriteStartObject("refused"u8);
        foreach (var (code, count) in agent.Refused)
        {
            writer.WriteNumber(code, count);
        }

        writer.WriteEndObject();
        WriteQueue(writer, agent.Queue);
        WriteQueues(writer, agent, queues);
        WriteCurrent(writer, current);
        writer.WriteEndObject();
    }

    private static void WriteQueue(Utf8JsonWriter writer, QueueReport? queue)
    {
        if (queue is not { } said)
        {
            writer.WriteNull("queue"u8);
            return;
        }

        writer.WriteStartObject("queue"u8);
        writer.WriteNumber("batches"u8, said.Batches);
        writer.WriteNumber("bytes"u8, said.Bytes);
        WriteNumber(writer, "oldest_ms", said.Oldest?.Value);
        writer.WriteNumber("dropped"u8, said.Dropped);
        writer.WriteNumber("rejected"u8, said.Rejected);
        writer.WriteEndObject();
    }

    private static void WriteQueues(Utf8JsonWriter writer, AgentSnapshot agent, IEnumerable<QueueState> queues)
    {
        writer.WriteStartArray("queues"u8);
        foreach (var queue in queues.OrderByDescending(queue => queue.LastReceivedAt.Value)) // the one in use first
        {
            writer.WriteStartObject();
            writer.WriteString("queue_id"u8, queue.QueueId.ToString());
            writer.WriteNumber("highest_seq"u8, queue.Highest);
            writer.WriteNumber("floor_seq"u8, queue.Floor);
            writer.WriteNumber("accepted"u8, agent.AcceptedByQueue.TryGetValue(queue.QueueId, out var accepted) ? accepted : 0);
            writer.WriteNumber("gaps"u8, queue.Gaps);
            writer.WriteNumber("pending"u8, queue.Missing);
            writer.WriteNumber("intervals"u8, queue.Intervals);
            writer.WriteNumber("last_received_ms"u8, queue.LastReceivedAt.Value);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static void WriteCurrent(Utf8JsonWriter writer, HostValues current)
    {
        writer.WriteStartObject("current"u8);
        WriteNumber(writer, "at_ms", current.At);
        WriteNumber(writer, "load1", current.Load1);
        WriteNumber(writer, "memory_used_ratio", current.MemoryUsedRatio);
        WriteNumber(writer, "cpu_busy_ratio", current.CpuBusyRatio);
        WriteNumber(writer, "disk_used_ratio", current.DiskUsedRatio);
        writer.WriteString("disk_mount"u8, current.DiskMount);
        WriteNumber(writer, "network_receive_bytes_per_second", current.ReceiveBytesPerSecond);
        WriteNumber(writer, "network_transmit_bytes_per_second", current.TransmitBytesPerSecond);
        writer.WriteEndObject();
    }

    private static void WriteNumber(Utf8JsonWriter writer, string name, long? value)
    {
        if (value is { } number)
        {
            writer.WriteNumber(name, number);
        }
        else
        {
            writer.WriteNull(name);
        }
    }

    private static void WriteNumber(Utf8JsonWriter writer, string name, double? value)
    {
        if (value is { } number && double.IsFinite(number))
        {
            writer.WriteNumber(name, number);
        }
        else
        {
            writer.WriteNull(name);
        }
    }

    // Times come from requests that were checked; the clamp is for what DateTimeOffset can show (years 1 to 9999).
    private static string Rfc3339(UnixMillis time) =>
        DateTimeOffset.FromUnixTimeMilliseconds(Math.Clamp(time.Value, -62_135_596_800_000, 253_402_300_799_999))
            .ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
}
