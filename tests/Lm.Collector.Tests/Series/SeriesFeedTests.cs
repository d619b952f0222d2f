using Lm.Collector.Series;
using Lm.Protocol;
using Lm.Tsdb;
using Label = Lm.Protocol.Label;

namespace Lm.Collector.Tests.Series;

public sealed class SeriesFeedTests : IDisposable
{
    private readonly SeriesRig store = new();
    private readonly SeriesRig feed;

    public SeriesFeedTests() => feed = store;

    public void Dispose() => store.Dispose();

    [Fact]
    public void A_series_is_stored_under_the_verified_identity()
    {
        feed.Apply(new BatchMaker { CommonLabels = [new Label("site", "lab")] }.With("node_load1", 0.5, 1000).Make());

        Assert.Equal(["{__name__=\"node_load1\", instance=\"web1\", job=\"lightmetrics\", site=\"lab\"}"], store.All().Names());
    }

    [Fact]
    public void A_brought_instance_and_job_are_renamed()
    {
        feed.Apply(new BatchMaker().With("x", 1, 1000, new Label("instance", "db"), new Label("job", "j"), new Label("exported_job", "k")).Make());

        Assert.Equal(
            ["{__name__=\"x\", exported_exported_job=\"j\", exported_instance=\"db\", exported_job=\"k\", instance=\"web1\", job=\"lightmetrics\"}"],
            store.All().Names());
    }

    [Fact]
    public void The_verdict_is_applied_and_a_series_without_an_accepted_sample_leaves_no_trace()
    {
        var batch = new BatchMaker()
            .With("old", 1, 999)
            .With("mixed", [(999, 1), (1000, 2), (1001, 3)])
            .With("dropped", 1, 1000)
            .Make(oldestAccepted: 1000, dropped: [2]);

        feed.Apply(batch);

        var found = store.All();
        Assert.Equal(["{__name__=\"mixed\", instance=\"web1\", job=\"lightmetrics\"}"], found.Names());
        Assert.Equal([(1000, 2.0), (1001, 3.0)], found.Samples(0));
    }

    [Fact]
    public void Different_forms_of_one_label_set_are_one_series()
    {
        var maker = new BatchMaker();
        feed.Apply(maker.With("x", 1, 1000, new Label("a", "1"), new Label("b", "2")).Make());
        feed.Apply(maker.With("x", 2, 2000, new Label("b", "2"), new Label("a", "1")).Make());
        feed.Apply(new BatchMaker { CommonLabels = [new Label("b", "2")] }.With("x", 3, 3000, new Label("a", "1")).Make());

        Assert.Equal([(1000, 1.0), (2000, 2.0), (3000, 3.0)], store.All().Samples(0));
        Assert.Equal(1, store.Statistics().Series);
    }

    [Fact]
    public void A_batch_that_looks_like_the_last_but_for_one_label_goes_to_its_own_series()
    {
        var maker = new BatchMaker();
        foreach (var (device, time) in new[] { ("sda", 1000L), ("sda", 2000L), ("sdb", 3000L), ("sda", 4000L) })
        {
            feed.Apply(maker.With("y", 7, time).With("x", time, time, new Label("device", device)).Make());
        }

        var found = store.All();
        Assert.Equal(
            [
                "{__name__=\"x\", device=\"sda\", instance=\"web1\", job=\"lightmetrics\"}",
                "{__name__=\"x\", device=\"sdb\", instance=\"web1\", job=\"lightmetrics\"}",
                "{__name__=\"y\", instance=\"web1\", job=\"lightmetrics\"}",
            ],
            found.Names());
        Assert.Equal([(1000, 1000.0), (2000, 2000.0), (4000, 4000.0)], found.Samples(0));
        Assert.Equal([(3000, 3000.0)], found.Samples(1));
    }

    [Fact]
    public void A_dropped_series_keeps_its_place_and_the_others_theirs()
    {
        var maker = new BatchMaker();
        for (var time = 1000L; time <= 3000; time += 1000)
        {
            feed.Apply(maker.With("a", 1, time).With("b", 2, time).With("c", 3, time).Make(dropped: time == 2000 ? [] : [1]));
        }

        var found = store.All();
        Assert.Equal([(1000, 1.0), (2000, 1.0), (3000, 1.0)], found.Samples(0));
        Assert.Equal([(2000, 2.0)], found.Samples(1));
        Assert.Equal([(1000, 3.0), (2000, 3.0), (3000, 3.0)], found.Samples(2));
    }

    [Fact]
    public void Two_agents_with_the_same_labels_are_two_series()
    {
        feed.Apply(new BatchMaker("web1").With("x", 1, 1000).Make());
        feed.Apply(new BatchMaker("web2").With("x", 1, 1000).Make());

        Assert.Equal(2, store.Statistics().Series);
    }

    [Fact]
    public void Label_texts_that_only_differ_in_where_they_are_cut_are_different_series()
    {
        feed.Apply(new BatchMaker().With("x", 1, 1000, new Label("a", "bc")).With("x", 2, 1000, new Label("ab", "c")).Make());

        Assert.Equal(2, store.Statistics().Series);
    }

