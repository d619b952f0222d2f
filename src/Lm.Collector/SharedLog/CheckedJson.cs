using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Lm.Platform;

namespace Lm.Collector.SharedLog;

/// <summary>A JSON object with a checksum behind it: the shape of everything small in the shared log. Format: docs/formats/commit.md.</summary>
internal static class CheckedJson
{
    // A newline, 8 hexadecimal digits, a newline.
    private const int ChecksumSize = 10;

    /// <summary>The bytes of what <paramref name="write"/> writes into the object.</summary>
    public static byte[] Write(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }

        var checksum = Crc32C.Compute(buffer.WrittenSpan);
        buffer.Write(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"\n{checksum:x8}\n")));
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Reads the object.</summary>
    /// <param name="bytes">The bytes.</param>
    /// <param name="version">What its member <c>version</c> must be.</param>
    /// <param name="read">Takes the object; what it throws for values that are missing or of another type counts as a fault.</param>
    /// <returns>Null, or what is wrong.</returns>
    public static string? TryRead(ReadOnlyMemory<byte> bytes, int version, Func<JsonElement, string?> read)
    {
        var content = bytes[..Math.Max(0, bytes.Length - ChecksumSize)];
        var tail = bytes.Span[content.Length..];
        if (tail.Length != ChecksumSize || tail[0] != '\n' || tail[^1] != '\n'
            || !uint.TryParse(tail[1..^1], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var expected)
            || expected != Crc32C.Compute(content.Span))
        {
            return $"the checksum behind its {bytes.Length} bytes is wrong or missing";
        }

        try
        {
            using var document = JsonDocument.Parse(content);
            var found = document.RootElement.GetProperty("version").GetInt32();
            return found == version ? read(document.RootElement) : $"its version is {found}; this program reads {version}";
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException or OverflowException or IndexOutOfRangeException)
        {
            return $"it is not what it should be: {e.Message}";
        }
    }
}
