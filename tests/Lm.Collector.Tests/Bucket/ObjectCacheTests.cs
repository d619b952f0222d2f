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
        using var cache = ObjectCache.Open(store, files, "/cache/objects", static () => 1L << 40, new ManualTime(), new RecordingLogger());
        var held = cache.Hold("held", 1);
        for (var i = 0; i < ObjectCache.FilesMax + 100; i++)
        {
            cache.LetGo(cache.Hold($"object-{i}", 1));
        }

        Assert.Equal(ObjectCache.FilesMax, cache.Count);
        Assert.Equal(ObjectCache.FilesMax, files.AllFiles("/cache").Count);
        Assert.Same(held, cache.Hold("held", 1)); // who holds one keeps it, however many come after
    }

    [Theory]
    [InlineData(false, 1)]
    [InlineData(true, 3)]
    public async Task What_the_disk_changes_or_loses_is_dropped_and_fetched_again(bool isCut, int pages)
    {
        await using var rig = await Rig.StartAsync();
        var held = rig.Cache.Hold("a/1", rig.Content.Length);
        Assert.Equal(rig.Content, rig.Read(held));
        var fetched = rig.Cache.FetchedBytes;
        rig.Damage(held.FilePath, isCut);
        rig.Time.Advance(CachedObject.CheckInterval);

        Assert.Equal(rig.Content, rig.Read(held));

        Assert.Equal(pages, rig.Cache.DamagedPages);
        Assert.Equal(isCut ? rig.Content.Length - CachedObject.PageSize : CachedObject.PageSize, rig.Cache.FetchedBytes - fetched);
        Assert.Equal(rig.Content.Length, rig.Cache.Bytes);
        Assert.Contains("a/1", Assert.Single(rig.Log.Of(2698)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_whole_is_compared_and_not_fetched_again()
    {
        await using var rig = await Rig.StartAsync();
        var held = rig.Cache.Hold("a/1", rig.Content.Length);
        rig.Read(held);
        var fetched = rig.Cache.FetchedBytes;
        rig.Time.Advance(CachedObject.CheckInterval);

        Assert.Equal(rig.Content, rig.Read(held));

        Assert.Equal((fetched, 0), (rig.Cache.FetchedBytes, rig.Cache.DamagedPages));
    }

    [Fact]
    public async Task What_is_forgotten_is_fetched_anew_and_who_holds_it_reads_on()
    {
        await using var rig = await Rig.StartAsync();
        var before = rig.Cache.Hold("a/1", rig.Content.Length);
        rig.Read(before);

        rig.Cache.Forget("a/");

        var after = rig.Cache.Hold("a/1", rig.Content.Length);
        Assert.NotSame(before, after);
        Assert.Equal(rig.Content, rig.Read(before));
        Assert.Equal(rig.Content, rig.Read(after));
        Assert.Equal(2 * rig.Content.Length, rig.Cache.FetchedBytes);
        rig.Cache.LetGo(before);
        Assert.Equal(rig.Content.Length, rig.Cache.Bytes);
        rig.Cache.LetGo(after);
        rig.Cache.Forget("a/");
        Assert.Equal((0, 0), (rig.Cache.Bytes, rig.Files.AllFiles("/cache").Count));
    }

    private sealed class Rig : IAsyncDisposable
    {
        private readonly DirectoryObjectStore store = new(new MemoryFileSystem(), "/bucket", "c1", new StoreCounters());

        private Rig()
        {
            new Random(1).NextBytes(Content);
            Cache = ObjectCache.Open(store, Files, "/cache/objects", static () => 1L << 40, Time, Log);
        }

        public byte[] Content { get; } = new byte[(3 * CachedObject.PageSize) + 5];

        public MemoryFileSystem Files { get; } = new();

        public ManualTime Time { get; } = new();

        public RecordingLogger Log { get; } = new();

        public ObjectCache Cache { get; }

        public static async Task<Rig> StartAsync()
        {
            var rig = new Rig();
            await rig.store.PutAsync("a/1", ObjectContent.Of(rig.Content), PutCondition.None, TestContext.Current.CancellationToken);
            return rig;
        }

        public byte[] Read(CachedObject held)
        {
            var bytes = new byte[Content.Length];
            Assert.Equal(bytes.Length, held.Read(0, bytes));
            return bytes;
        }

        // Of the second page on.
        public void Damage(string path, bool isCut)
        {
            if (isCut)
            {
                using var file = Files.Open(path, writable: true);
                file.Truncate(CachedObject.PageSize);
                return;
            }

            Files.Corrupt(path, CachedObject.PageSize + 7, (byte)(Content[CachedObject.PageSize + 7] ^ 1));
        }

        public ValueTask DisposeAsync()
        {
            Cache.Dispose();
            store.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
