using System.Buffers;
using System.Text.Json;
using Lm.Platform;

namespace Lm.Collector.Landing;

/// <summary>A block's <c>deletion-mark.json</c>: it goes 48 hours later, and until then whoever reads it may finish (L31).</summary>
/// <remarks>Source: Thanos, docs/storage.md. Who set it, and why, is in <c>details</c>: marks of others are left to them.</remarks>
/// <param name="Block">The block.</param>
/// <param name="MarkedAt">When it was marked; whole seconds.</param>
/// <param name="Details">Why.</param>
internal sealed record DeletionMark(Ulid Block, DateTimeOffset MarkedAt, string Details)
{
    /// <summary>The file's name in the block's folder.</summary>
    public const string FileName = "deletion-mark.json";

    /// <summary>The longest text that is read.</summary>
    public const int SizeMax = 64 << 10;

    /// <summary>How long a marked block stays.</summary>
    public static readonly TimeSpan Delay = TimeSpan.FromHours(48);

    /// <summary>What marks of a collector's own begin their details with.</summary>
    public static string SignatureOf(string collector) => $"lightmetrics {collector}: ";

    /// <summary>The text.</summary>
    public byte[] ToJson()
    {
        var text = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(text))
        {
            json.WriteStartObject();
            json.WriteString("id", Block.ToString());
            json.WriteNumber("version", 1);
            json.WriteString("details", Details);
            json.WriteNumber("deletion_time", MarkedAt.ToUnixTimeSeconds());
            json.WriteEndObject();
        }

        return text.WrittenSpan.ToArray();
    }

    /// <summary>Reads the text.</summary>
    /// <returns>Null when it is not such a text.</returns>
    public static DeletionMark? Parse(byte[] text)
    {
        try
        {
            using var json = JsonDocument.Parse(text);
            var root = json.RootElement;
            return Ulid.TryParse(root.GetProperty("id").GetString(), out var id)
                ? new DeletionMark(
                    id,
                    DateTimeOffset.FromUnixTimeSeconds(root.GetProperty("deletion_time").GetInt64()),
                    root.TryGetProperty("details", out var details) ? details.GetString() ?? "" : "")
                : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException or ArgumentOutOfRangeException)
        {
            return null;
        }
    }
}
