using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Lm.Platform;

namespace Lm.Collector.Changes;

/// <summary>Records of the journal of changes as one object of the store: a line for each, and one that vouches for them. Format: docs/formats/change.md.</summary>
internal static class ChangeObject
{
    /// <summary>Bytes of records after which another object begins.</summary>
    public const int GroupSize = 4 << 20;

    /// <summary>The longest object: the last record that comes into it may be of the longest kind.</summary>
    public const int SizeMax = GroupSize + ChangeLog.RecordSizeMax + EndSizeMax;

    private const int Version = 1;
    private const int EndSizeMax = 128;
    private const byte NewLine = (byte)'\n';

    /// <summary>Makes the object's bytes.</summary>
    /// <param name="records">The records; none has a line feed in it.</param>
    public static byte[] Write(IReadOnlyList<ReadOnlyMemory<byte>> records)
    {
        var bytes = new ArrayBufferWriter<byte>(records.Sum(static record => record.Length + 1) + EndSizeMax);
        foreach (var record in records)
        {
            bytes.Write(record.Span);
            bytes.Write([NewLine]);
        }

        var checksum = Crc32C.Compute(bytes.WrittenSpan);
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            json.WriteNumber("version"u8, Version);
            json.WriteNumber("records"u8, records.Count);
            json.WriteString("crc32c"u8, checksum.ToString("x8", CultureInfo.InvariantCulture));
            json.WriteEndObject();
        }

        bytes.Write([NewLine]);
        return bytes.WrittenSpan.ToArray();
    }

    /// <summary>Reads the object's bytes.</summary>
    /// <param name="bytes">All of them.</param>
    /// <param name="records">The records; empty where something is wrong.</param>
    /// <returns>Null, or what is wrong.</returns>
    public static string? TryRead(ReadOnlyMemory<byte> bytes, out IReadOnlyList<ReadOnlyMemory<byte>> records)
    {
        records = [];
        if (bytes.Length == 0 || bytes.Span[^1] != NewLine)
        {
            return $"its {bytes.Length} bytes do not end with a line";
        }

        var lines = bytes[..(bytes.Span[..^1].LastIndexOf(NewLine) + 1)];
        if (ReadEnd(bytes[lines.Length..], out var count, out var checksum) is { } fault)
        {
            return fault;
        }

        var computed = Crc32C.Compute(lines.Span);
        if (checksum != computed)
        {
            return $"its checksum is {checksum:x8}, computed {computed:x8}";
        }

        var found = new List<ReadOnlyMemory<byte>>();
        while (lines.Length > 0)
        {
            var length = lines.Span.IndexOf(NewLine);
            found.Add(lines[..length]);
            lines = lines[(length + 1)..];
        }

        if (found.Count != count)
        {
            return $"it has {found.Count} records and says that it has {count}";
        }

        records = found;
        return null;
    }

    private static string? ReadEnd(ReadOnlyMemory<byte> line, out int count, out uint checksum)
    {
        (count, checksum) = (0, 0);
        try
        {
            using var document = JsonDocument.Parse(line, new JsonDocumentOptions { MaxDepth = 2 });
            var json = document.RootElement;
            if (json.GetProperty("version"u8).GetInt32() is not Version and var version)
            {
                return $"its version is {version}; this program reads {Version}";
            }

            count = json.GetProperty("records"u8).GetInt32();
            return uint.TryParse(json.GetProperty("crc32c"u8).GetString(), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out checksum) ? null : "its checksum is no number";
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            return $"its last line does not vouch for the others: {e.Message}";
        }
    }
}
