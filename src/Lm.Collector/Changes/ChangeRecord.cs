using System.Buffers;
using System.Text.Json;
using Lm.Collector.Query;
using Lm.Platform;

namespace Lm.Collector.Changes;

/// <summary>A record of the journal of changes. Format: docs/formats/change.md.</summary>
internal static class ChangeRecord
{
    private const int Version = 1;

    /// <summary>Writes a record.</summary>
    public static byte[] Write(Change change)
    {
        var record = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(record, ApiJson.Options))
        {
            json.WriteStartObject();
            json.WriteNumber("version"u8, Version);
            json.WriteString("kind"u8, change.Kind);
            json.WriteString("id"u8, change.Id);
            json.WriteNumber("at_ms"u8, change.At.Value);
            json.WriteString("by"u8, change.By);
            json.WriteString("from"u8, change.From);
            json.WriteString("before"u8, change.Before);
            json.WriteString("after"u8, change.After);
            json.WriteEndObject();
        }

        return record.WrittenSpan.ToArray();
    }

    /// <summary>Reads a record.</summary>
    /// <param name="record">Its bytes.</param>
    /// <param name="change">What it tells; null when it cannot be read.</param>
    /// <returns>Null, or what is wrong with it.</returns>
    public static string? TryRead(ReadOnlyMemory<byte> record, out Change? change)
    {
        change = null;
        try
        {
            using var document = JsonDocument.Parse(record, new JsonDocumentOptions { MaxDepth = 4 });
            var json = document.RootElement;
            if (json.ValueKind != JsonValueKind.Object || !json.TryGetProperty("version"u8, out var version) || version.ValueKind != JsonValueKind.Number || !version.TryGetInt32(out var number))
            {
                return "the record is no change: it has no version";
            }

            if (number != Version)
            {
                return $"the record is of version {number}; this program reads version {Version}";
            }

            change = new Change
            {
                Kind = Text(json, "kind"),
                Id = Text(json, "id"),
                At = new UnixMillis(json.GetProperty("at_ms"u8).GetInt64()),
                By = Text(json, "by"),
                From = Text(json, "from"),
                Before = json.GetProperty("before"u8).GetString(),
                After = json.GetProperty("after"u8).GetString(),
            };
            return null;
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            return $"the record is no change: {e.Message}";
        }
    }

    private static string Text(JsonElement json, string name) => json.GetProperty(name).GetString() ?? throw new FormatException($"{name} is null");
}
