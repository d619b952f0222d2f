using System.Net;
using System.Security.Cryptography.X509Certificates;
using Lm.Agent.Queue;
using Lm.Agent.Settings;
using Lm.Agent.Upload;
using Lm.Platform;

namespace Lm.Agent.Tests.Upload;

/// <summary>Clients over loopback, and a request for them.</summary>
internal static class Uploads
{
    public static UploadClient ClientFor(
        int port, X509Certificate2? root, X509Certificate2? certificate = null, TimeProvider? time = null, NameLookup? lookUp = null) => new(
        new Uri($"https://localhost:{port}"), new Secret("s3cret"),
        new TlsMaterial { Roots = root is null ? null : [root], ClientCertificate = certificate, ClientChain = [] },
        time ?? TimeProvider.System, () => { }, lookUp ?? ((_, _) => Task.FromResult<IPAddress[]>([IPAddress.Loopback])));

    /// <summary>A request of two frames, <c>abcd</c> and <c>efg</c> unless the first is another.</summary>
    public static Task<UploadAnswer> SendAsync(UploadClient client, byte[]? first = null) => client.SendAsync(
        new UploadRequest(
            "a1",
            [Batch(5, first ?? "abcd"u8.ToArray()), Batch(6, "efg"u8.ToArray())],
            new QueueStatus(4, 999, new UnixMillis(77), 3, new QueueCounters { Dropped = 1, Lost = 2, Rejected = 2 }, default),
            new UnixMillis(1_700_000_000_123)),
        TestContext.Current.CancellationToken);

    private static QueuedBatch Batch(ulong sequence, byte[] frame) => new(new BatchNumber(1, sequence), default, default, default, frame);
}
