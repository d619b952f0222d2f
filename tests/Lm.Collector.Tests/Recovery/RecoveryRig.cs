using System.Buffers.Binary;
using Lm.Collector.Bucket;
using Lm.Collector.Dashboards;
using Lm.Collector.Landing;
using Lm.Collector.Recovery;
using Lm.Collector.Tests.Landing;
using Lm.Collector.Tests.Series;
using Lm.ObjectStore;
using Lm.PromQL;
using Lm.TestKit;

namespace Lm.Collector.Tests.Recovery;

/// <summary>A collector with storage, landing and recovery, whose disk can be lost while its bucket stays.</summary>
internal sealed class RecoveryRig : IAsyncDisposable
{
    private readonly MemoryFileSystem bucket;
    private readonly RemoteStore? remote;

    public RecoveryRig(
        MemoryFileSystem? bucket = null, MemoryFileSystem? files = null, ManualTime? time = null, StorageTruth? truth = null, long segmentSizeMax = 2048, long objectSizeMax = 800,
        RemoteStore? remote = null, bool isExternal = false)
    {
        (this.bucket, this.remote) = (bucket ?? new MemoryFileSystem(), remote);
        var keys = remote?.Keys ?? LandingRig.Keys;
        (files, time) = (files ?? new MemoryFileSystem(), time ?? new ManualTime());
        Store = new FaultyStore(remote?.Open() ?? new DirectoryObjectStore(this.bucket, LandingRig.Bucket, "c1", Counters));
        Bucket = new BucketReader(new BucketReaderParts(Store, keys, files, "/cache", () => CacheSizeMax, time, Log));
        Storage = new StorageRig(files, time, truth: truth, segmentSizeMax: segmentSizeMax, bucket: Bucket);
        Saved = SavedDashboards.Open(files, "/spool/changes", PromSemantics.V3, time, Log);
        Saved.WaitForStore();
        Lander = new Lander(new LanderParts(Store, keys, Counters, "c1", Storage.Spool, Storage.Files, () => TimeSpan.FromSeconds(60), Storage.Time, Log)
        {
            Local = CollectorHost.LocalStoresOf(Storage.Series, Storage.Logs, Storage.Spool, Storage.SpoolMetrics, Storage.StateNow),
            CompactsElsewhere = isExternal,
            Retention = static () => TimeSpan.FromDays(400),
            FindsBlock = Bucket.Finds,
            FindsLogFile = Bucket.Finds,
            ListedSince = Bucket.WasListedSince,
            Proven = () => Storage.Clock.Proven,
            Dated = () => Storage.Clock.Dated,
            Changes = Saved.Changes,
            ObjectSizeMax = objectSizeMax,
        });
        Storage.Lander = Lander;
        Lander.SpoolOpened(static () => true);
        Recoverer = new Recoverer(new RecovererParts(
            Store, keys, Bucket, "c1", Storage.Files, "/spool", Storage.Spool, Storage.Ledger, Storage.Agents, [Storage.Series, Storage.Logs, Storage.Ups, Storage.Agents],
            Storage.Clock, Storage.Trim.TryPersist, Storage.Time, Log)
        {
            Changes = new ChangeRestorer(Store, keys, "c1", Saved, Log),
        });
        Recoverer.Begin();
    }

    public MemoryFileSystem BucketFiles => bucket;

    public BucketReader Bucket { get; }

    public long CacheSizeMax { get; set; } = 1 << 30;

    public StorageRig Storage { get; }

    public FaultyStore Store { get; }

    public StoreCounters Counters { get; } = new();

    public RecordingLogger Log { get; } = new();

    public Lander Lander { get; }

    public SavedDashboards Saved { get; }

    public Recoverer Recoverer { get; }

    public Task<bool> RecoverAsync() => Recoverer.TryPassAsync(TestContext.Current.CancellationToken);

    public async Task LandAsync()
    {
        Assert.NotNull(await Lander.TryPassAsync(TestContext.Current.CancellationToken));
        Assert.Null(Lander.Status.Trouble);
        Assert.Equal(0, Lander.Status.PendingBytes);
    }

    /// <summary>The collector with an empty disk, on the same bucket.</summary>
    public async Task<RecoveryRig> AfterLossAsync()
    {
        await DisposeAsync();
        return new RecoveryRig(bucket, null, Storage.Time, Storage.Truth, remote: remote);
    }

    /// <summary>The collector as it comes up after kill -9.</summary>
    public async Task<RecoveryRig> AfterKillAsync()
    {
        var files = Storage.Files.Kill();
        await DisposeAsync();
        return new RecoveryRig(bucket, files, Storage.Time, Storage.Truth, remote: remote);
    }

    /// <summary>The raw objects in the bucket, by key.</summary>
    public IReadOnlyList<string> RawObjects => bucket.AllFiles(LandingRig.Bucket + "/fleet-a/raw");

    /// <summary>Changes a byte in the middle of an object.</summary>
    public void Damage(string path, int place) => bucket.Corrupt(path, place, [(byte)(bucket.Peek(path)[place] ^ 1)]);

    /// <summary>Deletes the raw objects, as landing does a day after blocks and log files cover them.</summary>
    public async Task DeleteRawAsync()
    {
        foreach (var path in RawObjects)
        {
            await Store.DeleteAsync(path[(LandingRig.Bucket.Length + 1)..], CancellationToken.None);
        }
    }

    /// <summary>Lines in the log files of the bucket, as a reader counts them that takes all files.</summary>
    public async Task<long> LinesInBucketAsync()
    {
        var lines = 0L;
        foreach (var file in Bucket.Catalog.Logs)
        {
            var bytes = new byte[file.FileBytes];
            await Store.ReadAsync(StoreFileSystem.KeyOf(file.Path), 0, bytes, CancellationToken.None);
            lines += BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(bytes.Length - 64)); // docs/formats/log.md: its footer
        }

        return lines;
    }

    /// <summary>Every object in the bucket.</summary>
    public IReadOnlyList<string> AllObjects => bucket.AllFiles(LandingRig.Bucket);

    public byte[] Peek(string path) => bucket.Peek(path);

    public int SizeOf(string path) => bucket.Peek(path).Length;

    public async ValueTask DisposeAsync()
    {
        Lander.Dispose();
        await Saved.DisposeAsync();
        await Storage.DisposeAsync();
    }
}

/// <summary>A store that is no folder in memory.</summary>
/// <param name="Open">Opens it; once for each life of the collector.</param>
/// <param name="Keys">Makes keys: of a prefix of its own.</param>
internal sealed record RemoteStore(Func<IObjectStore> Open, ObjectKeys Keys);
