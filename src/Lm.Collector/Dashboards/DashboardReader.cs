using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Lm.Collector.Query;
using Lm.PromQL;
using Lm.Toml;

namespace Lm.Collector.Dashboards;

/// <summary>Reads a definition, and checks all of it: every query with its variables filled in, every unit, every place in the grid.</summary>
internal static class DashboardReader
{
    private const int TagsMax = 20;
    private const int TagMax = 64;

    /// <summary>Reads a definition.</summary>
    /// <param name="document">Its text, parsed; gets the faults.</param>
    /// <param name="utf8">Its text.</param>
    /// <param name="origin">Where it comes from.</param>
    /// <param name="semantics">Whose PromQL.</param>
    /// <returns>Null when it has faults.</returns>
    public static Dashboard? Read(TomlDocument document, ReadOnlySpan<byte> utf8, DashboardOrigin origin, PromSemantics semantics)
    {
        var root = document.Root;
        if (utf8.Length > Dashboard.SizeMax)
        {
            document.Faults.Add(new TomlPosition(1, 1), $"the definition has {utf8.Length} bytes; at most {Dashboard.SizeMax} are allowed");
            return null;
        }

        root.ReadInteger("version", 1, 1, 1);
        var id = BoundedText.ReadId(root, "id");
        var title = BoundedText.ReadRequired(root, "title", BoundedText.NameMax);
        var description = BoundedText.Read(root, "description", BoundedText.DescriptionMax);
        var tags = BoundedText.ReadList(root, "tags", TagsMax, TagMax);
        BoundedText.ReadDuration(root, "range", "1h");
        BoundedText.ReadDuration(root, "refresh", "15s", none: "off");
        var overrides = root.ReadBoolean("overrides_builtin", false);
        var variables = new VariableReader(semantics).Read(root);
        var panels = new PanelReader(variables, semantics).Read(root);
        root.RefuseUnknownKeys();
        return document.Faults.Any ? null : new Dashboard
        {
            Id = id,
            Title = title,
            Description = description,
            Tags = tags,
            OverridesBuiltin = overrides,
            Panels = panels,
            Toml = Encoding.UTF8.GetString(utf8),
            Json = JsonOf(document),
            ETag = $"\"{Convert.ToHexStringLower(SHA256.HashData(utf8))[..32]}\"",
            Origin = origin,
            File = origin == DashboardOrigin.File ? document.Faults.FileName : null,
        };
    }

    private static byte[] JsonOf(TomlDocument document)
    {
        var json = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(json, ApiJson.Options))
        {
            TomlJson.Write(document, writer);
        }

        return json.WrittenSpan.ToArray();
    }
}
