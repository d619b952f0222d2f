using Lm.Platform;
using static Lm.Protocol.Tests.BatchModel;

namespace Lm.Protocol.Tests;

public sealed class BatchRulesTests
{
    private const long Now = 1_767_323_045_000;
    private static readonly TimeSpan Backfill = TimeSpan.FromDays(35);
    private static readonly Limits Floors = new()
    {
        SeriesPerBatchMax = Limits.SeriesPerBatchFloor,
        LabelsPerSeriesMax = Limits.LabelsPerSeriesFloor,
        LabelKeyBytesMax = Limits.LabelKeyBytesFloor,
        LabelValueBytesMax = Limits.LabelValueBytesFloor,
    };

    [Fact]
    public void The_base_heartbeat_passes_with_every_limit_at_its_floor()
    {
        var verdict = Judge(Batches.Heartbeat(), Floors);

        Assert.Empty(verdict.DroppedSeries);
        Assert.Equal("", verdict.FirstDropped);
        Assert.Equal(0, verdict.TooOldCount);
        Assert.Equal(Now - (35 * 86_400_000L), verdict.OldestAccepted.Value);
    }

    [Fact]
    public void A_series_with_too_many_labels_is_left_out_alone()
    {
        var model = Model(Series("ok", Labels(4)), Series("five", Labels(5)), Series("ok", Labels(4)), Series("six", Labels(6)));

        var verdict = Judge(model, Floors);

        Assert.Equal([1, 3], verdict.DroppedSeries);
        Assert.Equal("series 1 (five): 5 labels; max_labels_per_series is 4", verdict.FirstDropped);
    }

    [Fact]
    public void Common_labels_count_with_a_series_unless_its_own_replace_them()
    {
        var model = Model(Series("three_and_two", Labels(3)), Series("replaces", [new Label("c0", "x"), .. Labels(3)]))
            with
        { CommonLabels = [new Label("c0", "a"), new Label("l0", "b")] };

        var verdict = Judge(model, Floors);

        // The second: l0, l1, l2 and c0 of its own, which replace both common ones: four. The first: l0, l1, l2 and c0: four.
        Assert.Empty(verdict.DroppedSeries);
        verdict = Judge(model, Floors with { LabelsPerSeriesMax = 3 });
        Assert.Equal([0, 1], verdict.DroppedSeries);
        Assert.Equal("series 0 (three_and_two): 3 labels and 2 common ones; max_labels_per_series is 3", verdict.FirstDropped);
    }

    [Theory]
    [InlineData(14, 64, "")]
    [InlineData(15, 64, "series 0 (m): label \"aaaaaaaaaaaaaaa\": its name has 15 bytes; max_label_key_bytes is 14")]
    [InlineData(14, 65, "series 0 (m): label \"aaaaaaaaaaaaaa\": its value has 65 bytes; max_label_value_bytes is 64")]
    public void A_label_over_a_size_leaves_out_its_series(int nameLength, int valueLength, string fault)
    {
        var verdict = Judge(Model(Series("m", [new Label(new string('a', nameLength), new string('v', valueLength))])), Floors);

        Assert.Equal(fault, verdict.FirstDropped);
        Assert.Equal(fault.Length > 0 ? 1 : 0, verdict.DroppedSeries.Count);
    }

    [Fact]
    public void Sizes_are_bytes_of_utf8() =>
        Assert.Contains(
            "its value has 66 bytes", Judge(Model(Series("m", [new Label("a", new string('€', 22))])), Floors).FirstDropped, StringComparison.Ordinal);

    [Theory]
    [InlineData(1024, 0)]
    [InlineData(1025, 1)]
    public void A_metric_name_has_a_bound_of_its_own(int length, int dropped) =>
        Assert.Equal(dropped, Judge(Model(Series(new string('m', length), [])), Floors).DroppedSeries.Count);

    [Fact]
    public void A_common_label_over_a_size_leaves_out_every_record()
    {
        var model = Model(Series("m", [])) with { CommonLabels = [new Label("site", new string('v', 65))], Logs = [Log(Now, "line")] };

        var verdict = Judge(model, Floors);

        Assert.Equal([0], verdict.DroppedSeries);
        Assert.Equal([0], verdict.DroppedLogs);
        Assert.StartsWith("series 0 (m): common label \"site\": its value has 65 bytes", verdict.FirstDropped, StringComparison.Ordinal);
    }

    [Fact]
    public void Log_records_over_a_limit_are_left_out_one_by_one()
    {
        var limits = Floors with { LogMessageBytesMax = 10 };
        var model = new BatchModel
        {
            Logs = [Log(Now, "0123456789"), Log(Now, "0123456789a"), new LogModel(Now, 0, "x", Labels(5)), Log(Now, "ok")],
        };

        var verdict = Judge(model, limits);

        Assert.Equal([1, 2], verdict.DroppedLogs);
        Assert.Equal("log record 1: the body has 11 bytes; max_log_message_bytes is 10", verdict.FirstDropped);
    }

    [Fact]
    public void Records_older_than_the_backfill_are_counted_one_by_one_and_not_those_left_out_already()
    {
        var oldest = Now - (long)Backfill.TotalMilliseconds;
        var model = Model(
            Series("m", [], oldest - 1, oldest, Now),
            Series("old_and_over", Labels(5), oldest - 1)) with
        {
            Logs = [Log(oldest - 1, "old"), Log(oldest, "new enough")],
        };

        var verdict = Judge(model, Floors);

        Assert.Equal(2, verdict.TooOldCount);
        Assert.Equal([1], verdict.DroppedSeries);
        Assert.Empty(verdict.DroppedLogs);
    }

    [Fact]
    public void The_newest_time_is_that_of_any_record_or_of_the_collection()
    {
        Judge(Model(Series("m", [], Now + 7, Now)) with { CollectedAt = Now }, Floors, out var newest);
        Assert.Equal(Now + 7, newest.Value);
        Judge(new BatchModel { CollectedAt = Now, Logs = [Log(Now + 9, "x")] }, Floors, out newest);
        Assert.Equal(Now + 9, newest.Value);
        Judge(Model(Series("m", [], Now - 5)) with { CollectedAt = Now }, Floors, out newest);
        Assert.Equal(Now, newest.Value);
    }

    private static BatchVerdict Judge(BatchModel model, Limits limits) => Judge(model, limits, out _);

    private static BatchVerdict Judge(BatchModel model, Limits limits, out UnixMillis newest)
    {
        var batch = new DecodedBatch();
        var status = BatchDecoder.Decode(Batches.Encode(model), limits, batch, out var fault);
        Assert.True(status == DecodeStatus.Ok, fault);
        return BatchRules.Judge(batch, limits, new UnixMillis(Now), Backfill, out newest);
    }

    private static BatchModel Model(params SeriesModel[] series) => new() { CollectedAt = Now, Series = series };

    private static SeriesModel Series(string name, Label[] labels, params long[] times) => new(
        name, labels, MetricType.Gauge, "", "", (times.Length == 0 ? [Now] : times).Select(time => new SampleModel(time, 0)).ToArray(), []);

    private static LogModel Log(long time, string body) => new(time, 0, body, []);

    private static Label[] Labels(int count) => Enumerable.Range(0, count).Select(i => new Label($"l{i}", "v")).ToArray();
}
