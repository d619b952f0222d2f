using Lm.ObjectStore;
using Lm.Platform;
using Lm.Platform.Files;

namespace Lm.Collector.SharedLog;

/// <summary>What acceptance by the shared log works with.</summary>
/// <param name="Store">The store; it is disposed of with it.</param>
/// <param name="Keys">Makes keys.</param>
/// <param name="Collector">The collector's name.</param>
/// <param name="Copy">The spool and what writes into it.</param>
/// <param name="Files">The file system of the spool.</param>
/// <param name="Directory">The spool's folder.</param>
/// <param name="Linger">manifest_linger_ms as it is now.</param>
/// <param name="Proven">The time by which what is old may be deleted and forgotten.</param>
/// <param name="Dated">The time by which what stays for a while from now on is dated.</param>
/// <param name="QueueMemory">How long sequences of a silent queue are remembered.</param>
/// <param name="Time">The clock.</param>
/// <param name="Logger">The log.</param>
internal sealed record SharedAcceptanceParts(
    IObjectStore Store, ObjectKeys Keys, string Collector, FoldedSpoolParts Copy, IFileSystem Files, string Directory, Func<TimeSpan> Linger, Func<UnixMillis> Proven, Func<UnixMillis> Dated,
    Func<TimeSpan> QueueMemory, TimeProvider Time, ILogger Logger)
{
    /// <summary>Told before batches are taken, at first and again: silence of agents counts from there.</summary>
    public Action Resumed { get; init; } = static () => { };

    /// <summary>Makes blocks and log files; null where none are made.</summary>
    public IFileMaker? FileMaker { get; init; }

    /// <summary>Bytes of requests that are committed together, about.</summary>
    public long GroupSizeMax { get; init; } = LogGroup.UsualSizeMax;

    /// <summary>blocks_every_seconds.</summary>
    public TimeSpan FilesAfter { get; init; } = TimeSpan.FromHours(2);

    /// <summary>Merges blocks in the store, and deletes blocks and log files there that are too old; null where there are none.</summary>
    public Func<CancellationToken, Task>? TidyAsync { get; init; }

    /// <summary>Whether something on this disk was found damaged.</summary>
    public Func<bool> IsDamaged { get; init; } = static () => false;
}
