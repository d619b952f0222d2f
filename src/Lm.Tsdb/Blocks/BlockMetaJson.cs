using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Lm.Platform;

namespace Lm.Tsdb.Blocks;

/// <summary>The text of <c>meta.json</c>.</summary>
internal static class BlockMetaJson
{
    /// <summary>Longest text that is read: coverage of years of windows stays below.</summary>
    public const int SizeMax = 16 << 20;

    private static readonly JsonWriterOptions Writing = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static byte[] Write(BlockMeta meta)
    {
        var text = new ArrayBufferWriter<byte>(4096);
        using (var json = new Utf8JsonWriter(text, Writing))
        {
            json.WriteStartObject();
            json.WriteString("ulid", meta.Id.ToString());
            json.WriteNumber("minTime", meta.MinTime);
            json.WriteNumber("maxTime", meta.MaxTime);
            json.WriteStartObject("stats");
            json.WriteNumber("numSamples", meta.Stats.Samples);
            json.WriteNumber("numSeries", meta.Stats.Series);
            json.WriteNumber("numChunks", meta.Stats.Chunks);
            json.WriteEndObject();
            WriteCompaction(json, meta);
            json.WriteNumber("version", 1);
            WriteThanos(json, meta);
            WriteCoverage(json, meta);
            json.WriteEndObject();
        }

        return [.. text.WrittenSpan, (byte)'\n'];
    }

    /// <exception cref="BlockDamageException">It is not such a text.</exception>
    public static BlockMeta Read(string path, byte[] text)
    {
        try
        {
            using var json = JsonDocument.Parse(text);
            return Read(json.RootElement);
        }
        catch (JsonException fault)
        {
            throw new BlockDamageException(path, fault.BytePositionInLine ?? 0, $"it is not JSON: {fault.Message}");
        }
        catch (Exception fault) when (fault is FormatException or InvalidOperationException or KeyNotFoundException or OverflowException)
        {
            throw new BlockDamageException(path, 0, $"it is not a block's meta.json: {fault.Message}");
        }
    }

