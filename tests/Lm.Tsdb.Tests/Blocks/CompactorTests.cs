using FsCheck;
using FsCheck.Fluent;
using Lm.TestKit;
using Lm.Tsdb.Blocks;
using Lm.Tsdb.Chunks;

namespace Lm.Tsdb.Tests.Blocks;

public sealed class CompactorTests
{
    private const string Directory = "/blocks";

    private static readonly CompactionOptions Options = new() { ExternalLabels = [new Label("lightmetrics_stream", "test")] };

    private readonly MemoryFileSystem files = new();
    private readonly ManualTime time = new();

    [Fact]
    public void Merged_blocks_hold_every_sample_once_and_the_earlier_block_wins() => Prop.ForAll(Arb.From(TestData.AnySeries.Generator.ListOf(3)), parts =>
    {
        var machine = new MemoryFileSystem();
        using var set = BlockSet.Open(machine, Directory, time);
        var model = new Series([]);
        foreach (var part in parts)
        {
            set.Add(TestData.Write(machine, Directory, set.NextId(), part).Id);
            model.MergeLater(part);
        }

        var store = new SeriesStore(null, set);
        var before = TestData.Read(store, TestData.Everything).SameAs(model);
        RunAll(set, time);
        return before && set.Metas.Count == 1 && set.Metas[0].Stats.Samples == model.SampleCount && TestData.Read(store, TestData.Everything).SameAs(model);
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Windows_become_a_block_of_two_days_that_names_what_it_replaces()
    {
        using var set = BlockSet.Open(files, Directory, time);
        var start = StartOfRange(daysAgo: 5);
        for (var window = 0; window < 24; window++)
        {
            Write(set, start + (window * 2 * TestData.Hour), count: 480, new BlockProvenance { Coverage = [new BlockCoverage(1, window, window + 1, (ulong)window)] });
        }

        var parents = set.Metas;
        RunAll(set, time);

        var merged = Assert.Single(set.Metas);
        Assert.Equal(2, merged.Level);
        Assert.Equal(parents.Select(meta => meta.Id), merged.Sources);
        Assert.Equal(parents.Select(meta => new BlockRange(meta.Id, meta.MinTime, meta.MaxTime)), merged.Parents);
        Assert.Equal(24, merged.Coverage.Count);
        Assert.Equal(new BlockStats(24 * 480, 1, 24 * 4), merged.Stats);
        Assert.Equal(Options.ExternalLabels, merged.ExternalLabels);
        Assert.False(merged.IsLate);
        Assert.Equal([merged.Id.ToString()], files.ListDirectories(Directory));
    }

    [Fact]
    public void Small_chunks_that_follow_each_other_become_chunks_of_120_samples()
    {
        using var set = BlockSet.Open(files, Directory, time);
        var start = StartOfRange(daysAgo: 5);
        for (var window = 0; window < 24; window++)
        {
            Write(set, start + (window * 2 * TestData.Hour), count: 24, step: 300_000);
        }

        RunAll(set, time);

        Assert.Equal(new BlockStats(24 * 24, 1, ((24 * 24) + XorChunk.SamplesMax - 1) / XorChunk.SamplesMax), set.Metas[0].Stats);
    }

    [Fact]
    public void Thirty_days_of_backlog_in_late_blocks_end_as_few_blocks()
    {
        using var set = BlockSet.Open(files, Directory, time);
        for (var round = 0; round < 6; round++)
        {
            for (var day = 2; day < 34; day += 2)
            {
                Write(set, StartOfRange(day) + (round * TestData.Hour), count: 10, new BlockProvenance { IsLate = true });
            }

            RunAll(set, time);
            time.Advance(TimeSpan.FromHours(6));
        }

        RunAll(set, time);

        Assert.InRange(set.Metas.Count, 1, 17);
        Assert.All(set.Metas, meta => Assert.True(meta.IsLate));
        Assert.Equal(6 * 16 * 10, set.Metas.Sum(meta => meta.Stats.Samples));
    }

    [Fact]
    public void A_small_late_block_waits_a_day_and_a_large_one_is_merged_at_once()
    {
        using var set = BlockSet.Open(files, Directory, time);
        var start = StartOfRange(daysAgo: 5);
        Write(set, start, count: 10_000, step: 1000, noise: true);
        Write(set, start + 500, count: 10, new BlockProvenance { IsLate = true });
        RunAll(set, time);
        Assert.Equal(2, set.Metas.Count);

        time.Advance(TimeSpan.FromDays(1));
        RunAll(set, time);
        Assert.Equal(10_010, Assert.Single(set.Metas).Stats.Samples);
        Assert.False(set.Metas[0].IsLate);

        Write(set, start + 700, count: 5_000, new BlockProvenance { IsLate = true }, step: 1000, noise: true);
        RunAll(set, time);
        Assert.Equal(15_010, Assert.Single(set.Metas).Stats.Samples);
    }

    [Fact]
    public void Windows_of_two_days_that_are_not_over_join_by_eight_hours_and_the_newest_stay()
    {
        using var set = BlockSet.Open(files, Directory, time);
        var start = StartOfRange(daysAgo: 0);
        time.Advance(DateTimeOffset.FromUnixTimeMilliseconds(start + (13 * TestData.Hour)) - time.GetUtcNow());
        for (var window = 0; window < 6; window++)
        {
            Write(set, start + (window * 2 * TestData.Hour), count: 480);
        }

        RunAll(set, time);

        Assert.Equal([start, start + (8 * TestData.Hour), start + (10 * TestData.Hour)], set.Metas.Select(meta => meta.MinTime).Order());
    }

    [Fact]
    public void A_damaged_block_is_named_left_out_and_stays_where_it_is()
    {
        using var set = BlockSet.Open(files, Directory, time);
        var start = StartOfRange(daysAgo: 5);
        for (var window = 0; window < 3; window++)
        {
            Write(set, start + (window * 2 * TestData.Hour), count: 480);
        }

        var damaged = set.Metas[1];
        set.Dispose();
        files.Corrupt($"{Directory}/{damaged.Id}/chunks/000001", 100, 0xff, 0xff);
        using var again = BlockSet.Open(files, Directory, time);
        var compactor = new Compactor(again, Options, time);

        var first = Assert.IsType<CompactionOutcome.Damaged>(compactor.RunOnce(CancellationToken.None));
        Assert.IsType<CompactionOutcome.Merged>(compactor.RunOnce(CancellationToken.None));
        Assert.IsType<CompactionOutcome.NothingToDo>(compactor.RunOnce(CancellationToken.None));

        Assert.Contains($"{damaged.Id}/chunks/000001 at byte", first.Reason, StringComparison.Ordinal);
        Assert.Contains(damaged.Id, again.Metas.Select(meta => meta.Id));
        Assert.Equal(2, again.Metas.Count);
    }

    [Fact]
    public void A_reader_goes_on_with_blocks_that_were_merged_and_deleted_meanwhile()
    {
        using var set = BlockSet.Open(files, Directory, time);
        var start = StartOfRange(daysAgo: 5);
        Write(set, start, count: 200);
        Write(set, start + (2 * TestData.Hour), count: 200);
        using var found = new SeriesStore(null, set).Find([], 0, long.MaxValue, CancellationToken.None);

        RunAll(set, time);

        var samples = new SampleBuffer();
        found.Read(0, 0, long.MaxValue, samples);
        Assert.Equal(400, samples.Count);
        Assert.Single(files.ListDirectories(Directory));
    }

    [Fact]
    public void What_blocks_hold_of_a_series_is_found_whatever_the_order_of_asking()
    {
        using var set = BlockSet.Open(files, Directory, time);
        var start = StartOfRange(daysAgo: 5);
        var all = Enumerable.Range(0, 300).Select(i => new LabelSet(new Label("__name__", "m"), new Label("host", i.ToString("D4", System.Globalization.CultureInfo.InvariantCulture)))).ToArray();
        WriteSeries(set, start, all.Where((_, i) => i % 3 != 0));
        WriteSeries(set, start + 60_000, all.Where((_, i) => i % 7 == 1));
        var random = new Random(1);
        using var existing = new ExistingSamples(set, start, start + 120_000);

        foreach (var ask in all.Concat(all.Where((_, i) => i % 50 == 0)).Concat(all.OrderBy(_ => random.Next())))
        {
            var i = Array.IndexOf(all, ask);
            var found = new SampleBuffer();
            existing.Read(ask, start, start + 120_000, found);
            long[] expected = [.. i % 3 != 0 ? [start] : (long[])[], .. i % 7 == 1 ? [start + 60_000] : (long[])[]];
            Assert.Equal(expected, found.Times.ToArray());
        }
    }

    private static void WriteSeries(BlockSet set, long time, IEnumerable<LabelSet> series)
    {
        using var writer = set.Write(time, time + 1);
        foreach (var each in series)
        {
            writer.BeginSeries(each);
            writer.AddSamples([time], [1]);
        }

        set.Add(writer.Commit(new BlockProvenance())!.Id);
    }

    private static readonly LabelSet OneSeries = new(new Label("__name__", "m"), new Label("host", "a"));

    private static void RunAll(BlockSet set, TimeProvider time)
    {
        var compactor = new Compactor(set, Options, time);
        for (var rounds = 0; rounds < 200; rounds++)
        {
            if (compactor.RunOnce(CancellationToken.None) is CompactionOutcome.NothingToDo)
            {
                return;
            }
        }

        Assert.Fail("compaction never comes to an end");
    }

    private long StartOfRange(int daysAgo)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds() - (daysAgo * TestData.Day);
        return now - (now % CompactionOptions.LateRangeMs);
    }

    private void Write(BlockSet set, long start, int count, BlockProvenance? provenance = null, long step = 15_000, bool noise = false)
    {
        var random = new Random(1);
        var samples = Enumerable.Range(0, count).Select(i => (start + (i * step), noise ? random.NextDouble() : i)).ToArray();
        set.Add(TestData.Write(files, Directory, set.NextId(), new Series([(OneSeries, samples)]), provenance).Id);
    }
}
