using System.Diagnostics;
using System.Globalization;
using Lm.Collector.Bucket;
using Lm.Collector.Tests.Landing;
using Lm.ObjectStore;
using Lm.Platform;
using Lm.Platform.Files;
using Lm.PromQL;
using Lm.TestKit;
using Lm.Tsdb;
using Lm.Tsdb.Blocks;

namespace Lm.Collector.Tests.Bucket;

/// <summary>How much of the store a query moves, with the cache on a real disk: files in memory cannot be mapped as they grow.</summary>
public sealed class RangedReadTests
{
    private const long Start = 1_767_225_600_000;
    private const int Samples = 5760; // two days, one each 30 s
    private const int SeriesCount = 300;

    [Fact]
    public async Task One_series_of_blocks_of_two_days_moves_a_twentieth_of_their_bytes_at_most_and_nothing_the_second_time()
    {
        await using var rig = await Rig.StartAsync(blocks: 2);
        var whole = rig.Reader.Catalog.Sizes.Values.Sum();

        Assert.Equal(2 * Samples, rig.Read("17"));
        var moved = rig.Moved;
        TestContext.Current.SendDiagnosticMessage($"{moved} of {whole} bytes moved");
        Assert.InRange(moved, 1, whole / 20);

        Assert.Equal(2 * Samples, rig.Read("17"));
        Assert.Equal(moved, rig.Moved);
    }

    [Fact]
    public async Task Thirty_days_of_one_series_move_a_twentieth_of_the_blocks_at_most_and_nothing_the_second_time()
    {
        await using var rig = await Rig.StartAsync(blocks: 15);
        using var here = rig.CopyHere();
        var whole = rig.Reader.Catalog.Sizes.Values.Sum();

        var first = TimeOf(rig.Series, "17");
        var moved = rig.Moved;
        Assert.InRange(moved, 1, whole / 20);

        var local = new SeriesStore(null, here);
        TimeOf(local, "17");
        var (again, fromDisk) = (new List<double>(), new List<double>());
        for (var i = 0; i < 9; i++) // by turns: whatever else the machine does is in both
        {
            again.Add(TimeOf(rig.Series, "17"));
            fromDisk.Add(TimeOf(local, "17"));
        }

        Assert.Equal(moved, rig.Moved);
        var text = string.Create(
            CultureInfo.InvariantCulture,
            $"{moved} of {whole} bytes moved; first {first:f1} ms, then {again.Order().ElementAt(4):f1}, local blocks {fromDisk.Order().ElementAt(4):f1}");
        TestContext.Current.SendDiagnosticMessage(text);
    }

