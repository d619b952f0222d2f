using System.Globalization;
using Lm.Platform;
using Lm.Platform.Files;

namespace Lm.Collector.SharedLog;

/// <summary>The file <c>shared-log.json</c>: up to which commit the spool beside it has everything. Format: docs/formats/commit.md.</summary>
/// <remarks>It is a lower bound: what the spool has beyond is found by its sequences. It also says that the spool is a copy of the shared log, and of which.</remarks>
/// <param name="files">The file system.</param>
/// <param name="path">The file.</param>
/// <param name="store">Names the store, and the place in it.</param>
internal sealed class SharedLogMark(IFileSystem files, string path, string store)
{
    /// <summary>The name of the file, in the spool's folder.</summary>
    public const string FileName = "shared-log.json";

    private const int SizeMax = 1 << 16;
    private const int Version = 1;

    /// <summary>Says so where a spool is a copy of a shared log, for one that would take it as its own.</summary>
    /// <exception cref="IOException">It is.</exception>
    public static void RefuseCopy(IFileSystem files, string directory)
    {
        if (files.Exists(Path.Combine(directory, FileName)))
        {
            throw new IOException($"{directory} is a copy of a log that collectors share ({FileName} is there): acceptance = \"local_spool\" needs a spool_dir of its own");
        }
    }

    /// <summary>Reads the file.</summary>
    /// <param name="incarnation">The spool's id.</param>
    /// <param name="hasRecords">Whether the spool has any.</param>
    /// <param name="now">The time: where the file does not say what was deleted here, everything older may have been.</param>
    /// <returns>What it says.</returns>
    /// <exception cref="IOException">The spool is no copy of this log.</exception>
    public CopyState Read(Guid incarnation, bool hasRecords, UnixMillis now)
    {
        if (AtomicFile.Read(files, path, SizeMax) is not { } bytes)
        {
            return hasRecords
                ? throw new IOException($"{path} is missing, and the spool beside it has records: they were accepted with acceptance = \"local_spool\". s3_manifest begins with an empty spool_dir; move this one away")
                : new CopyState(0, [], long.MinValue);
        }

        var (found, of) = ("", Guid.Empty);
        var state = new CopyState(0, [], now.Value);
        var unknown = state;
        var fault = CheckedJson.TryRead(bytes, Version, root =>
        {
            (found, of) = (root.GetProperty("store").GetString() ?? "", Guid.ParseExact(root.GetProperty("incarnation").GetString() ?? "", "N"));
            state = new CopyState(
                root.GetProperty("applied").GetInt64(),
                root.TryGetProperty("missing", out var missing) ? [.. missing.EnumerateArray().Select(static range => (range[0].GetInt64(), range[1].GetInt64()))] : [],
                root.TryGetProperty("kept_since_ms", out var kept) ? kept.GetInt64() : now.Value);
            return null;
        });
        if (fault is null && found != store)
        {
            throw new IOException($"{path} says that the spool is a copy of the log in {found}, and the settings name {store}: give each its own spool_dir");
        }

        return fault is null && of == incarnation ? state : unknown; // nothing is lost by looking again
    }

    /// <summary>Makes it durable.</summary>
    /// <exception cref="FileSystemException">It could not be.</exception>
    public void Write(Guid incarnation, CopyState state) => AtomicFile.Write(files, path, CheckedJson.Write(json =>
    {
        json.WriteNumber("version", Version);
        json.WriteString("store", store);
        json.WriteString("incarnation", incarnation.ToString("N", CultureInfo.InvariantCulture));
        json.WriteNumber("applied", state.Applied);
        json.WriteStartArray("missing");
        foreach (var (first, last) in state.Missing)
        {
            json.WriteStartArray();
            json.WriteNumberValue(first);
            json.WriteNumberValue(last);
            json.WriteEndArray();
        }

        json.WriteEndArray();
        json.WriteNumber("kept_since_ms", state.KeptSinceMs);
    }));
}
