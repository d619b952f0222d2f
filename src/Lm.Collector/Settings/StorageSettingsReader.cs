using Lm.Toml;

namespace Lm.Collector.Settings;

/// <summary>Reads <c>[storage]</c> and <c>[object_store]</c>, whose retentions depend on each other.</summary>
internal static class StorageSettingsReader
{
    /// <summary>The most that a setting in days may say.</summary>
    public const int DaysMax = 36_500;

    /// <summary>Reads both tables.</summary>
    public static StorageSettings Read(TomlTable table, TomlTable objectStore, SettingsReading reading)
    {
        var localDays = (int)table.ReadInteger("local_retention_days", 90, 1, DaysMax);
        var backfillDays = (int)table.ReadInteger("backfill_days", 35, 1, DaysMax);
        var bucketDays = ReadObjectStore(objectStore, reading);
        if (bucketDays is null && backfillDays > localDays)
        {
            FaultBackfill(table, table, "local_retention_days", backfillDays, $"local_retention_days, which is {localDays}");
        }
        else if (bucketDays < backfillDays)
        {
            FaultBackfill(table, objectStore, "retention_days", backfillDays, $"object_store.retention_days, which is {bucketDays}");
        }

        return new StorageSettings
        {
            CollectorId = ReadCollectorId(table),
            SpoolDirectory = ReadFolder(table, "spool_dir", "/var/lib/lightmetrics/spool", reading),
            CacheDirectory = ReadFolder(table, "cache_dir", "/var/lib/lightmetrics/cache", reading),
            SpoolSizeMax = table.ReadInteger("max_spool_bytes", 10_737_418_240, 1 << 20, long.MaxValue),
            LocalSizeMax = table.ReadInteger("max_local_bytes", 107_374_182_400, 1 << 20, long.MaxValue),
            BlockHours = (int)table.ReadInteger("block_hours", 2, 1, 24),
            LocalRetention = TimeSpan.FromDays(localDays),
            Backfill = TimeSpan.FromDays(backfillDays),
        };
    }

    // At the key that the operator wrote; the other one may be the default.
    private static void FaultBackfill(TomlTable table, TomlTable boundTable, string boundKey, int days, string bound)
    {
        var (at, key) = table.Has("backfill_days") ? (table, "backfill_days") : (boundTable, boundKey);
        at.Fault(key, $"backfill_days is {days}, more than {bound}: what is accepted that late would be deleted at once");
    }

    private static string ReadCollectorId(TomlTable table)
    {
        var id = table.ReadString("collector_id", "");
        if (id.Length == 0)
        {
            return Environment.MachineName;
        }

        if (id.Length > 128 || !id.All(character => char.IsAsciiLetterOrDigit(character) || character is '.' or '_' or '-') || id[0] == '.')
        {
            table.Fault("collector_id", $"collector_id is \"{id}\"; 1 to 128 letters, digits, '.', '_' and '-' are allowed, no '.' first: it is part of object keys");
        }

        return id;
    }

    private static string ReadFolder(TomlTable table, string key, string missing, SettingsReading reading)
    {
        var folder = table.ReadString(key, missing);
        if (folder.Length == 0)
        {
            table.Fault(key, $"{key} is empty; a folder is expected");
            return missing;
        }

        var path = reading.Resolve(folder);
        if (File.Exists(path))
        {
            table.Fault(key, $"{key}: {path} is a file; a folder is expected");
        }

        return path;
    }

    // Checked today, so that a file is right when landing comes; null without the table.
    private static int? ReadObjectStore(TomlTable table, SettingsReading reading)
    {
        if (!table.IsPresent)
        {
            return null;
        }

        var kind = table.ReadChoice("kind", "s3", "s3", "directory");
        _ = table.ReadString("prefix", "");
        _ = table.ReadString("endpoint", "");
        _ = table.ReadString("region", "us-east-1");
        _ = table.ReadBoolean("force_path_style", true);
        _ = table.ReadChoice("compaction", "self", "self", "external");
        _ = table.ReadInteger("manifest_linger_ms", 500, 0, 60_000);
        if (kind == "directory")
        {
            _ = table.ReadRequiredString("directory");
            _ = table.ReadString("bucket", "");
            _ = table.ReadString("access_key_id_file", "");
            _ = table.ReadString("secret_access_key_file", "");
        }
        else
        {
            _ = table.ReadRequiredString("bucket");
            _ = table.ReadString("directory", "");
            _ = reading.ReadFile(table, "access_key_id_file", "/etc/lightmetrics/s3-access-key-id", isSecret: true);
            _ = reading.ReadFile(table, "secret_access_key_file", "/etc/lightmetrics/s3-secret-access-key", isSecret: true);
        }

        reading.Warn("[object_store] is checked but not used in this version: data stays on the local disk");
        return (int)table.ReadInteger("retention_days", 400, 1, DaysMax);
    }
}
