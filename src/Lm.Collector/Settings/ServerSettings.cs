using Lm.Collector.Dashboards;
using Lm.Toml;

namespace Lm.Collector.Settings;

/// <summary>The whole configuration of the collector: server.toml and every file that it names, read and checked. Immutable.</summary>
internal sealed record ServerSettings
{
    /// <summary><c>[ingest]</c>.</summary>
    public required IngestSettings Ingest { get; init; }

    /// <summary><c>[query]</c>.</summary>
    public required QuerySettings Query { get; init; }

    /// <summary><c>[storage]</c>.</summary>
    public required StorageSettings Storage { get; init; }

    /// <summary><c>[object_store]</c>; null without it.</summary>
    public required ObjectStoreSettings? ObjectStore { get; init; }

    /// <summary>The definitions that <c>[dashboards]</c> names, each id once.</summary>
    public required IReadOnlyList<Dashboard> Dashboards { get; init; }

    /// <summary>What is no fault but an operator should know.</summary>
    public required IReadOnlyList<string> Warnings { get; init; }

    /// <summary>Every setting of server.toml, with its value and place.</summary>
    public required IReadOnlyList<TomlSetting> Listing { get; init; }

    /// <summary>Every file and folder that was read: a change of one calls for a reload.</summary>
    public required IReadOnlyList<string> Files { get; init; }

    /// <summary>Reads everything; this is all that <c>--check-config</c> does.</summary>
    /// <param name="path">server.toml, as the operator gave it.</param>
    /// <param name="time">The clock, for certificates.</param>
    /// <param name="faults">Every fault of every file; empty when the result is not null.</param>
    public static ServerSettings? TryLoad(string path, TimeProvider time, out IReadOnlyList<SettingsFault> faults)
    {
        var reading = new SettingsReading(path, time);
        var settings = reading.TryRead();
        faults = reading.Faults;
        return faults.Count == 0 ? settings : null;
    }

    /// <summary>The settings that differ from <paramref name="running"/> and take effect only after a restart; all others take effect at a reload.</summary>
    public IEnumerable<string> NeedsRestart(ServerSettings running)
    {
        if (Ingest.Listen != running.Ingest.Listen)
        {
            yield return "ingest.listen";
        }

        if (Query.Listen != running.Query.Listen)
        {
            yield return "query.listen";
        }

        if ((Query.Tls is null) != (running.Query.Tls is null))
        {
            yield return Query.Tls is null ? "[query.tls] (taken out)" : "[query.tls] (added)";
        }

        if (Storage.SpoolDirectory != running.Storage.SpoolDirectory)
        {
            yield return "storage.spool_dir";
        }

        if (Storage.CacheDirectory != running.Storage.CacheDirectory)
        {
            yield return "storage.cache_dir";
        }

        if (Storage.CollectorId != running.Storage.CollectorId)
        {
            yield return "storage.collector_id";
        }

        if (Storage.BlockHours != running.Storage.BlockHours)
        {
            yield return "storage.block_hours";
        }

        if (HasOtherStore(running))
        {
            yield return "[object_store] (all but its keys and retention_days)";
        }
    }

    /// <summary>These settings with those of <see cref="NeedsRestart"/> as <paramref name="running"/> has them: what is used must be what the
    /// listeners and folders were opened with (a cookie named for a port that nothing listens on, or for TLS that is not there, would sign nobody in).</summary>
    public ServerSettings WithStartOf(ServerSettings running)
    {
        var hasOtherTls = (Query.Tls is null) != (running.Query.Tls is null);
        return this with
        {
            Ingest = Ingest with { Listen = running.Ingest.Listen },
            Query = Query with
            {
                Listen = running.Query.Listen,
                Tls = hasOtherTls ? running.Query.Tls : Query.Tls,
                Certificate = hasOtherTls ? running.Query.Certificate : Query.Certificate,
            },
            Storage = Storage with
            {
                SpoolDirectory = running.Storage.SpoolDirectory,
                CacheDirectory = running.Storage.CacheDirectory,
                CollectorId = running.Storage.CollectorId,
                BlockHours = running.Storage.BlockHours,
            },
            ObjectStore = HasOtherStore(running) ? running.ObjectStore : ObjectStore,
        };
    }

    private bool HasOtherStore(ServerSettings running) => ObjectStore?.Target != running.ObjectStore?.Target;
}