    private static void WriteCompaction(Utf8JsonWriter json, BlockMeta meta)
    {
        json.WriteStartObject("compaction");
        json.WriteNumber("level", meta.Level);
        json.WriteStartArray("sources");
        foreach (var source in meta.Sources)
        {
            json.WriteStringValue(source.ToString());
        }

        json.WriteEndArray();
        if (meta.Parents.Count > 0)
        {
            json.WriteStartArray("parents");
            foreach (var parent in meta.Parents)
            {
                json.WriteStartObject();
                json.WriteString("ulid", parent.Id.ToString());
                json.WriteNumber("minTime", parent.MinTime);
                json.WriteNumber("maxTime", parent.MaxTime);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        if (meta.Hints.Count > 0)
        {
            json.WriteStartArray("hints");
            foreach (var hint in meta.Hints)
            {
                json.WriteStringValue(hint);
            }

            json.WriteEndArray();
        }

        json.WriteEndObject();
    }

    private static void WriteThanos(Utf8JsonWriter json, BlockMeta meta)
    {
        if (meta.ExternalLabels.Count == 0)
        {
            return; // Thanos refuses a section without labels
        }

        json.WriteStartObject("thanos");
        json.WriteNumber("version", 1);
        json.WriteStartObject("labels");
        foreach (var label in meta.ExternalLabels)
        {
            json.WriteString(label.Name, label.Value);
        }

        json.WriteEndObject();
        json.WriteStartObject("downsample");
        json.WriteNumber("resolution", meta.Resolution);
        json.WriteEndObject();
        json.WriteString("source", "lightmetrics");
        WriteFiles(json, meta);
        if (meta.UploadedAt is { } uploadedAt)
        {
            json.WriteString("upload_time", uploadedAt.UtcDateTime);
        }

        json.WriteStartObject("index_stats");
        json.WriteNumber("series_max_size", meta.SeriesSizeMax);
        json.WriteNumber("chunk_max_size", meta.ChunkSizeMax);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteFiles(Utf8JsonWriter json, BlockMeta meta)
    {
        json.WriteStartArray("files");
        foreach (var file in meta.Files)
        {
            json.WriteStartObject();
            json.WriteString("rel_path", file.Path);
            json.WriteNumber("size_bytes", file.SizeBytes);
            json.WriteEndObject();
        }

        json.WriteStartObject();
        json.WriteString("rel_path", BlockPaths.Meta); // without a size: it would have to hold its own
        json.WriteEndObject();
        json.WriteEndArray();
    }

    private static void WriteCoverage(Utf8JsonWriter json, BlockMeta meta)
    {
        if (meta.Coverage.Count == 0)
        {
            return;
        }

        json.WriteStartObject("lightmetrics");
        json.WriteNumber("version", 1);
        json.WriteStartArray("coverage");
        foreach (var each in meta.Coverage)
        {
            json.WriteStartObject();
            json.WriteString("incarnation", each.Incarnation.ToString("x32", CultureInfo.InvariantCulture));
            json.WriteNumber("window_start", each.WindowStart);
            json.WriteNumber("window_end", each.WindowEnd);
            json.WriteNumber("up_to", each.UpTo);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static BlockMeta Read(JsonElement root)
    {
        if (root.GetProperty("version").GetInt32() is not 1 and var version)
        {
            throw new FormatException($"version is {version}, 1 is expected");
        }

        var stats = root.GetProperty("stats");
        var compaction = root.GetProperty("compaction");
        var (minTime, maxTime) = (root.GetProperty("minTime").GetInt64(), root.GetProperty("maxTime").GetInt64());
        var id = ReadId(root.GetProperty("ulid"));
        List<Ulid> sources = [.. Items(compaction, "sources").Select(ReadId).Order()];
        var meta = new BlockMeta
        {
            Id = id,
            MinTime = minTime,
            MaxTime = maxTime > minTime ? maxTime : throw new FormatException($"maxTime {maxTime} is not above minTime {minTime}"),
            Stats = new BlockStats(Number(stats, "numSamples"), Number(stats, "numSeries"), Number(stats, "numChunks")),
            Level = compaction.GetProperty("level").GetInt32(),
            Sources = sources.Count > 0 ? sources : [id],
            Parents = [.. Items(compaction, "parents").Select(parent => new BlockRange(
                ReadId(parent.GetProperty("ulid")), parent.GetProperty("minTime").GetInt64(), parent.GetProperty("maxTime").GetInt64()))],
            Hints = [.. Items(compaction, "hints").Select(hint => hint.GetString() ?? "")],
            Coverage = root.TryGetProperty("lightmetrics", out var ours) ? ReadCoverage(ours) : [],
        };
        return root.TryGetProperty("thanos", out var thanos) ? WithThanos(meta, thanos) : meta;
    }

    private static BlockMeta WithThanos(BlockMeta meta, JsonElement thanos)
    {
        var hasStats = thanos.TryGetProperty("index_stats", out var stats);
        return meta with
        {
            ExternalLabels = thanos.TryGetProperty("labels", out var labels) && labels.ValueKind == JsonValueKind.Object
                ? [.. labels.EnumerateObject().Select(label => new Label(label.Name, label.Value.GetString() ?? ""))]
                : [],
            Files = [.. Items(thanos, "files")
                .Select(static file => new BlockFile(ReadPath(file), Number(file, "size_bytes")))
                .Where(file => file.Path != BlockPaths.Meta)],
            SeriesSizeMax = hasStats ? Number(stats, "series_max_size") : 0,
            ChunkSizeMax = hasStats ? Number(stats, "chunk_max_size") : 0,
            Resolution = thanos.TryGetProperty("downsample", out var downsample) && downsample.ValueKind == JsonValueKind.Object ? Number(downsample, "resolution") : 0,
            UploadedAt = thanos.TryGetProperty("upload_time", out var uploaded) ? uploaded.GetDateTimeOffset() : null,
        };
    }

    // Whoever brings a block to a disk writes a file of that name below the block's folder, and nowhere else.
    private static string ReadPath(JsonElement file)
    {
        var path = file.GetProperty("rel_path").GetString() ?? "";
        return path.Split('/').All(static part => part is not ("" or "." or "..")) && !path.Contains('\0', StringComparison.Ordinal)
            ? path
            : throw new FormatException($"rel_path is \"{path}\", a path below the block's folder is expected");
    }

    private static IReadOnlyList<BlockCoverage> ReadCoverage(JsonElement ours)
    {
        if (ours.GetProperty("version").GetInt32() is not 1 and var version)
        {
            throw new FormatException($"version of the section lightmetrics is {version}, 1 is expected");
        }

        return [.. Items(ours, "coverage").Select(each => new BlockCoverage(
            UInt128.Parse(each.GetProperty("incarnation").GetString() ?? "", NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture),
            each.GetProperty("window_start").GetInt64(),
            each.GetProperty("window_end").GetInt64(),
            each.GetProperty("up_to").GetUInt64()))];
    }

    private static Ulid ReadId(JsonElement text) =>
        Ulid.TryParse(text.GetString(), out var id) ? id : throw new FormatException($"\"{text.GetString()}\" is not a ULID");

    private static long Number(JsonElement parent, string name) => parent.TryGetProperty(name, out var number) ? number.GetInt64() : 0;

    private static JsonElement.ArrayEnumerator Items(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out var array) && array.ValueKind == JsonValueKind.Array ? array.EnumerateArray() : default;
}
