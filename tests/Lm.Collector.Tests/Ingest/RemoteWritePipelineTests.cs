using System.Globalization;
using Lm.Protocol;
using Lm.Protocol.RemoteWrite;
using Lm.TestKit;
using Lm.Tsdb;

namespace Lm.Collector.Tests.Ingest;

public sealed class RemoteWritePipelineTests
{
    private static readonly CancellationToken Cancelled = TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_was_answered_204_is_there_after_a_power_cut_bit_by_bit_and_once()
    {
        await using var rig = new IngestRig();
        var now = rig.Now.Value;
        var stale = BitConverter.Int64BitsToDouble(StaleMarker.Bits);
        var body = new WriteRequestMaker()
            .Series([("__name__", "m"), ("instance", "h:9100"), ("job", "node")], (now - 1000, 1), (now, stale))
            .Metadata(1, "m", "Help.", "bytes")
            .ToBody();
        Assert.Null(await rig.WriteAsync(body));
        Assert.Null(await rig.WriteAsync(body)); // its answer was lost, say: the same values for the same times change nothing
        await rig.AppliedAsync();
        await using var later = rig.AfterPowerCut(1);
        await using var again = later.AfterPowerCut(2);
        foreach (var each in new[] { rig, later, again })
        {
            var found = each.Store.All();
            Assert.Equal(["{__name__=\"m\", instance=\"h:9100\", job=\"node\"}"], found.Names());
            Assert.Equal(
                [(now - 1000, BitConverter.DoubleToInt64Bits(1)), (now, StaleMarker.Bits)],
                found.Samples(0).Select(sample => (sample.Time, BitConverter.DoubleToInt64Bits(sample.Value))));
            Assert.Equal((2, 2, 0), (each.Store.Statistics().Samples, each.Store.Statistics().SamplesRepeated, each.Store.Statistics().SamplesConflicting));
            Assert.Equal(new Lm.Collector.Series.MetricMetadata(MetricType.Counter, "bytes", "Help."), each.Store.MetadataOf("m"));
        }
    }

    [Fact]
    public async Task D2_what_was_left_out_stays_out_at_replay_whatever_the_settings_and_the_clock_say_then()
    {
        await using var rig = new IngestRig(limits: new Limits { SamplesPerBatchMax = 5 });
        rig.Settings = rig.Settings with { RemoteWrite = new WriteLimits { SamplesMax = 5, LabelsPerSeriesMax = 4 } };
        var (now, old, ahead) = (rig.Now.Value, rig.Now.Add(-TimeSpan.FromDays(36)).Value, rig.Now.Add(TimeSpan.FromMinutes(11)).Value);
        var refusal = await rig.WriteAsync(
            new WriteRequestMaker()
                .Series([("__name__", "times")], (old, 1), (now, 2), (ahead, 3))
                .Series([("__name__", "labels"), ("b", "1"), ("a", "1")], (now, 1))
                .Series([("__name__", "taken")], (now, 1))
                .Series([("__name__", "behind")], (now, 1))
                .Series([("__name__", "behind_too")], (now, 1))
                .ToBody());
        Assert.Equal((400, ProblemCode.InvalidLabels, true), (refusal!.Status, refusal.Code, refusal.IsPartial));
        Assert.Equal(
            "left out: 1 series whose labels are not sorted by name; the first is series 1 of the request, \"labels\"; "
            + "2 series behind the first 3 of the request: max_series_per_request is 20000, max_samples_per_batch 5; "
            + "1 samples older than backfill_days, which is 35; "
            + "1 samples more than max_future_seconds, which is 600, ahead of the collector's clock. The rest is stored (2 samples): do not send it again",
            refusal.Detail);
        await rig.AppliedAsync();
        rig.Time.Advance(TimeSpan.FromDays(2));
        await using var later = rig.AfterKill();
        foreach (var each in new[] { rig, later })
        {
            Assert.Equal(["{__name__=\"taken\"}", "{__name__=\"times\"}"], each.Store.All().Names());
            Assert.Equal([(now, 2.0)], each.Store.All().Samples(1));
        }
    }

