using Lm.Platform.Files;

namespace Lm.ObjectStore.Tests;

/// <summary>The contract on a real folder.</summary>
public sealed class DirectoryObjectStoreTests : ObjectStoreContract, IDisposable
{
    private readonly string root = Path.Combine(Path.GetTempPath(), "lm-objects-" + Guid.NewGuid().ToString("N"));

    public DirectoryObjectStoreTests() => Store = new DirectoryObjectStore(new PhysicalFileSystem(), root, "one", new StoreCounters());

    internal override IObjectStore Store { get; }

    public void Dispose()
    {
        if (Directory.Exists(root))
        {
            Directory.Delete(root, recursive: true);
        }
    }
}
