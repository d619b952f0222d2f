using System.Text;
using System.Text.Json;
using Lm.Agent.HostMetrics;

namespace Lm.Agent.Containers;

/// <summary>The two answers of a runtime that are read, and of them what is needed: no more is kept, however much there is.</summary>
/// <remarks>Source: Docker's Engine API 1.24 and later; Podman's compatible API, whose older versions write <c>Healthcheck</c> for <c>Health</c>.</remarks>
internal static class RuntimeJson
{
    /// <summary>Containers of one list.</summary>
    public const int ContainersMax = 4096;

    private const int IdChars = 64;
    private const int TextBytesMax = 4096;

    /// <summary>Reads a list of containers.</summary>
    /// <param name="json">The answer's body.</param>
    /// <param name="into">Gets them; empty when it is none.</param>
    /// <param name="omittedCount">Containers that were left out: without an id of 64 hexadecimal digits, named twice, or over the bound.</param>
    /// <returns>False when it is no list of containers.</returns>
    public static bool TryReadList(ReadOnlySpan<byte> json, List<ListedContainer> into, out int omittedCount)
    {
        into.Clear();
        omittedCount = 0;
        var ids = new HashSet<string>(StringComparer.Ordinal);
        try
        {
            var reader = new Utf8JsonReader(json);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartArray)
            {
                return false;
            }

            while (reader.Read() && reader.TokenType == JsonTokenType.StartObject)
            {
                var container = ReadListed(ref reader);
                if (container.Id.Length > 0 && into.Count < ContainersMax && ids.Add(container.Id))
                {
                    into.Add(container);
                }
                else
                {
                    omittedCount++;
                }
            }

            if (reader.TokenType == JsonTokenType.EndArray && !reader.Read())
            {
                return true;
            }
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException)
        {
            // It is no JSON, or has a text that is no Unicode.
        }

        into.Clear();
        return false;
    }

    /// <summary>Reads a container's own page.</summary>
    /// <param name="json">The answer's body.</param>
    /// <param name="restartCount">How often the runtime has started it again.</param>
    /// <param name="health">What its health check says.</param>
    /// <returns>False when it describes no container.</returns>
    public static bool TryReadPage(ReadOnlySpan<byte> json, out long restartCount, out ContainerHealth health)
    {
        (restartCount, health) = (-1, ContainerHealth.Unchecked);
        try
        {
            var reader = new Utf8JsonReader(json);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                return false;
            }

            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                if (reader.ValueTextEquals("RestartCount"u8))
                {
                    restartCount = ReadCount(ref reader);
                }
                else if (reader.ValueTextEquals("State"u8))
                {
                    health = ReadHealthOfState(ref reader);
                }
                else
                {
                    reader.Skip();
                }
            }

            return restartCount >= 0 && !reader.Read();
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException)
        {
            return false;
        }
    }

    private static ListedContainer ReadListed(ref Utf8JsonReader reader)
    {
        var (id, name, image, state, status) = ("", "", "", "", "");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("Id"u8))
            {
                id = ReadText(ref reader);
            }
            else if (reader.ValueTextEquals("Names"u8))
            {
                name = ReadName(ref reader);
            }
            else if (reader.ValueTextEquals("Image"u8))
            {
                image = ReadText(ref reader);
            }
            else if (reader.ValueTextEquals("State"u8))
            {
                state = ReadText(ref reader);
            }
            else if (reader.ValueTextEquals("Status"u8))
            {
                status = ReadText(ref reader);
            }
            else
            {
                reader.Skip();
            }
        }

        // The id becomes part of a path that is asked for.
        id = id.Length == IdChars && id.All(char.IsAsciiHexDigitLower) ? id : "";
        return ListedContainer.Of(id, LabelOf(name), LabelOf(image), state, status);
    }

    private static string LabelOf(string text) => LabelText.From(Encoding.UTF8.GetBytes(text), LabelText.LongValueBytesMax);

    // "/web"; with links other containers' names for it stand there, too: "/proxy/web".
    private static string ReadName(ref Utf8JsonReader reader)
    {
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartArray)
        {
            reader.Skip();
            return "";
        }

        var name = "";
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            var next = TextOf(ref reader).TrimStart('/');
            name = name.Length == 0 || (name.Contains('/', StringComparison.Ordinal) && next.Length > 0) ? next : name;
        }

        return name;
    }

    private static string ReadText(ref Utf8JsonReader reader)
    {
        reader.Read();
        return TextOf(ref reader);
    }

    // Of the token that is there; empty, and passed over, when it is no text or a very long one.
    private static string TextOf(ref Utf8JsonReader reader)
    {
        if (reader.TokenType == JsonTokenType.String && reader.ValueSpan.Length <= TextBytesMax)
        {
            return reader.GetString()!;
        }

        reader.Skip();
        return "";
    }

    private static long ReadCount(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out var count))
        {
            return count;
        }

        reader.Skip();
        return -1;
    }

    private static ContainerHealth ReadHealthOfState(ref Utf8JsonReader reader)
    {
        var health = ContainerHealth.Unchecked;
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
        {
            reader.Skip();
            return health;
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("Health"u8) || reader.ValueTextEquals("Healthcheck"u8))
            {
                health = ReadHealth(ref reader, health);
            }
            else
            {
                reader.Skip();
            }
        }

        return health;
    }

    private static ContainerHealth ReadHealth(ref Utf8JsonReader reader, ContainerHealth missing)
    {
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
        {
            reader.Skip();
            return missing;
        }

        var status = "";
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("Status"u8))
            {
                status = ReadText(ref reader);
            }
            else
            {
                reader.Skip();
            }
        }

        return status switch
        {
            "healthy" => ContainerHealth.Healthy,
            "unhealthy" or "starting" => ContainerHealth.Unhealthy,
            _ => missing,
        };
    }
}

/// <summary>A container as a list has it.</summary>
/// <param name="Id">64 hexadecimal digits; empty when it has no such id.</param>
/// <param name="Name">Its name, without the slash that the runtime writes before it.</param>
/// <param name="Image">Its image.</param>
/// <param name="State">Whatever in the list changes when its own page does: state and health.</param>
/// <param name="MayHaveRestarted">Whether it runs for less than a minute, or not at all: it may have been started again since the last list.</param>
internal readonly record struct ListedContainer(string Id, string Name, string Image, string State, bool MayHaveRestarted)
{
    /// <summary>Of a list's fields; <paramref name="status"/> is <c>Up 2 hours (healthy)</c>.</summary>
    public static ListedContainer Of(string id, string name, string image, string state, string status)
    {
        var bracket = status.IndexOf('(', StringComparison.Ordinal);
        var health = bracket < 0 ? "" : status[bracket..];
        return new(id, name, image, state + health, state != "running" || status.Contains("second", StringComparison.Ordinal));
    }
}
