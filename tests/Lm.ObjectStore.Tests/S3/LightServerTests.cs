using System.Security.Cryptography.X509Certificates;
using Lm.ObjectStore.S3;

namespace Lm.ObjectStore.Tests.S3;

/// <summary>The contract on the light server, which checks signatures and checksums.</summary>
public sealed class LightServerTests : ObjectStoreContract, IClassFixture<LightServer>, IDisposable
{
    private readonly LightServer server;
    private readonly S3ObjectStore store;

    public LightServerTests(LightServer server)
    {
        this.server = server;
        store = S3Stores.Open(S3Stores.Options(server.Required.Endpoint));
    }

    internal override IObjectStore Store => store;

    // It puts keys in the order of a dictionary and not of their bytes: with these names both are the same.
    protected override string[] Names => ["a", "b", "c1", "c2", "00000001", "z"];

    public void Dispose() => store?.Dispose();

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task Every_way_of_sending_checksums_works_where_the_server_knows_them(bool checksums, bool chunks)
    {
        var options = S3Stores.Options(server.Required.Endpoint) with { SendsChecksums = checksums, UsesChunkEncoding = chunks };
        await PutsAndReadsAsync(options, $"checksums/{checksums}/{chunks}");
    }

    [Fact]
    public async Task A_private_ca_is_trusted_when_it_is_named_and_not_otherwise()
    {
        var roots = new X509Certificate2Collection();
        roots.ImportFromPemFile(server.Required.TlsRoots);
        await PutsAndReadsAsync(S3Stores.Options(server.Required.TlsEndpoint) with { TrustedRoots = roots }, "tls/one");

        using var distrusting = S3Stores.Open(S3Stores.Options(server.Required.TlsEndpoint) with { TriesMax = 1 });
        var failure = await Assert.ThrowsAsync<ObjectStoreException>(() => distrusting.FindAsync("tls/one", Cancelled));
        Assert.Equal(ObjectStoreFault.Unreachable, failure.Fault);
        Assert.Contains("certificate", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Wrong_keys_are_told_as_such()
    {
        using var wrong = S3Stores.Open(S3Stores.Options(server.Required.Endpoint) with { Keys = static () => new S3Keys("test-access", "wrong") });

        var failure = await Assert.ThrowsAsync<ObjectStoreException>(() => wrong.ListAsync("", "", 1, Cancelled));

        Assert.Equal(ObjectStoreFault.Denied, failure.Fault);
        Assert.Contains("SignatureDoesNotMatch", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_bucket_that_is_not_there_is_told_as_such()
    {
        using var wrong = S3Stores.Open(S3Stores.Options(server.Required.Endpoint) with { Bucket = "nowhere" });

        var failure = await Assert.ThrowsAsync<ObjectStoreException>(() => wrong.ListAsync("", "", 1, Cancelled));

        Assert.Equal(ObjectStoreFault.NoBucket, failure.Fault);
    }

    private static async Task PutsAndReadsAsync(S3Options options, string key)
    {
        using var store = S3Stores.Open(options);
        foreach (var size in (int[])[0, 10, 200_000, 11 << 20])
        {
            var content = new byte[size];
            new Random(size).NextBytes(content);
            Assert.Equal(PutOutcome.Stored, await store.PutAsync($"{key}/{size}", ObjectContent.Of(content), PutCondition.None, Cancelled));
            var found = new byte[size];
            Assert.Equal(new ObjectRange(size, size), await store.ReadAsync($"{key}/{size}", 0, found, Cancelled));
            Assert.True(found.AsSpan().SequenceEqual(content));
        }
    }
}