    [Fact]
    public async Task Queries_at_the_same_time_fetch_each_part_once()
    {
        await using var rig = await Rig.StartAsync(blocks: 2);
        rig.Read("17");
        var alone = rig.Moved;
        await using var crowd = await Rig.StartAsync(blocks: 2);

        var counts = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => crowd.Read("17"))));

        Assert.All(counts, static count => Assert.Equal(2 * Samples, count));
        Assert.Equal(alone, crowd.Moved);
    }

    [Fact]
    public async Task All_series_are_what_was_written()
    {
        await using var rig = await Rig.StartAsync(blocks: 1);
        using var found = rig.Series.Find([], 0, long.MaxValue, TestContext.Current.CancellationToken);
        var buffer = new SampleBuffer();
        for (var i = 0; i < found.Count; i++)
        {
            buffer.Clear();
            found.Read(i, 0, long.MaxValue, buffer);
            Assert.Equal(Samples, buffer.Count);
        }

        Assert.Equal(SeriesCount, found.Count);
        Assert.InRange(rig.Moved, 1, rig.Reader.Catalog.Sizes.Values.Sum());
    }

    [Fact]
    public async Task What_the_disk_changes_under_an_open_block_is_fetched_again_before_it_is_read()
    {
        var time = new ManualTime();
        await using var rig = await Rig.StartAsync(blocks: 1, time);
        Assert.Equal(Samples, rig.Read("17"));
        rig.DamageCache();
        time.Advance(CachedObject.CheckInterval);

        Assert.Equal(Samples, rig.Read("17"));
        Assert.Equal(Samples, rig.Read("211"));

        Assert.True(rig.Metric("lm_collector_cache_damaged_pages_total") > 0);
        Assert.Equal(0, rig.Metric("lm_collector_bucket_blocks_damaged"));
    }

    // A mean over each hour of 30 days.
    private static double TimeOf(SeriesStore series, string instance)
    {
        Assert.True(PromParser.TryParse($"avg_over_time(m{{instance=\"{instance}\"}}[1h])", out var expression, out _));
        const long Hour = 3_600_000;
        var began = Stopwatch.GetTimestamp();
        var result = new QueryEngine(series, new QueryEngineOptions()).Range(expression!, Start + Hour, Start + (720 * Hour), Hour, TestContext.Current.CancellationToken);
        Assert.Equal(720, Assert.Single(Assert.IsType<MatrixValue>(result.Value).Series).Values.Length);
        return Stopwatch.GetElapsedTime(began).TotalMilliseconds;
    }

    private sealed class Rig : IAsyncDisposable
    {
        private readonly string folder = Directory.CreateTempSubdirectory("lm-bucket-").FullName;
        private readonly BlockSet local;
        private readonly FaultyStore store;
        private readonly MemoryFileSystem bucket;

        private Rig(MemoryFileSystem bucket, TimeProvider time)
        {
            this.bucket = bucket;
            store = new FaultyStore(new DirectoryObjectStore(bucket, LandingRig.Bucket, "c1", new StoreCounters()));
            Reader = new BucketReader(new BucketReaderParts(store, LandingRig.Keys, new PhysicalFileSystem(), folder, static () => 1 << 30, time, new RecordingLogger()));
            local = BlockSet.Open(new MemoryFileSystem(), "/local", TimeProvider.System);
            Series = new SeriesStore(null, local, Reader.Blocks);
        }

        public BucketReader Reader { get; }

        public SeriesStore Series { get; }

        public double Moved => Metric("lm_collector_cache_read_bytes_total");

        public static async Task<Rig> StartAsync(int blocks, TimeProvider? time = null)
        {
            var (bucket, made) = (new MemoryFileSystem(), new MemoryFileSystem());
            var rig = new Rig(bucket, time ?? TimeProvider.System);
            made.CreateDirectory("/made");
            for (var i = 0; i < blocks; i++)
            {
                var id = Make(made, (ulong)i + 1, Start + (i * Samples * 30_000L));
                foreach (var path in made.AllFiles($"/made/{id}"))
                {
                    await rig.store.PutAsync(LandingRig.Keys.BlockFolder(id.ToString()) + path[$"/made/{id}/".Length..], ObjectContent.Of(made.Peek(path)), PutCondition.None, CancellationToken.None);
                }
            }

            Assert.True(await rig.Reader.TryPassAsync(CancellationToken.None));
            Assert.Equal(blocks, rig.Reader.Catalog.Blocks.Count);
            return rig;
        }

        /// <summary>The same blocks on this machine's disk.</summary>
        public BlockSet CopyHere()
        {
            var blocks = Path.Combine(folder, "blocks");
            foreach (var path in bucket.AllFiles(LandingRig.Bucket + "/fleet-a/blocks"))
            {
                var target = blocks + path[(LandingRig.Bucket + "/fleet-a/blocks").Length..];
                Directory.CreateDirectory(Path.GetDirectoryName(target)!);
                using var file = new PhysicalFileSystem().Create(target);
                file.Write(0, bucket.Peek(path));
            }

            return BlockSet.Open(new PhysicalFileSystem(), blocks, TimeProvider.System);
        }

        public int Read(string host)
        {
            using var found = Series.Find([LabelMatcher.Equal("instance", host)], 0, long.MaxValue, CancellationToken.None);
            var buffer = new SampleBuffer();
            found.Read(0, 0, long.MaxValue, buffer);
            return buffer.Count;
        }

        public double Metric(string name) => Reader.Collect().Single(metric => metric.Name == name).Value;

        /// <summary>Changes every byte of the cache.</summary>
        public void DamageCache()
        {
            foreach (var path in Directory.GetFiles(Path.Combine(folder, "objects")))
            {
                var bytes = File.ReadAllBytes(path);
                using var file = new PhysicalFileSystem().Open(path, writable: true);
                file.Write(0, Array.ConvertAll(bytes, static each => (byte)~each));
            }
        }

        public ValueTask DisposeAsync()
        {
            Reader.Dispose();
            local.Dispose();
            store.Dispose();
            Directory.Delete(folder, recursive: true);
            return ValueTask.CompletedTask;
        }

        private static Ulid Make(MemoryFileSystem files, ulong number, long start)
        {
            var random = new Random(1);
            var (times, values) = (new long[Samples], new double[Samples]);
            using var writer = new BlockWriter(files, "/made", new Ulid(number), start, start + (Samples * 30_000L));
            foreach (var instance in Enumerable.Range(0, SeriesCount).Select(static i => i.ToString(CultureInfo.InvariantCulture)).Order(StringComparer.Ordinal))
            {
                writer.BeginSeries(new LabelSet(new Label(LabelSet.MetricNameLabel, "m"), new Label("instance", instance)));
                for (var i = 0; i < Samples; i++)
                {
                    (times[i], values[i]) = (start + (i * 30_000L), random.NextDouble());
                }

                writer.AddSamples(times, values);
            }

            writer.Commit(new BlockProvenance());
            return writer.Id;
        }
    }
}
