using FsCheck;
using FsCheck.Fluent;
using Lm.Collector.Series;
using Lm.Platform;
using Lm.Tsdb.Chunks;
using Microsoft.Extensions.Logging.Abstractions;

namespace Lm.Collector.Tests.Series;

public sealed class MemorySeriesStoreModelTests
{
    // Few series and times, so that repeats, conflicts and insertions in the middle are frequent.
    private static readonly Arbitrary<Sample[]> Samples = Arb.From(
        Gen.Choose(0, 3).SelectMany(series => Gen.Choose(0, 40).SelectMany(time => Gen.Choose(0, 2).Select(value => new Sample(series, time, value)))).ArrayOf(),
        samples => Enumerable.Range(0, samples.Length).Select(i => samples.Where((_, at) => at != i).ToArray()));

    private static readonly Arbitrary<(int Kind, int Step, int Value)[]> Steps = Arb.From(
        Gen.Frequency((1, Gen.Constant(0)), (1, Gen.Constant(1)), (2, Gen.Constant(2)), (20, Gen.Constant(3)))
            .SelectMany(kind => Gen.Choose(0, 5).SelectMany(step => Gen.Choose(0, 2).Select(value => (kind, step, value)))).ArrayOf(150));

    [Fact]
    public void Store_and_model_agree_after_samples_in_any_order() => Prop.ForAll(Samples, samples =>
    {
        var store = StoreOf(new SeriesStoreLimits());
        var feed = new SeriesFeed(store);
        var maker = new BatchMaker();
        var model = new SortedDictionary<string, SortedDictionary<long, double>>(StringComparer.Ordinal);
        foreach (var batch in samples.Chunk(3))
        {
            foreach (var sample in batch)
            {
                maker.With($"m{sample.Series}", sample.Value, sample.Time);
                if (!model.TryGetValue($"m{sample.Series}", out var series))
                {
                    model.Add($"m{sample.Series}", series = []);
                }

                series.TryAdd(sample.Time, sample.Value);
            }

            feed.Apply(maker.Make());
        }

        return Agrees(store, model);
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Eviction_keeps_the_newest_samples_and_counts_the_others() => Prop.ForAll(Samples, samples =>
    {
        var limits = new SeriesStoreLimits { SampleBytesMax = 500 };
        var store = StoreOf(limits);
        var feed = new SeriesFeed(store);
        var maker = new BatchMaker();
        foreach (var sample in samples)
        {
            feed.Apply(maker.With($"m{sample.Series}", sample.Value, sample.Time).Make());
        }

        var statistics = store.Statistics();
        var found = store.All();
        var kept = Enumerable.Range(0, found.Count).Sum(i => found.Times(i).Length);
        return statistics.Samples <= 4 * XorChunk.SamplesMax
            && statistics.SampleBytes <= limits.SampleBytesMax
            && kept == statistics.Samples
            && statistics.SamplesAdded == statistics.Samples + statistics.SamplesEvicted
            && Enumerable.Range(0, found.Count).All(i => found.Times(i).Length > 0)
            && found.Count == statistics.Series;
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Reads_of_a_window_agree_with_the_model() => Prop.ForAll(Samples, Gen.Choose(-1, 41).ToArbitrary(), Gen.Choose(1, 5).ToArbitrary(), (samples, until, newest) =>
    {
        var store = StoreOf(new SeriesStoreLimits());
        var feed = new SeriesFeed(store);
        foreach (var sample in samples)
        {
            feed.Apply(new BatchMaker().With($"m{sample.Series}", sample.Value, sample.Time).Make());
        }

        var found = store.Select(
            new SeriesRange { Matchers = [], After = new UnixMillis(until - 10), Until = new UnixMillis(until), NewestMax = newest }, CancellationToken.None);
        var expected = samples.Where(sample => sample.Time > until - 10 && sample.Time <= until).GroupBy(sample => sample.Series)
            .ToDictionary(group => $"m{group.Key}", group => group.Select(sample => (long)sample.Time).Distinct().Order().TakeLast(newest).ToArray());
        return found.Count == expected.Count
            && Enumerable.Range(0, found.Count).All(i => found.Times(i).ToArray().SequenceEqual(expected[found.Labels(i).MetricName]));
    }).QuickCheckThrowOnFailure();

    // Batches of one shape wait in rows; late ones, repeats, other shapes and evictions come in between, and reads at any time.
    [Fact]
    public void Batches_of_one_shape_read_as_if_each_sample_had_gone_to_its_series() => Prop.ForAll(Steps, steps =>
    {
        var store = StoreOf(new SeriesStoreLimits());
        var feed = new SeriesFeed(store);
        var maker = new BatchMaker();
        var model = new SortedDictionary<string, SortedDictionary<long, double>>(StringComparer.Ordinal);
        long time = 0;
        var agree = true;
        foreach (var (kind, step, value) in steps)
        {
            time += kind == 0 ? -step : step;
            string[] names = kind == 1 ? ["a", "b"] : ["a", "b", "c"];
            foreach (var name in names)
            {
                maker.With(name, value, time);
                if (!model.TryGetValue(name, out var series))
                {
                    model.Add(name, series = []);
                }

                series.TryAdd(time, value);
            }

            feed.Apply(maker.Make());
            if (kind == 2)
            {
                agree &= Agrees(store, model);
            }
        }

        return agree && Agrees(store, model);
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void At_the_series_limit_those_that_ended_longest_ago_go()
    {
        var store = StoreOf(new SeriesStoreLimits { SeriesMax = 20 });
        var feed = new SeriesFeed(store);
        var maker = new BatchMaker();
        for (var i = 0; i < 20; i++)
        {
            feed.Apply(maker.With($"m{i:D2}", 1, i == 0 ? 9999 : i).Make());
        }

        feed.Apply(maker.With("new", 1, 10_000).Make());

        var names = store.All().Names();
        Assert.Equal(19, names.Length); // a tenth went at once, then one came
        Assert.Contains(names, name => name.Contains("\"m00\"", StringComparison.Ordinal));
        Assert.DoesNotContain(names, name => name.Contains("\"m01\"", StringComparison.Ordinal) || name.Contains("\"m02\"", StringComparison.Ordinal));
    }

    [Fact]
    public void A_read_of_more_samples_than_allowed_is_refused()
    {
        var store = StoreOf(new SeriesStoreLimits());
        new SeriesFeed(store).Apply(new BatchMaker().With("x", [(1, 1), (2, 2), (3, 3)]).Make());
        var range = new SeriesRange { Matchers = [], After = new UnixMillis(0), Until = new UnixMillis(10), SamplesMax = 2 };

        var exception = Assert.Throws<SampleLimitException>(() => store.Select(range, CancellationToken.None));

        Assert.Equal(2, exception.SamplesMax);
    }

    [Fact]
    public async Task Readers_see_whole_sorted_series_while_a_writer_inserts()
    {
        var store = StoreOf(new SeriesStoreLimits { SampleBytesMax = 20_000 });
        var feed = new SeriesFeed(store);
        var random = new Random(7);
        using var done = new CancellationTokenSource();
        var reader = Task.Run(() =>
        {
            var reads = 0;
            while (!done.IsCancellationRequested || reads == 0)
            {
                var found = store.All();
                for (var i = 0; i < found.Count; i++)
                {
                    var samples = found.Samples(i);
                    Assert.True(samples.All(sample => sample.Value == sample.Time), "each value was written with its time");
                    Assert.True(samples.Zip(samples.Skip(1)).All(pair => pair.First.Time < pair.Second.Time), "times ascend");
                }

                reads++;
            }
        }, TestContext.Current.CancellationToken);

        for (var i = 0; i < 3000; i++)
        {
            var time = random.Next(0, 100_000);
            feed.Apply(new BatchMaker().With($"m{random.Next(0, 5)}", [(time, time), (time + 1, time + 1)]).Make());
        }

        await done.CancelAsync();
        await reader;
    }

    private static bool Agrees(MemorySeriesStore store, SortedDictionary<string, SortedDictionary<long, double>> model)
    {
        var found = store.All();
        return found.Count == model.Count
            && Enumerable.Range(0, found.Count).All(i => found.Samples(i).SequenceEqual(model[found.Labels(i).MetricName].Select(entry => (entry.Key, entry.Value))))
            && store.Statistics().Samples == model.Values.Sum(series => series.Count);
    }

    private static MemorySeriesStore StoreOf(SeriesStoreLimits limits) => new(limits, NullLogger<MemorySeriesStore>.Instance);

    private sealed record Sample(int Series, int Time, int Value);
}
