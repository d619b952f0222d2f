using Lm.Collector.Changes;
using Lm.Collector.Spool;
using Lm.Logs;
using Lm.ObjectStore;
using Lm.Platform;
using Lm.Platform.Files;
using Lm.Tsdb.Blocks;

namespace Lm.Collector.Landing;

/// <summary>What a lander works with.</summary>
/// <param name="Store">The store; the lander's from then on.</param>
/// <param name="Keys">Makes keys.</param>
/// <param name="Counters">What the store counts in.</param>
/// <param name="Collector">The collector's name.</param>
/// <param name="Spool">The spool.</param>
/// <param name="Files">The file system that blocks and log files lie on.</param>
/// <param name="Interval">object_landing_interval_ms as it is now.</param>
/// <param name="Time">The clock.</param>
/// <param name="Logger">Its log.</param>
internal sealed record LanderParts(
    IObjectStore Store, ObjectKeys Keys, StoreCounters Counters, string Collector, BatchSpool Spool,
    IFileSystem Files, Func<TimeSpan> Interval, TimeProvider Time, ILogger Logger)
{
    /// <summary>What this machine has.</summary>
    public required LocalStores Local { get; init; }

    /// <summary>Whether something else merges and deletes blocks in the store: <c>compaction = "external"</c>.</summary>
    public required bool CompactsElsewhere { get; init; }

    /// <summary>What people changed; null where that does not land.</summary>
    public ChangeLog? Changes { get; init; }

    /// <summary>What tells the folder of a store from another one.</summary>
    public DirectoryMarker Marker { get; init; } = new();

    /// <summary>retention_days as it is now.</summary>
    public required Func<TimeSpan> Retention { get; init; }

    /// <summary>The time by which what is old may be deleted.</summary>
    public required Func<UnixMillis> Proven { get; init; }

    /// <summary>Whether queries find a block in the store.</summary>
    public Func<BlockMeta, bool> FindsBlock { get; init; } = static _ => true;

    /// <summary>Whether what queries know of the store is a list that began after a time, by the clock's timestamps.</summary>
    public Func<long, bool> ListedSince { get; init; } = static _ => true;

    /// <summary>Whether queries find a log file in the store.</summary>
    public Func<StoredLogFile, bool> FindsLogFile { get; init; } = static _ => true;

    /// <summary>The time by which what stays for a while from now on is dated.</summary>
    public required Func<UnixMillis> Dated { get; init; }

    /// <summary>The usual <see cref="ObjectSizeMax"/>: two objects a minute then carry 4 MiB/s.</summary>
    public const long UsualObjectSizeMax = 128L << 20;

    /// <summary>Bytes of records after which another object begins.</summary>
    public long ObjectSizeMax { get; init; } = UsualObjectSizeMax;
}
