using Lm.Collector.Bucket;
using Lm.Collector.Landing;
using Lm.Collector.SharedLog;
using Lm.Collector.Tests.Landing;
using Lm.Collector.Verify;
using Lm.ObjectStore;
using Lm.Platform;
using Lm.Protocol;
using Lm.TestKit;
using Lm.Tsdb;
using Lm.Tsdb.Blocks;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Label = Lm.Protocol.Label;

namespace Lm.Collector.Tests.SharedLog;

/// <summary>A collector that builds, and a reader of the bucket: the real maker of blocks and log files, on a bucket in memory.</summary>
internal sealed class SharedFilesRig : IDisposable
{
    private readonly MemoryFileSystem bucket;
    private readonly MemoryFileSystem files = new();
    private readonly LogObjects objects;

    public SharedFilesRig(MemoryFileSystem bucket, TimeProvider time, string name = "builder", Func<UnixMillis>? proven = null, TimeSpan partsFor = default)
    {
        this.bucket = bucket;
        Store = new FaultyStore(new DirectoryObjectStore(bucket, LandingRig.Bucket, name, new StoreCounters()));
        objects = new LogObjects(Store, LandingRig.Keys);
        Reader = new BucketReader(new BucketReaderParts(Store, LandingRig.Keys, files, "/cache", static () => 1 << 30, time, NullLogger.Instance));
        var options = new LogOptions { SnapshotEvery = 1, FilesAfter = TimeSpan.Zero, PartsFor = partsFor };
        Member = new LogMember(new LogMemberParts(objects, name, new NoConsumer(), time, new Random(1), options), 0);
        var parts = new LogBuilderParts(objects, name, time, options, proven ?? (() => UnixMillis.Now(time)), () => UnixMillis.Now(time), static () => TimeSpan.FromDays(400));
        Builder = new LogBuilder(Member, parts);
        Files = new FileBuilder(Member, parts, new FileMaker(new FileMakerParts(Store, LandingRig.Keys, files, "/spool/build", 2, time)
        {
            ListBlocksAsync = async token =>
            {
                await Reader.ListAsync(token);
                return Reader.Catalog.Blocks;
            },
            TakeBlocks = Reader.TakeAll,
        }));
    }

    public FaultyStore Store { get; }

    public BucketReader Reader { get; }

    public LogMember Member { get; }

    public LogBuilder Builder { get; }

    public FileBuilder Files { get; }

    public IReadOnlyList<string> Objects => bucket.AllFiles(LandingRig.Bucket);

    /// <summary>A batch with samples of one series, and lines.</summary>
    public static byte[] Frame(ulong sequence, UnixMillis at, double value, long[] times, params string[] lines)
    {
        var encoder = new BatchEncoder();
        encoder.Begin(at, 15_000, []);
        encoder.AddSamples(new MetricDescriptor("m", MetricType.Gauge, "", ""), [], [.. times.Select(static time => new UnixMillis(time))], [.. times.Select(_ => value)]);
        foreach (var line in lines)
        {
            encoder.AddLog(new LogRecord(at, 9, line, [new Label("input", "app")]));
        }

        return encoder.EncodeFrame(new BatchKey("a1", new QueueId(7), new SequenceRange(sequence, sequence))).ToArray();
    }

    /// <summary>Brings everything that is committed to where readers find it.</summary>
    public async Task FileAllAsync()
    {
        await Member.JoinAsync(TestContext.Current.CancellationToken);
        Assert.True(await Builder.RunAsync(TestContext.Current.CancellationToken));
        Assert.True(await Files.RunAsync(TestContext.Current.CancellationToken));
        await Files.CleanAsync(Files.PlanCleaning(), TestContext.Current.CancellationToken);
        await Reader.ListAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>All samples of blocks in the bucket, those that are in two of them twice.</summary>
    public List<(long Time, double Value)> Samples()
    {
        var (found, buffer) = (new List<(long, double)>(), new SampleBuffer());
        foreach (var block in Reader.Blocks.Take(long.MinValue, long.MaxValue, []))
        {
            using var selection = block.Find([], long.MinValue, long.MaxValue, CancellationToken.None);
            for (var i = 0; i < selection.Count; i++)
            {
                buffer.Clear();
                selection.Read(i, long.MinValue, long.MaxValue, buffer);
                for (var j = 0; j < buffer.Count; j++)
                {
                    found.Add((buffer.Times[j], buffer.Values[j]));
                }
            }

            block.Release();
        }

        found.Sort();
        return found;
    }

    /// <summary>A bucket with the same objects.</summary>
    public static MemoryFileSystem CopyOf(MemoryFileSystem from)
    {
        var copy = new MemoryFileSystem();
        foreach (var path in from.AllFiles(LandingRig.Bucket))
        {
            copy.CreateDirectory(Path.GetDirectoryName(path)!);
            copy.Put(path, from.Peek(path));
        }

        return copy;
    }

    /// <summary>What takes care of the bucket, of a collector that begins with an empty disk.</summary>
    public static SharedTidy NewTidy(
        IObjectStore store, ManualTime time, Func<UnixMillis> proven, TimeSpan retention, bool isExternal = false, ILogger? logger = null, long mergeSizeMax = 1 << 30, string collector = "one")
    {
        var files = new MemoryFileSystem();
        files.CreateDirectory("/spool");
        return new SharedTidy(
            new BlockLandingParts
            {
                Store = store,
                Keys = LandingRig.Keys,
                Files = files,
                Blocks = BlockSet.Open(files, "/spool/blocks", time),
                Labels = FileMaker.Labels,
                CompactsElsewhere = isExternal,
                Retention = () => retention,
                Proven = proven,
                Dated = () => UnixMillis.Now(time) is var now && now > proven() ? now : proven(),
                Time = time,
                Metrics = new LandingMetrics(),
                Logger = logger ?? NullLogger.Instance,
            },
            new SharedMergeParts(collector, "/spool/merge", 2, () => mergeSizeMax));
    }

    /// <summary>Runs <c>--verify</c>.</summary>
    public async Task<(int Faults, string Text)> VerifyAsync(UnixMillis? mayBeGone = null)
    {
        var text = new StringWriter();
        var report = new VerifyReport(text, TimeProvider.System);
        await new BucketVerifier(new BucketVerifierParts(Store, LandingRig.Keys, "builder", files, "/verify", report, TimeProvider.System, NullLogger.Instance) { MayBeGone = mayBeGone ?? new UnixMillis(long.MinValue) }).RunAsync(TestContext.Current.CancellationToken);
        return (report.Faults, text.ToString());
    }

    /// <summary>Changes a byte of an object.</summary>
    public void Damage(string path, int place) => bucket.Corrupt(path, place, [(byte)(bucket.Peek(path)[place] ^ 1)]);

    public void Dispose()
    {
        Reader.Dispose();
        Store.Dispose();
    }

    // It builds, and has no copy.
    private sealed class NoConsumer : ILogConsumer
    {
        public ValueTask ApplyAsync(long number, DataCommit commit, bool[] visible, Draft? own, CancellationToken cancellationToken) => ValueTask.CompletedTask;

        public ValueTask ApplyPartAsync(LogPart part, long after, CancellationToken cancellationToken) => ValueTask.CompletedTask;

        public void Skip(long first, long last)
        {
            // Nothing is missed.
        }
    }
}
