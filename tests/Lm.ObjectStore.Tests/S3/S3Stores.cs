using Lm.ObjectStore.S3;

namespace Lm.ObjectStore.Tests.S3;

/// <summary>Makes stores for tests.</summary>
internal static class S3Stores
{
    public static S3Options Options(Uri endpoint) => new()
    {
        Endpoint = endpoint,
        Region = "us-east-1",
        Bucket = S3Server.Bucket,
        ForcePathStyle = true,
        Keys = static () => new S3Keys("test-access", "test-secret-0123456789"),
        TrustedRoots = null,
        SendsChecksums = false,
        UsesChunkEncoding = false,
        PartSize = 5 << 20,
        Timeout = TimeSpan.FromSeconds(30),
        TriesMax = 4,
    };

    public static S3ObjectStore Open(S3Options options, StoreCounters? counters = null, TimeProvider? time = null) =>
        new(options, counters ?? new StoreCounters(), time ?? TimeProvider.System, new Random(1));
}
