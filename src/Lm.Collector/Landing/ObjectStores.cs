using Lm.Collector.Settings;
using Lm.ObjectStore;
using Lm.ObjectStore.S3;
using Lm.Platform.Files;

namespace Lm.Collector.Landing;

/// <summary>Opens the store that the settings name. Without a word of S3 in them, nothing of its client is loaded.</summary>
internal static class ObjectStores
{
    /// <summary>Opens it; nothing is asked of it yet.</summary>
    /// <param name="target">Which one.</param>
    /// <param name="keys">The keys as the settings have them now.</param>
    /// <param name="collector">Who writes.</param>
    /// <param name="files">The file system, for a folder.</param>
    /// <param name="counters">Counts.</param>
    /// <param name="time">The clock.</param>
    /// <param name="marker">What tells a folder from another one.</param>
    public static IObjectStore Open(
        ObjectStoreTarget target, Func<S3Keys?> keys, string collector, IFileSystem files, StoreCounters counters, TimeProvider time, DirectoryMarker? marker = null) =>
        target.Directory is { } folder
            ? new DirectoryObjectStore(files, folder, collector, counters, marker)
            : new S3ObjectStore(OptionsOf(target, keys), counters, time, new Random());

    private static S3Options OptionsOf(ObjectStoreTarget target, Func<S3Keys?> keys) => new()
    {
        Endpoint = target.Endpoint,
        Region = target.Region,
        Bucket = target.Bucket,
        ForcePathStyle = target.ForcePathStyle,
        Keys = target.UsesAwsChain ? null : () => keys() ?? new S3Keys("", ""), // the settings have them, or they would not have been taken
        TrustedRoots = target.TrustedRoots is { } roots ? ServerCertificate.TryReadAll(roots, out _) : null,
        SendsChecksums = target.SendsChecksums,
        UsesChunkEncoding = target.UsesChunkEncoding,
        PartSize = target.PartSize,
        Timeout = target.RequestTimeout,
        TriesMax = target.TriesMax,
    };
}
