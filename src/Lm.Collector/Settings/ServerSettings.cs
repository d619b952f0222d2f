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
    public required IReadOnlyList<ListedSetting> Listing { get; init; }

    /// <summary>Every file and folder that was read: a change of one calls for a reload.</summary>
    public required IReadOnlyList<string> Files { get; init; }

    /// <summary>Reads everything; this is all that <c>--check-config</c> does.</summary>
    /// <param name="path">server.toml, as the operator gave it.</param>
    /// <param name="time">The clock, for certificates.</param>
    /// <param name="faults">Every fault of every file; empty when the result is not null.</param>
    public static ServerSettings? TryLoad(string path, TimeProvider time, out IReadOnlyList<SettingsFault> faults) => TryLoad(path, time, out faults, out _);

    /// <summary>Reads everything.</summary>
    /// <param name="path">server.toml, as the operator gave it.</param>
    /// <param name="time">The clock, for certificates.</param>
    /// <param name="faults">Every fault of every file; empty when the result is not null.</param>
    /// <param name="files">Every file and folder that was looked at, also where there are faults.</param>
    public static ServerSettings? TryLoad(string path, TimeProvider time, out IReadOnlyList<SettingsFault> faults, out IReadOnlyList<string> files)
    {
        var reading = new SettingsReading(path, time);
        var settings = reading.TryRead();
        faults = reading.Faults;
        files = reading.Files;
        return faults.Count == 0 ? settings : null;
    }

    /// <summary>The settings that differ from <paramref name="running"/> and take effect only after a restart; all others take effect at a reload.</summary>
    public IEnumerable<string> NeedsRestart(ServerSettings running)
    {
        if (Ingest.Listen != running.Ingest.Listen)
        {
            yield return "ingest.listen";
        }

        if (Ingest.IsShared != running.Ingest.IsShared)
        {
            yield return "ingest.acceptance";
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
            yield return "[object_store] (all but its keys, manifest_linger_ms and retention_days)";
        }
    }

    /// <summary>These settings with those of <see cref="NeedsRestart"/> as <paramref name="running"/> has them: what is used must be what the
    /// listeners and folders were opened with (a cookie named for a port that nothing listens on, or for TLS that is not there, would sign nobody in).</summary>
    public ServerSettings WithStartOf(ServerSettings running)
    {
        var hasOtherTls = (Query.Tls is null) != (running.Query.Tls is null);
        return this with
        {
            Ingest = Ingest with { Listen = running.Ingest.Listen, IsShared = running.Ingest.IsShared },
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
            Listing = [.. ListingWithStartOf(running)],
        };
    }

    // What is listed is what is in effect; beside it stands what the file says, where that awaits a restart.
    private IEnumerable<ListedSetting> ListingWithStartOf(ServerSettings running)
    {
        var inEffect = running.Listing.Where(setting => setting.Value is not null && IsHeld(setting.Path, running)).ToDictionary(setting => setting.Path, StringComparer.Ordinal);
        foreach (var setting in Listing)
        {
            if (!IsHeld(setting.Path, running))
            {
                yield return setting;
            }
            else if (!inEffect.Remove(setting.Path, out var held))
            {
                yield return setting with { Value = null, Awaited = setting.Value };
            }
            else
            {
                yield return setting with { Value = held.Value, Awaited = held.Value == setting.Value ? null : setting.Value };
            }
        }

        foreach (var gone in inEffect.Values)
        {
            yield return gone with { Position = null, Awaited = null };
        }
    }

    private bool IsHeld(string path, ServerSettings running) => path switch
    {
        "ingest.listen" => Ingest.Listen != running.Ingest.Listen,
        "query.listen" => Query.Listen != running.Query.Listen,
        "storage.spool_dir" => Storage.SpoolDirectory != running.Storage.SpoolDirectory,
        "storage.cache_dir" => Storage.CacheDirectory != running.Storage.CacheDirectory,
        "storage.collector_id" => Storage.CollectorId != running.Storage.CollectorId,
        "storage.block_hours" => Storage.BlockHours != running.Storage.BlockHours,
        _ when path.StartsWith("query.tls.", StringComparison.Ordinal) => (Query.Tls is null) != (running.Query.Tls is null),
        _ => path.StartsWith("object_store.", StringComparison.Ordinal) && HasOtherStore(running),
    };

    private bool HasOtherStore(ServerSettings running) => ObjectStore?.Target != running.ObjectStore?.Target;
}

/// <summary>A setting of server.toml, for people.</summary>
/// <param name="Path">Its name from the top, as <c>query.listen</c>.</param>
/// <param name="Value">The value in effect, as TOML writes it; null when it has none before the next start.</param>
/// <param name="Position">Where the file has it; null when it does not.</param>
/// <param name="Awaited">The value that the file has, where it is in effect only after a restart.</param>
internal sealed record ListedSetting(string Path, string? Value, TomlPosition? Position, string? Awaited);
