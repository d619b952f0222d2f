namespace Lm.Collector.Settings;

/// <summary>The <c>[storage]</c> table.</summary>
internal sealed record StorageSettings
{
    /// <summary>This collector's name, in its blocks' labels. Default: the host name. Not reloadable.</summary>
    public required string CollectorId { get; init; }

    /// <summary>The folder of everything that was acknowledged: journal/, head/, blocks/, state.json, ledger.snapshot. Not reloadable.</summary>
    public required string SpoolDirectory { get; init; }

    /// <summary>The folder of what can be made again: parts of objects of the object store. Not reloadable.</summary>
    public required string CacheDirectory { get; init; }

    /// <summary>Bytes of the spool's journal; when full, batches are answered 503. Default 10 GiB. Reloadable.</summary>
    public required long SpoolSizeMax { get; init; }

    /// <summary>Bytes of all blocks; the oldest go first. Default 100 GiB. Reloadable.</summary>
    public required long LocalSizeMax { get; init; }

    /// <summary>Hours of a block as the head writes it. Default 2. Not reloadable.</summary>
    public required int BlockHours { get; init; }

    /// <summary>How long blocks stay, and spool segments with log records. Default 90 days. Reloadable.</summary>
    public required TimeSpan LocalRetention { get; init; }

    /// <summary>How old an accepted sample or log record may be. Default 35 days. Reloadable.</summary>
    public required TimeSpan Backfill { get; init; }

    /// <summary>When a queue's sequences are forgotten after its last batch: every repeat is too old by then (D4).</summary>
    public TimeSpan QueueMemory => Backfill + TimeSpan.FromDays(1);
}