    [Fact]
    public async Task Of_two_values_for_one_time_the_first_committed_stays_and_the_second_is_counted_and_answered_204()
    {
        await using var rig = new IngestRig();
        var now = rig.Now.Value;
        Assert.Null(await rig.WriteAsync(new WriteRequestMaker().Series("m", "x", now, 1).ToBody()));
        Assert.Null(await rig.WriteAsync(new WriteRequestMaker().Series("m", "x", now, 2).ToBody()));
        await rig.AppliedAsync();
        Assert.Equal([(now, 1.0)], rig.Store.All().Samples(0));
        Assert.Equal(1, rig.Store.Statistics().SamplesConflicting);
    }

    [Fact]
    public async Task Late_samples_within_backfill_days_are_taken_in_any_order()
    {
        await using var rig = new IngestRig();
        long[] times = [rig.Now.Value, rig.Now.Add(-TimeSpan.FromDays(34)).Value, rig.Now.Add(-TimeSpan.FromDays(1)).Value];
        foreach (var time in times)
        {
            Assert.Null(await rig.WriteAsync(new WriteRequestMaker().Series("m", "x", time, time).ToBody()));
        }

        await rig.AppliedAsync();
        Assert.Equal(times.Order().Select(time => (time, (double)time)), rig.Store.All().Samples(0));
    }

    [Fact]
    public async Task A_label_without_a_value_is_no_label_and_scattered_labels_make_the_same_series()
    {
        await using var rig = new IngestRig();
        var now = rig.Now.Value;
        byte[] scattered =
        [
            .. WriteRequestMaker.Label("__name__"u8.ToArray(), "m"u8.ToArray()), .. WriteRequestMaker.Sample(now, 1), .. WriteRequestMaker.Label("job"u8.ToArray(), "x"u8.ToArray()),
        ];
        Assert.Null(await rig.WriteAsync(
            new WriteRequestMaker().Field(1, scattered).Series([("__name__", "m"), ("empty", ""), ("job", "x")], (now + 1, 2)).Series("m", "x", now + 2, 3).ToBody()));
        await rig.AppliedAsync();
        Assert.Equal([(now, 1.0), (now + 1, 2.0), (now + 2, 3.0)], rig.Store.All().Samples(0));
        Assert.Equal(1, rig.Store.All().Count);
    }

    [Fact]
    public async Task A_request_of_thousands_of_series_is_stored_whole_and_read_back_whole()
    {
        await using var rig = new IngestRig();
        var maker = new WriteRequestMaker();
        for (var i = 0; i < 3000; i++)
        {
            maker.Series([("__name__", "m"), ("i", i.ToString(CultureInfo.InvariantCulture))], (rig.Now.Value, i));
        }

        Assert.Null(await rig.WriteAsync(maker.ToBody()));
        await rig.AppliedAsync();
        await using var later = rig.AfterKill();
        var found = later.Store.All();
        Assert.Equal(3000, found.Count);
        Assert.Equal(Enumerable.Range(0, 3000).Select(i => (double)i), Enumerable.Range(0, 3000).Select(i => found.Values(i)[0]).Order());
    }

    [Theory]
    [InlineData("")]
    [InlineData("ff")]
    [InlineData("05086162")]
    [InlineData("0104ff")]
    [InlineData("02040a7f")]
    public async Task Bytes_that_are_no_snappy_or_no_protobuf_are_400_and_nothing_is_stored(string hex)
    {
        await using var rig = new IngestRig();
        var refusal = await rig.WriteAsync(Convert.FromHexString(hex));
        Assert.Equal((400, ProblemCode.MalformedWrite, false), (refusal!.Status, refusal.Code, refusal.IsPartial));
        Assert.Equal((0, 0), (rig.SpoolMetrics.RecordsCommitted, rig.Budget.Taken));
    }

    [Fact]
    public async Task An_empty_request_is_taken_and_one_of_faulty_series_alone_leaves_no_record()
    {
        await using var rig = new IngestRig();
        Assert.Null(await rig.WriteAsync(new WriteRequestMaker().ToBody()));
        var refusal = await rig.WriteAsync(new WriteRequestMaker().Series("m", "lightmetrics", rig.Now.Value, 1).ToBody());
        Assert.Equal((400, ProblemCode.ReservedJob), (refusal!.Status, refusal.Code));
        Assert.Equal((0, 0), (rig.SpoolMetrics.RecordsCommitted, rig.Budget.Taken));
    }

