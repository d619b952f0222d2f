using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Lm.Platform;
using Lm.Platform.Files;

namespace Lm.Collector.Spool;

/// <summary>The file <c>state.json</c>: what is known from spool records that are no longer there. Format: docs/formats/state.md.</summary>
/// <remarks>
/// Replaced whole, before segments that it summarises are deleted. Without it nothing that was acknowledged is lost: what agents and metrics are
/// called is then known from the records that are left, and from those to come.
/// Records come while it is written, and a restart reads back only what lies behind the position of the first part: so that part is written first, and the
/// others know at least as much. It is read last, and not at all when another part could not be: all records are read back then.
/// </remarks>
internal sealed class StateFile(IFileSystem files, string path, IReadOnlyList<IStatePart> parts, ILogger logger)
{
    // 16,384 agents with all their queues, 65,536 metrics with their help.
    private const int SizeMax = 256 << 20;

    private const string IncarnationKey = "incarnation";

    // Hexadecimal digits and a newline, before and behind.
    private const int ChecksumSize = 10;

    /// <summary>Makes the parts' state durable.</summary>
    /// <returns>False when it could not be.</returns>
    public bool TryWrite(Guid incarnation)
    {
        try
        {
            AtomicFile.Write(files, path, ToBytes(incarnation));
            return true;
        }
        catch (IOException e)
        {
            SpoolLog.StateFailed(logger, e.Message);
            return false;
        }
    }

    /// <summary>What the file would hold now.</summary>
    public byte[] ToBytes(Guid incarnation)
    {
        var buffer = new ArrayBufferWriter<byte>(4096);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString(IncarnationKey, incarnation);
            foreach (var part in parts)
            {
                json.WritePropertyName(part.Name);
                part.Write(json);
            }

            json.WriteEndObject();
        }

        var checksum = Crc32C.Compute(buffer.WrittenSpan);
        buffer.Write(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"\n{checksum:x8}\n")));
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Gives the parts the state that the file holds, when there is one for this spool.</summary>
    public void Read(Guid incarnation)
    {
        try
        {
            if (AtomicFile.Read(files, path, SizeMax) is not { } bytes)
            {
                return;
            }

            if (Content(bytes) is not { } content)
            {
                SpoolLog.StateUnusable(logger, path, $"the checksum behind its {bytes.Length} bytes is wrong or missing");
                return;
            }

            using var document = JsonDocument.Parse(content);
            if (document.RootElement.GetProperty(IncarnationKey).GetGuid() != incarnation)
            {
                SpoolLog.StateUnusable(logger, path, $"it belongs to another spool than {incarnation:N}");
                return;
            }

            foreach (var part in parts.Reverse())
            {
                if (document.RootElement.TryGetProperty(part.Name, out var state))
                {
                    part.Read(state);
                }
            }
        }
        catch (Exception e) when (e is IOException or JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            SpoolLog.StateUnusable(logger, path, e.Message);
        }
    }

    private static ReadOnlyMemory<byte>? Content(byte[] bytes)
    {
        var content = bytes.AsMemory(0, Math.Max(0, bytes.Length - ChecksumSize));
        var checksum = Encoding.ASCII.GetString(bytes.AsSpan(content.Length)).Trim('\n');
        return uint.TryParse(checksum, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var expected) && expected == Crc32C.Compute(content.Span)
            ? content
            : (ReadOnlyMemory<byte>?)null;
    }
}