    [Fact]
    public void The_first_value_for_a_time_stays_and_the_second_is_counted()
    {
        var maker = new BatchMaker();
        feed.Apply(maker.With("x", 1, 1000).Make());
        feed.Apply(maker.With("x", 2, 1000).Make());
        feed.Apply(maker.With("x", 1, 1000).Make());

        Assert.Equal([(1000, 1.0)], store.All().Samples(0));
        Assert.Equal((1, 1, 1), (store.Statistics().SamplesAdded, store.Statistics().SamplesConflicting, store.Statistics().SamplesRepeated));
    }

    [Fact]
    public void Equal_values_are_told_by_their_bits_so_that_a_stale_marker_is_not_any_NaN()
    {
        var maker = new BatchMaker();
        feed.Apply(maker.With("x", double.NaN, 1000).Make());
        feed.Apply(maker.With("x", BitConverter.Int64BitsToDouble(StaleMarker.Bits), 1000).Make());
        feed.Apply(maker.With("x", double.NaN, 1000).Make());

        Assert.Equal((1, 1), (store.Statistics().SamplesConflicting, store.Statistics().SamplesRepeated));
        Assert.False(StaleMarker.Is(store.All().Values(0)[0]));
    }

    [Fact]
    public void Metadata_of_a_metric_is_kept()
    {
        feed.Apply(new BatchMaker().With(new MetricDescriptor("node_load1", MetricType.Gauge, "", "Load of one minute."), [(1000, 1.0)]).Make());

        Assert.Equal(new MetricMetadata(MetricType.Gauge, "", "Load of one minute."), store.MetadataOf("node_load1"));
    }

    [Fact]
    public void A_long_help_text_is_cut_at_a_character()
    {
        feed.Apply(new BatchMaker().With(new MetricDescriptor("x", MetricType.Gauge, "", new string('ü', 600) + "!"), [(1, 1)]).Make());
        feed.Apply(new BatchMaker().With(new MetricDescriptor("y", MetricType.Gauge, "", "a" + new string('ü', 600)), [(1, 1)]).Make());

        Assert.Equal(new string('ü', 512), store.MetadataOf("x")?.Help);
        Assert.Equal("a" + new string('ü', 511), store.MetadataOf("y")?.Help);
    }

    [Fact]
    public void A_histogram_becomes_cumulative_buckets_sum_and_count()
    {
        var maker = new BatchMaker();
        var first = maker.With("latency_seconds", 0, 500, new Label("path", "/")).Make().Batch;
        var references = first.Labels(first.Series[0]).ToArray().Select(reference => (byte)reference).ToArray();
        byte[] bounds = [.. BitConverter.GetBytes(0.5), .. BitConverter.GetBytes(10.0)];
        byte[] histogram = [(2 << 3) | 2, (byte)bounds.Length, .. bounds, (3 << 3) | 2, 3, 4, 0, 2, (4 << 3) | 1, .. BitConverter.GetBytes(33.5), 5 << 3, 6];
        byte[] series = [(1 << 3) | 2, (byte)references.Length, .. references, 2 << 3, 3, (7 << 3) | 2, (byte)histogram.Length, .. histogram];
        maker.Extra = [(9 << 3) | 2, (byte)series.Length, .. series];

        // The same batch again with the histogram behind it; its sample is too old now, the histogram, at the batch's own time, is not.
        feed.Apply(maker.With("latency_seconds", 0, 500, new Label("path", "/")).Make(receivedAtMs: 1000, oldestAccepted: 1000));

        const string rest = "instance=\"web1\", job=\"lightmetrics\"";
        var found = store.All();
        Assert.Equal(
            [
                $"{{__name__=\"latency_seconds_bucket\", {rest}, le=\"+Inf\", path=\"/\"}}",
                $"{{__name__=\"latency_seconds_bucket\", {rest}, le=\"0.5\", path=\"/\"}}",
                $"{{__name__=\"latency_seconds_bucket\", {rest}, le=\"10\", path=\"/\"}}",
                $"{{__name__=\"latency_seconds_count\", {rest}, path=\"/\"}}",
                $"{{__name__=\"latency_seconds_sum\", {rest}, path=\"/\"}}",
            ],
            found.Names());
        Assert.Equal([(1000, 6.0), (1000, 4.0), (1000, 4.0), (1000, 6.0), (1000, 33.5)], Enumerable.Range(0, 5).Select(i => found.Samples(i).Single()));
        Assert.Equal(MetricType.Histogram, store.MetadataOf("latency_seconds")?.Type);
    }

    [Fact]
    public void A_usual_batch_allocates_nothing_once_its_series_are_known()
    {
        var batches = Enumerable.Range(1, 12).Select(i => HeartbeatOf(107, i * 1000)).ToArray();
        var allocated = batches.Select(batch =>
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            feed.Apply(batch);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }).ToArray();

        // The least: now and then the runtime books something of its own on a thread.
        Assert.Equal(0, allocated[3..].Min());
    }

    private static Lm.Collector.Spool.AcceptedBatch HeartbeatOf(int series, long time)
    {
        var maker = new BatchMaker();
        for (var i = 0; i < series; i++)
        {
            maker.With("node_cpu_seconds_total", i, time, new Label("cpu", $"{i / 8}"), new Label("mode", $"mode{i % 8}"));
        }

        return maker.Make();
    }
}