    [Fact]
    public async Task Native_histograms_are_refused_by_name_and_the_floats_beside_them_stored()
    {
        await using var rig = new IngestRig();
        byte[] histogram = [.. WriteRequestMaker.Label("__name__"u8.ToArray(), "h"u8.ToArray()), 0x22, 0];
        var refusal = await rig.WriteAsync(new WriteRequestMaker().Field(1, histogram).Series("m", "x", rig.Now.Value, 1).ToBody());
        Assert.Equal((400, ProblemCode.UnsupportedHistogram), (refusal!.Status, refusal.Code));
        await rig.AppliedAsync();
        Assert.Equal(["{__name__=\"m\", job=\"x\"}"], rig.Store.All().Names());
    }

    [Fact]
    public async Task A_declared_length_over_max_batch_bytes_takes_no_memory()
    {
        await using var rig = new IngestRig(limits: new Limits { BatchBytesMax = 65_536 });
        var refusal = await rig.WriteAsync(WriteRequestMaker.Block(new byte[65_537]));
        Assert.Equal((400, ProblemCode.LimitExceeded, false), (refusal!.Status, refusal.Code, refusal.IsPartial));
    }

    [Fact]
    public async Task Without_memory_for_it_a_request_is_503_so_that_senders_try_again()
    {
        await using var rig = new IngestRig();
        rig.MemoryMax = 10;
        var refusal = await rig.WriteAsync(new WriteRequestMaker().Series("m", "x", rig.Now.Value, 1).ToBody());
        Assert.Equal((503, ProblemCode.Rate), (refusal!.Status, refusal.Code));
        Assert.Equal(0, rig.Budget.Taken);
    }

    [Fact]
    public async Task A_request_waits_for_the_memory_that_those_before_it_give_back_when_the_head_has_them()
    {
        await using var rig = new IngestRig();
        using var head = new ManualResetEventSlim();
        rig.Consumer.OnWrite = head.Wait;
        var body = new WriteRequestMaker().Series("m", "x", rig.Now.Value, 1).ToBody();
        Assert.Null(await rig.WriteAsync(body));
        rig.MemoryMax = rig.Budget.Taken;
        var second = rig.WriteAsync(body);
        Assert.False(second.IsCompleted);
        head.Set();
        Assert.Null(await second);
    }

    [Fact]
    public async Task A_head_that_stays_behind_ends_the_wait_for_memory_with_503()
    {
        await using var rig = new IngestRig();
        using var head = new ManualResetEventSlim();
        rig.Consumer.OnWrite = head.Wait;
        var body = new WriteRequestMaker().Series("m", "x", rig.Now.Value, 1).ToBody();
        Assert.Null(await rig.WriteAsync(body));
        rig.MemoryMax = rig.Budget.Taken;
        var second = rig.WriteAsync(body);
        rig.Time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(503, (await second)!.Status);
        head.Set();
    }

    [Fact]
    public async Task C26_a_clock_behind_the_newest_record_judges_no_sample()
    {
        await using var rig = new IngestRig();
        var now = rig.Now.Value;
        Assert.Null(await rig.WriteAsync(new WriteRequestMaker().Series("m", "x", now, 1).ToBody()));
        rig.Time.JumpWallClock(-TimeSpan.FromHours(1));
        var refusal = await rig.WriteAsync(new WriteRequestMaker().Series("m", "x", now + 1, 1).ToBody());
        Assert.Equal((503, ProblemCode.ClockSuspect), (refusal!.Status, refusal.Code));
        Assert.Null(await rig.WriteAsync(new WriteRequestMaker().Series("m", "x", now - 3_600_000, 1).ToBody()));
    }

    [Fact]
    public async Task C26_a_clock_that_leapt_ahead_judges_no_sample_until_an_hour_says_that_it_was_set_right()
    {
        await using var rig = new IngestRig();
        var now = rig.Now.Value;
        var body = new WriteRequestMaker().Series("m", "x", now, 1).ToBody();
        Assert.Null(await rig.WriteAsync(new WriteRequestMaker().Series("m", "x", now - 1, 1).ToBody()));
        rig.Time.JumpWallClock(TimeSpan.FromDays(400));
        Assert.Equal((503, ProblemCode.ClockSuspect), (await rig.WriteAsync(body) is { } leapt ? (leapt.Status, leapt.Code) : default));
        rig.Time.JumpWallClock(-TimeSpan.FromDays(400));
        Assert.Null(await rig.WriteAsync(body));

        rig.Time.JumpWallClock(TimeSpan.FromDays(400));
        Assert.Equal(503, (await rig.WriteAsync(body))!.Status);
        rig.Time.Advance(TimeSpan.FromHours(2));
        Assert.Equal((400, ProblemCode.TooOld), (await rig.WriteAsync(body) is { } old ? (old.Status, old.Code) : default));
    }

