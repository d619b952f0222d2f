using System.Buffers;
using System.Text.Json;
using Lm.Platform.Files;

namespace Lm.Collector.Spool;

/// <summary>The file <c>state.json</c>: what is known from spool records that are no longer there. One JSON object with a key for each part.</summary>
/// <remarks>Replaced whole, before segments that it summarises are deleted. Without it nothing that was acknowledged is lost: what agents and metrics are
/// called is then known from the records that are left, and from those to come.</remarks>
internal sealed class StateFile(IFileSystem files, string path, IReadOnlyList<IStatePart> parts, ILogger logger)
{
    // 16,384 agents with all their queues, 65,536 metrics with their help.
    private const int SizeMax = 256 << 20;

    private const string IncarnationKey = "incarnation";

    /// <summary>Makes the parts' state durable.</summary>
    /// <returns>False when it could not be.</returns>
    public bool TryWrite(Guid incarnation)
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

        try
        {
            AtomicFile.Write(files, path, buffer.WrittenSpan);
            return true;
        }
        catch (IOException e)
        {
            SpoolLog.SnapshotFailed(logger, e.Message);
            return false;
        }
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

            using var document = JsonDocument.Parse(bytes);
            if (document.RootElement.GetProperty(IncarnationKey).GetGuid() != incarnation)
            {
                SpoolLog.SnapshotUnusable(logger, path, $"it belongs to another spool than {incarnation:N}");
                return;
            }

            foreach (var part in parts)
            {
                if (document.RootElement.TryGetProperty(part.Name, out var state))
                {
                    part.Read(state);
                }
            }
        }
        catch (Exception e) when (e is IOException or JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            SpoolLog.SnapshotUnusable(logger, path, e.Message);
        }
    }
}
