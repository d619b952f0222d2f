namespace Lm.ObjectStore.Tests.S3;

/// <summary>The production-grade server that all tests of it share.</summary>
public sealed class ProductionServer : IDisposable
{
    private readonly string missing;

    public ProductionServer() => Running = S3Server.TryStart("real", 18620, ["radosgw", "ceph-mon", "ceph-osd", "ceph", "openssl", "curl"], out missing);

    internal S3Server? Running { get; }

    internal S3Server Required
    {
        get
        {
            Assert.SkipWhen(Running is null, missing);
            return Running!;
        }
    }

    public void Dispose() => Running?.Dispose();
}
