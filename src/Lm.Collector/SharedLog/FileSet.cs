using System.Text.Json;
using Lm.ObjectStore;
using Lm.Platform;

namespace Lm.Collector.SharedLog;

/// <summary>Blocks and log files that hold the records of some commits, each record once, and nothing else. Format: docs/formats/commit.md.</summary>
/// <param name="From">The first of the commits.</param>
/// <param name="Covers">The last of them.</param>
/// <param name="Newest">Nothing in them is of a later time.</param>
/// <param name="Files">The files, in the order in which they are put: what vouches for another one comes behind it.</param>
internal sealed record FileSet(long From, long Covers, UnixMillis Newest, IReadOnlyList<SetFile> Files)
{
    /// <summary>A manifest longer than this is not read: one of a thousand files has 200 kB.</summary>
    public const int SizeMax = 16 << 20;

    private const int Version = 1;

    /// <summary>Its bytes.</summary>
    public byte[] ToBytes() => CheckedJson.Write(json =>
    {
        json.WriteNumber("version", Version);
        json.WriteNumber("from", From);
        json.WriteNumber("covers", Covers);
        json.WriteNumber("newest_ms", Newest.Value);
        json.WriteStartArray("files");
        foreach (var file in Files)
        {
            json.WriteStartObject();
            json.WriteString("path", file.Path);
            json.WriteNumber("size", file.SizeBytes);
            json.WriteString("sha256", file.Hash);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    });

    /// <summary>Reads one.</summary>
    /// <returns>Null, or what is wrong.</returns>
    public static string? TryRead(ReadOnlyMemory<byte> bytes, out FileSet? set)
    {
        FileSet? found = null;
        var fault = CheckedJson.TryRead(bytes, Version, root =>
        {
            found = new FileSet(
                root.GetProperty("from").GetInt64(), root.GetProperty("covers").GetInt64(), new UnixMillis(root.GetProperty("newest_ms").GetInt64()),
                [.. root.GetProperty("files").EnumerateArray().Select(ReadFile)]);
            return found.Covers < found.From ? $"it covers commits {found.From} to {found.Covers}" : null;
        });
        set = fault is null ? found : null;
        return fault;
    }

    private static SetFile ReadFile(JsonElement file)
    {
        var path = file.GetProperty("path").GetString() ?? "";
        return ObjectKey.Fault(path) is { } fault
            ? throw new FormatException($"the path \"{path}\" cannot be used: {fault}")
            : new SetFile(path, file.GetProperty("size").GetInt64(), file.GetProperty("sha256").GetString() ?? "");
    }
}

/// <summary>A file of a set.</summary>
/// <param name="Path">Its key, below the prefix.</param>
/// <param name="SizeBytes">Its bytes.</param>
/// <param name="Hash">SHA-256 of them, hexadecimal.</param>
internal sealed record SetFile(string Path, long SizeBytes, string Hash);
