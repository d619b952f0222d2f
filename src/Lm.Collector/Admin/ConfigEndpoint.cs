using System.Text.Json;
using Lm.Collector.Listeners;
using Lm.Collector.Query;

namespace Lm.Collector.Admin;

/// <summary><c>/api/v1/admin/config</c>: every setting in effect, where it stands, and how the last reload went.</summary>
/// <remarks>Secrets are in files of their own, of which only the names stand in server.toml; no other file is shown.</remarks>
internal sealed class ConfigEndpoint(PrivateServices services)
{
    /// <summary>Answers one request.</summary>
    public async Task HandleAsync(HttpContext context)
    {
        await using var json = ApiJson.Begin(context.Response);
        json.WriteStartObject();
        var current = services.Current;
        json.WriteString("file"u8, current?.Value.Files is [var file, ..] ? file : null);
        json.WriteStartArray("settings"u8);
        foreach (var setting in current?.Value.Listing ?? [])
        {
            json.WriteStartObject();
            json.WriteString("name"u8, setting.Path);
            json.WriteString("value"u8, WithoutSecret(setting.Value));
            json.WriteString("awaits_restart"u8, WithoutSecret(setting.Awaited));
            json.WriteBoolean("is_set"u8, setting.Position is not null);
            if (setting.Position is { } position)
            {
                json.WriteNumber("line"u8, position.Line);
                json.WriteNumber("column"u8, position.Column);
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
        Write(json, "warnings", current?.Value.Warnings ?? []);
        Write(json, "awaits_restart", current?.AwaitsRestart ?? []);
        json.WritePropertyName("refused_reload"u8);
        if (current?.Refused is { } refused)
        {
            json.WriteStartObject();
            json.WriteNumber("at_ms"u8, refused.At.Value);
            Write(json, "faults", refused.Faults);
            json.WriteEndObject();
        }
        else
        {
            json.WriteNullValue();
        }

        json.WriteEndObject();
        await ApiJson.EndAsync(json, context.Response, context.RequestAborted);
    }

    private static void Write(Utf8JsonWriter json, string name, IReadOnlyList<string> texts)
    {
        json.WriteStartArray(name);
        foreach (var text in texts)
        {
            json.WriteStringValue(text);
        }

        json.WriteEndArray();
    }

    // An address could carry a user and password, though none of the settings wants them.
    private static string? WithoutSecret(string? value)
    {
        if (value is null)
        {
            return null;
        }

        var start = value.IndexOf("://", StringComparison.Ordinal);
        var end = start < 0 ? -1 : value.IndexOf('@', start);
        return end < 0 ? value : $"{value[..(start + 3)]}•••{value[end..]}";
    }
}
