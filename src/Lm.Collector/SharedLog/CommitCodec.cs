using System.Globalization;
using System.Text.Json;
using Lm.Collector.Ingest;
using Lm.Collector.Spool;
using Lm.ObjectStore;
using Lm.Platform;
using Lm.Protocol;

namespace Lm.Collector.SharedLog;

/// <summary>Writes and reads commits. Format: docs/formats/commit.md.</summary>
internal static class CommitCodec
{
    /// <summary>A commit longer than this is not read: 4,096 records of agents with the longest names are 3 MB.</summary>
    public const int SizeMax = 8 << 20;

    private const int Version = 1;
    private const string Data = "data";
    private const string Build = "build";
    private const string Files = "files";
    private const string Published = "published";

    /// <summary>Its bytes.</summary>
    public static byte[] Write(Commit commit) => CheckedJson.Write(json =>
    {
        json.WriteNumber("version", Version);
        json.WriteString("kind", KindOf(commit));
        json.WriteString("writer", commit.Writer);
        json.WriteString("nonce", commit.Nonce.ToString("N", CultureInfo.InvariantCulture));
        json.WriteNumber("at_ms", commit.At.Value);
        switch (commit)
        {
            case DataCommit data:
                WriteData(json, data);
                break;
            case BuildCommit build:
                WriteBuild(json, build);
                break;
            case FilesCommit files:
                json.WriteNumber("from", files.From);
                json.WriteNumber("covers", files.Covers);
                json.WriteStartObject("manifest");
                WriteObject(json, files.Manifest);
                json.WriteEndObject();
                break;
            default:
                json.WriteNumber("covers", ((PublishedCommit)commit).Covers);
                break;
        }
    });

    /// <summary>Reads one.</summary>
    /// <param name="bytes">Its bytes.</param>
    /// <param name="commit">The commit, when nothing is wrong.</param>
    /// <returns>Null, or what is wrong.</returns>
    public static string? TryRead(ReadOnlyMemory<byte> bytes, out Commit? commit)
    {
        Commit? found = null;
        var fault = CheckedJson.TryRead(bytes, Version, root =>
        {
            var kind = root.GetProperty("kind").GetString();
            var (writer, nonce, at) = (Text(root, "writer"), Guid.ParseExact(Text(root, "nonce"), "N"), new UnixMillis(root.GetProperty("at_ms").GetInt64()));
            switch (kind)
            {
                case Data:
                    found = new DataCommit(writer, nonce, at, ReadObject(root.GetProperty("raw")), [.. root.GetProperty("entries").EnumerateArray().Select(ReadEntry)]);
                    return FaultOf((DataCommit)found);
                case Build:
                    found = new BuildCommit(
                        writer, nonce, at, root.GetProperty("from").GetInt64(), root.GetProperty("covers").GetInt64(),
                        [.. root.GetProperty("adds").EnumerateArray().Select(ReadPart)],
                        [.. root.GetProperty("removes").EnumerateArray().Select(static key => key.GetString() ?? "")],
                        new UnixMillis(root.GetProperty("forget_before_ms").GetInt64()));
                    return null;
                case Files:
                    found = new FilesCommit(writer, nonce, at, root.GetProperty("from").GetInt64(), root.GetProperty("covers").GetInt64(), ReadObject(root.GetProperty("manifest")));
                    return null;
                case Published:
                    found = new PublishedCommit(writer, nonce, at, root.GetProperty("covers").GetInt64());
                    return null;
                default:
                    return $"it is of kind \"{kind}\"; this program knows \"{Data}\", \"{Build}\", \"{Files}\" and \"{Published}\"";
            }
        });
        commit = fault is null ? found : null;
        return fault;
    }

    /// <summary>Writes an object that holds records of many commits.</summary>
    public static void WritePart(Utf8JsonWriter json, LogPart part)
    {
        json.WriteStartObject();
        json.WriteNumber("first", part.First);
        json.WriteNumber("last", part.Last);
        json.WriteNumber("newest_ms", part.Newest.Value);
        WriteObject(json, part.Object);
        json.WriteEndObject();
    }

    /// <summary>Reads what <see cref="WritePart"/> wrote.</summary>
    public static LogPart ReadPart(JsonElement part) => new(
        ReadObject(part), part.GetProperty("first").GetInt64(), part.GetProperty("last").GetInt64(), new UnixMillis(part.GetProperty("newest_ms").GetInt64()));

    /// <summary>Writes files that count and wait.</summary>
    public static void WritePending(Utf8JsonWriter json, PendingFiles pending)
    {
        json.WriteNumber("from", pending.From);
        json.WriteNumber("covers", pending.Covers);
        WriteObject(json, pending.Manifest);
    }

    /// <summary>Reads what <see cref="WritePending"/> wrote.</summary>
    public static PendingFiles ReadPending(JsonElement pending) =>
        new(pending.GetProperty("from").GetInt64(), pending.GetProperty("covers").GetInt64(), ReadObject(pending));

