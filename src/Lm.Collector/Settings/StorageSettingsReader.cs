using Lm.Toml;

namespace Lm.Collector.Settings;

/// <summary>Reads <c>[storage]</c>.</summary>
internal static class StorageSettingsReader
{
    /// <summary>The most that a setting in days may say.</summary>
    public const int DaysMax = 36_500;

    /// <summary>Reads the table.</summary>
    /// <param name="table">The table.</param>
    /// <param name="objectStoreTable">The object store's, for its faults.</param>
    /// <param name="objectStore">What it says: its retention bounds how late a record may come.</param>
    /// <param name="reading">Gathers faults.</param>
    public static StorageSettings Read(TomlTable table, TomlTable objectStoreTable, ObjectStoreSettings? objectStore, SettingsReading reading)
    {
        var localDays = (int)table.ReadInteger("local_retention_days", 90, 1, DaysMax);
        var backfillDays = (int)table.ReadInteger("backfill_days", 35, 1, DaysMax);
        var bucketDays = objectStore?.Retention.TotalDays;
        if (bucketDays is null && backfillDays > localDays)
        {
            FaultBackfill(table, table, "local_retention_days", backfillDays, $"local_retention_days, which is {localDays}");
        }
        else if (bucketDays < backfillDays)
        {
            FaultBackfill(table, objectStoreTable, "retention_days", backfillDays, $"object_store.retention_days, which is {bucketDays}");
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
}
