using Lm.Collector.Landing;
using Lm.Collector.Spool;
using Lm.Collector.Tests.Series;
using Lm.ObjectStore;
using Lm.TestKit;
using Lm.Tsdb;
using Lm.Tsdb.Blocks;

namespace Lm.Collector.Tests.Landing;

/// <summary>Spool, head, blocks and log files that land in a folder of another file system in memory.</summary>
internal sealed class StoredRig : IAsyncDisposable
{
    public const string BlocksFolder = LandingRig.Bucket + "/fleet-a/blocks";

    private const long SmallObject = 600; // a few batches

    private readonly StateFile state;
    private readonly bool isExternal;

    public StoredRig(bool isExternal = false, long objectSizeMax = SmallObject)
        : this(new StorageRig(segmentSizeMax: 1 << 20), new MemoryFileSystem(), isExternal, objectSizeMax)
    {
    }

    private StoredRig(StorageRig storage, MemoryFileSystem bucket, bool isExternal, long objectSizeMax)
    {
        (Storage, Bucketed, this.isExternal) = (storage, bucket, isExternal);
        Store = new FaultyStore(new DirectoryObjectStore(Bucketed, LandingRig.Bucket, "c1", Counters));
        Lander = new Lander(new LanderParts(Store, LandingRig.Keys, Counters, "c1", Storage.Spool, Storage.Files, () => TimeSpan.FromSeconds(60), Storage.Time, Logger)
        {
            Local = CollectorHost.LocalStoresOf(Storage.Series, Storage.Logs, Storage.Spool, Storage.SpoolMetrics, Storage.StateNow),
            CompactsElsewhere = isExternal,
            Retention = () => Retention,
            Proven = () => Storage.Clock.Proven,
            Dated = () => Storage.Clock.Dated,
            ObjectSizeMax = objectSizeMax,
        });
        Storage.Lander = Lander;
        state = new StateFile(Storage.Files, "/spool/landing-state.json", [Lander.State], Logger);
        state.Read(Storage.Spool.Incarnation);
        Lander.SpoolOpened(() => state.TryWrite(Storage.Spool.Incarnation));
    }

    public StorageRig Storage { get; }

    public MemoryFileSystem Bucketed { get; }

    public FaultyStore Store { get; }

    public StoreCounters Counters { get; } = new();

    public RecordingLogger Logger { get; } = new();

    public Lander Lander { get; }

    public LandingState State => (LandingState)Lander.State;

    public TimeSpan Retention { get; set; } = TimeSpan.FromDays(400);

    public IReadOnlyList<string> Objects => Bucketed.AllFiles(LandingRig.Bucket);

    public IEnumerable<string> RawObjects => Objects.Where(static path => path.EndsWith(".lmf", StringComparison.Ordinal));

    /// <summary>Ids of the blocks that are there: whose meta.json is.</summary>
    public IEnumerable<string> BlocksThere => Objects.Where(static path => path.EndsWith("/meta.json", StringComparison.Ordinal)).Select(static path => path.Split('/')[^2]);

    /// <summary>Lets time go by in steps, as a collector's loops do: a batch in each, upkeep, and a pass of landing.</summary>
    public async Task PassAsync(TimeSpan time, TimeSpan? step = null, bool lands = true, bool fails = false)
    {
        for (var left = time; left > TimeSpan.Zero; left -= step ?? TimeSpan.FromHours(1))
        {
            Storage.Time.Advance(step ?? TimeSpan.FromHours(1));
            await Storage.SendAsync();
            Storage.Series.Checkpoint();
            Storage.Logs.Checkpoint();
            Storage.Keep();
            if (lands)
            {
                Assert.True(await LandAsync() || fails, Lander.Status.Trouble);
            }
        }
    }

    public async Task<bool> LandAsync() => await Lander.TryPassAsync(TestContext.Current.CancellationToken) is not null && Lander.Status.Trouble is null;

    /// <summary>The samples of the blocks that are there, read where they lie; each block must be whole.</summary>
    public FoundSeries InBucket()
    {
        var copy = new MemoryFileSystem();
        copy.CreateDirectory(BlocksFolder);
        foreach (var path in Objects.Where(static path => path.StartsWith(BlocksFolder, StringComparison.Ordinal)))
        {
            copy.CreateDirectory(Path.GetDirectoryName(path)!);
            copy.Put(path, Bucketed.Peek(path));
        }

        using var blocks = BlockSet.Open(copy, BlocksFolder, Storage.Time);
        Assert.DoesNotContain(blocks.Damaged, damaged => BlocksThere.Contains(damaged.Name));
        Assert.All(blocks.Metas, static meta =>
        {
            Assert.Equal("lightmetrics_stream=c1", string.Join(' ', meta.ExternalLabels.Select(static label => $"{label.Name}={label.Value}")));
            Assert.NotNull(meta.UploadedAt);
        });
        return FoundSeries.In(new SeriesStore(null, blocks), LabelMatcher.Equal(LabelSet.MetricNameLabel, "node_load1"));
    }

    public bool SaveState() => state.TryWrite(Storage.Spool.Incarnation);

    /// <summary>The collector as it comes up after kill -9.</summary>
    public async Task<StoredRig> AfterKillAsync(MemoryFileSystem? bucket = null)
    {
        Lander.Dispose();
        return new StoredRig(await Storage.AfterKillAsync(), bucket ?? Bucketed, isExternal, SmallObject) { Retention = Retention };
    }

    public async ValueTask DisposeAsync()
    {
        Lander.Dispose();
        await Storage.DisposeAsync();
    }
}
