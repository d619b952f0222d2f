using Lm.Collector.Bucket;
using Lm.Collector.Tests.Landing;
using Lm.ObjectStore;
using Lm.TestKit;

namespace Lm.Collector.Tests.Bucket;

public sealed class ObjectCacheTests
{
    [Fact]
    public void Files_that_nobody_reads_are_closed_and_deleted_beyond_their_number()
    {
        var files = new MemoryFileSystem();
        using var store = new FaultyStore(new DirectoryObjectStore(new MemoryFileSystem(), "/bucket", "c1", new StoreCounters()));
        using var cache = ObjectCache.Open(store, files, "/cache/objects", static () => 1L << 40);
        var held = cache.Hold("held", 1);
        for (var i = 0; i < ObjectCache.FilesMax + 100; i++)
        {
            cache.LetGo(cache.Hold($"object-{i}", 1));
        }

        Assert.Equal(ObjectCache.FilesMax, cache.Count);
        Assert.Equal(ObjectCache.FilesMax, files.AllFiles("/cache").Count);
        Assert.Same(held, cache.Hold("held", 1)); // who holds one keeps it, however many come after
    }
}