    [Fact]
    public async Task Records_that_only_a_clock_ahead_gave_their_time_do_not_make_the_right_clock_suspect()
    {
        await using var rig = new IngestRig();
        await rig.SendAsync(1);
        await rig.AppliedAsync();
        rig.Time.JumpWallClock(TimeSpan.FromDays(400));
        await rig.Ups.WriteDueAsync();
        Assert.Null(await rig.WriteAsync(new WriteRequestMaker().Metadata(1, "m", "Help.", "").ToBody()));
        rig.Time.JumpWallClock(-TimeSpan.FromDays(400));
        await using var later = rig.AfterKill();
        foreach (var each in new[] { rig, later })
        {
            Assert.False(each.Clock.IsSuspect(out _));
            Assert.Equal(3, each.SpoolMetrics.RecordsCommitted + each.SpoolMetrics.RecordsReplayed);
        }
    }

    [Fact]
    public async Task A_failed_sync_is_503_stores_nothing_and_the_next_request_works()
    {
        await using var rig = new IngestRig();
        Assert.Null(await rig.WriteAsync(new WriteRequestMaker().Series("m", "x", rig.Now.Value, 1).ToBody()));
        rig.Files.Fault = operation => operation.Kind == FileOperationKind.Sync ? FileFault.InputOutput : null;
        var refusal = await rig.WriteAsync(new WriteRequestMaker().Series("lost", "x", rig.Now.Value, 1).ToBody());
        Assert.Equal((503, ProblemCode.StoreUnreachable), (refusal!.Status, refusal.Code));
        rig.Files.Fault = null;
        Assert.Null(await rig.WriteAsync(new WriteRequestMaker().Series("n", "x", rig.Now.Value, 1).ToBody()));
        await rig.AppliedAsync();
        await using var later = rig.AfterPowerCut(3);
        Assert.Equal(["{__name__=\"m\", job=\"x\"}", "{__name__=\"n\", job=\"x\"}"], later.Store.All().Names());
    }

    [Fact]
    public async Task Batches_and_requests_share_a_spool_whose_trim_counts_both()
    {
        await using var rig = new IngestRig(segmentSizeMax: 200);
        for (ulong i = 1; i <= 5; i++)
        {
            Assert.Null(await rig.WriteAsync(new WriteRequestMaker().Series("m", "x", rig.Now.Value, i).ToBody()));
            await rig.SendAsync(i);
            rig.Time.Advance(TimeSpan.FromDays(1));
        }

        await rig.AppliedAsync();
        var before = rig.Spool.Segments.Count;
        rig.Trim.Run(RetentionOf(TimeSpan.FromDays(3)));
        Assert.True(rig.Spool.Segments.Count < before, "segments older than three days are gone");
        await using var later = rig.AfterKill();
        Assert.Equal(0, later.SpoolMetrics.RecordsUnreadable);
        Assert.Equal(later.SpoolMetrics.RecordsReplayed, later.Store.All().SampleCount + later.Consumer.All.Count);
        Assert.Equal(FrameOutcome.Duplicate, (await later.SendFrameAsync(1, FrameMaker.Frame(1, rig.Now.Add(-TimeSpan.FromDays(5))))).Outcome);
    }

    [Fact]
    public async Task A_spool_of_requests_alone_is_trimmed_too()
    {
        await using var rig = new IngestRig(segmentSizeMax: 100);
        for (var i = 0; i < 4; i++)
        {
            Assert.Null(await rig.WriteAsync(new WriteRequestMaker().Series("m", "x", rig.Now.Value, i).ToBody()));
            rig.Time.Advance(TimeSpan.FromDays(1));
        }

        var before = rig.Spool.Segments.Count;
        rig.Trim.Run(RetentionOf(TimeSpan.FromDays(2)));
        Assert.True(rig.Spool.Segments.Count < before, "no batch is needed for a trim");
    }

    private static Lm.Collector.Settings.StorageSettings RetentionOf(TimeSpan retention) => new()
    {
        CollectorId = "c",
        SpoolDirectory = "/spool",
        CacheDirectory = "/cache",
        SpoolSizeMax = 1 << 30,
        LocalSizeMax = 1 << 30,
        BlockHours = 2,
        LocalRetention = retention,
        Backfill = TimeSpan.FromDays(35),
    };
}
