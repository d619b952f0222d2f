using Lm.ObjectStore.S3;

namespace Lm.ObjectStore.Tests.S3;

/// <summary>The contract on the production-grade server.</summary>
public sealed class ProductionServerTests : ObjectStoreContract, IClassFixture<ProductionServer>, IDisposable
{
    private readonly S3ObjectStore store;

    public ProductionServerTests(ProductionServer server) => store = S3Stores.Open(S3Stores.Options(server.Required.Endpoint));

    internal override IObjectStore Store => store;

    public void Dispose() => store?.Dispose();
}
