using System.Text.Json;
using Lm.Collector.Listeners;
using Lm.Collector.Query;
using Lm.Collector.SharedLog;
using Lm.Journal;
using Lm.Platform;

namespace Lm.Collector.Landing;

/// <summary><c>/api/v1/landing</c>: how far the object store is behind.</summary>
internal sealed class LandingEndpoint(PrivateServices services)
{
    /// <summary>Answers one request.</summary>
    public async Task HandleAsync(HttpContext context)
    {
        await using var writer = ApiJson.Begin(context.Response);
        writer.WriteStartObject();
        writer.WriteNumber("now_ms"u8, UnixMillis.Now(services.Time).Value);
        if (services.Landing?.Invoke() is { } status)
        {
            Write(writer, status);
        }
        else if (services.SharedLog?.Invoke() is { } shared)
        {
            Write(writer, shared);
        }
        else
        {
            writer.WriteString("state"u8, "off");
        }

        writer.WriteEndObject();
        await ApiJson.EndAsync(writer, context.Response, context.RequestAborted);
    }

    private static void Write(Utf8JsonWriter writer, LandingStatus status)
    {
        writer.WriteString("state"u8, status switch { { IsHalted: true } => "halted", { Trouble: not null } => "failing", _ => "ok" });
        writer.WriteString("store"u8, status.Store);
        writer.WriteString("reason"u8, status.Trouble);
        WritePosition(writer, "landed", status.Landed);
        writer.WriteNumber("pending_bytes"u8, status.PendingBytes);
        WriteTime(writer, "oldest_waiting_ms", status.OldestWaiting);
        WriteTime(writer, "last_landed_ms", status.LastLanded);
        writer.WriteNumber("objects"u8, status.Objects);
        writer.WriteNumber("object_bytes"u8, status.ObjectBytes);
        writer.WriteNumber("log_files"u8, status.LogFiles);
        writer.WriteNumber("log_files_waiting"u8, status.LogFilesWaiting);
        writer.WriteNumber("blocks"u8, status.Blocks);
        writer.WriteNumber("block_bytes"u8, status.BlockBytes);
        writer.WriteNumber("blocks_waiting"u8, status.BlocksWaiting);
        WritePosition(writer, "covered", status.Covered);
        writer.WriteNumber("objects_covered"u8, status.ObjectsCovered);
    }

    private static void Write(Utf8JsonWriter writer, SharedLogStatus status)
    {
        writer.WriteString("state"u8, status switch { { IsHalted: true } => "halted", { Trouble: not null } => "failing", _ => "ok" });
        writer.WriteString("store"u8, status.Store);
        writer.WriteString("reason"u8, status.Trouble);
        writer.WriteNumber("pending_bytes"u8, status.OpenBytes);
        writer.WriteStartObject("shared_log"u8);
        writer.WriteNumber("last"u8, status.Last);
        WriteTime(writer, "last_ms", status.LastAt);
        writer.WriteNumber("applied"u8, status.Applied);
        writer.WriteNumber("covered"u8, status.Covered);
        writer.WriteNumber("filed"u8, status.Filed);
        writer.WriteNumber("published"u8, status.Published);
        WriteTime(writer, "published_until_ms", status.PublishedUntil);
        writer.WriteBoolean("publishing"u8, status.IsPublishing);
        writer.WriteString("upkeep_reason"u8, status.UpkeepTrouble);
        writer.WriteNumber("parts"u8, status.Parts);
        writer.WriteString("builder"u8, status.Builder);
        writer.WriteStartArray("missing"u8);
        foreach (var (first, last) in status.Missing)
        {
            writer.WriteStartArray();
            writer.WriteNumberValue(first);
            writer.WriteNumberValue(last);
            writer.WriteEndArray();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static void WritePosition(Utf8JsonWriter writer, string name, JournalPosition position)
    {
        writer.WriteStartObject(name);
        writer.WriteNumber("segment"u8, position.Segment);
        writer.WriteNumber("offset"u8, position.Offset);
        writer.WriteEndObject();
    }

    private static void WriteTime(Utf8JsonWriter writer, string name, UnixMillis? time)
    {
        if (time is { } known)
        {
            writer.WriteNumber(name, known.Value);
        }
        else
        {
            writer.WriteNull(name);
        }
    }
}