    private static string KindOf(Commit commit) => commit switch
    {
        DataCommit => Data,
        BuildCommit => Build,
        FilesCommit => Files,
        _ => Published,
    };

    private static void WriteData(Utf8JsonWriter json, DataCommit data)
    {
        json.WriteStartObject("raw");
        WriteObject(json, data.Raw);
        json.WriteEndObject();
        json.WriteStartArray("entries");
        foreach (var entry in data.Entries)
        {
            json.WriteStartObject();
            json.WriteNumber("kind", entry.Kind);
            json.WriteNumber("offset", entry.Offset);
            json.WriteNumber("bytes", entry.Size);
            json.WriteString("crc", Hex(entry.Checksum));
            json.WriteNumber("received_ms", entry.ReceivedAt.Value);
            if (entry.Frame is { } frame)
            {
                json.WriteString("agent", frame.Key.AgentId);
                json.WriteString("queue", frame.Key.QueueId.ToString());
                json.WriteNumber("first", frame.Key.Sequences.Start);
                json.WriteNumber("last", frame.Key.Sequences.End);
                json.WriteNumber("floor", frame.Floor);
                json.WriteString("frame_crc", Hex(frame.Fingerprint.Checksum));
                json.WriteNumber("frame_bytes", frame.Fingerprint.Length);
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteBuild(Utf8JsonWriter json, BuildCommit build)
    {
        json.WriteNumber("from", build.From);
        json.WriteNumber("covers", build.Covers);
        json.WriteStartArray("adds");
        foreach (var part in build.Adds)
        {
            WritePart(json, part);
        }

        json.WriteEndArray();
        json.WriteStartArray("removes");
        foreach (var key in build.Removes)
        {
            json.WriteStringValue(key);
        }

        json.WriteEndArray();
        json.WriteNumber("forget_before_ms", build.ForgetBefore.Value);
    }

    private static void WriteObject(Utf8JsonWriter json, StoredObject stored)
    {
        json.WriteString("key", stored.Key);
        json.WriteNumber("size", stored.SizeBytes);
        json.WriteString("sha256", stored.Hash);
    }

    private static StoredObject ReadObject(JsonElement stored)
    {
        var key = Text(stored, "key");
        return ObjectKey.Fault(key) is { } fault
            ? throw new FormatException($"the key \"{key}\" cannot be used: {fault}")
            : new StoredObject(key, stored.GetProperty("size").GetInt64(), Text(stored, "sha256"));
    }

    private static CommitEntry ReadEntry(JsonElement entry)
    {
        var frame = entry.TryGetProperty("agent", out var agent)
            ? new CommitFrame(
                new BatchKey(
                    agent.GetString() ?? "",
                    new QueueId(UInt128.Parse(Text(entry, "queue"), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture)),
                    new SequenceRange(entry.GetProperty("first").GetUInt64(), entry.GetProperty("last").GetUInt64())),
                new FrameFingerprint(Hex(entry, "frame_crc"), entry.GetProperty("frame_bytes").GetInt32()),
                entry.GetProperty("floor").GetUInt64())
            : null;
        return new CommitEntry(
            entry.GetProperty("kind").GetByte(), entry.GetProperty("offset").GetInt64(), entry.GetProperty("bytes").GetInt32(), Hex(entry, "crc"),
            new UnixMillis(entry.GetProperty("received_ms").GetInt64()), frame);
    }

    // What is believed from here on: a record that is nowhere, or a range that ends before it begins, must not be met later.
    private static string? FaultOf(DataCommit data)
    {
        if (data.Entries.Count is 0 or > DataCommit.EntriesMax)
        {
            return $"it has {data.Entries.Count} entries; 1 to {DataCommit.EntriesMax} are allowed";
        }

        for (var i = 0; i < data.Entries.Count; i++)
        {
            var entry = data.Entries[i];
            if (entry.Offset < 0 || entry.Size < 1 || entry.Size > BatchSpool.RecordSizeMax || entry.Offset > data.Raw.SizeBytes - entry.Size)
            {
                return $"its entry {i} has {entry.Size} bytes at byte {entry.Offset}, in an object of {data.Raw.SizeBytes}";
            }

            if (entry.Frame is { Key.Sequences: var range } && (range.Start < 1 || range.End < range.Start))
            {
                return $"its entry {i} has sequences {range.Start} to {range.End}";
            }

            if ((entry.Frame is null) != entry.Kind is WriteRecord.Kind or UpRecord.Kind)
            {
                return $"its entry {i} is of kind {entry.Kind} and has {(entry.Frame is null ? "no " : "")}sequences";
            }
        }

        return null;
    }

    private static string Text(JsonElement element, string name) =>
        element.GetProperty(name).GetString() ?? throw new FormatException($"{name} is null");

    private static string Hex(uint value) => value.ToString("x8", CultureInfo.InvariantCulture);

    private static uint Hex(JsonElement element, string name) => uint.Parse(Text(element, name), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
}
