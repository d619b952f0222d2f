using Google.Protobuf;
using Lightmetrics.V1;
using Proto = Lightmetrics.V1;

namespace Lm.Protocol.Tests;

public sealed class BatchDecoderTests
{
    private static readonly Limits Limits = new();

    public static TheoryData<string, string> MalformedBatches => new()
    {
        { "no agent", "agent_id is missing, empty" },
        { "agent too long", "agent_id has 256 bytes; it has at most 255" },
        { "no queue", "queue_id is missing" },
        { "short queue", "queue_id has 15 bytes; it has 16" },
        { "sequence 0", "the sequences are 0 to 0; the first is at least 1" },
        { "sequence backwards", "the sequences are 5 to 4;" },
        { "collected in year 10000", "collected_at_ms is 253402300800000, outside the years 1 to 9999" },
        { "interval too long", "interval_ms is 4294967295; it is at most 2147483647" },
        { "symbol 0 not empty", "symbol 0 is \"x\"; it is always empty" },
        { "symbol twice", "symbol 4 (\"node_load1\") is symbol 2 again" },
        { "common label out of range", "common_labels: label 0 refers to symbol 99; the batch has 4" },
        { "common name", "common_labels: label __name__; only a series has that one" },
        { "common label twice", "common_labels: label \"cpu\" appears twice" },
        { "no metric name", "series 1: no label __name__; a series has exactly one" },
        { "two metric names", "series 1 (node_load1): label \"__name__\" appears twice" },
        { "bad metric name", "series 1 (1x): label __name__ is \"1x\", no metric name" },
        { "empty metric name", "series 1 (): label __name__ is \"\", no metric name" },
        { "bad label name", "series 1 (node_load1): label \"a-b\\u{a}\" is no label name" },
        { "reserved label name", "series 1 (node_load1): label \"__x\" is no label name" },
        { "empty label name", "series 1 (node_load1): label \"\" is no label name" },
        { "label twice", "series 1 (node_load1): label \"cpu\" appears twice" },
        { "odd labels", "series 1 (node_load1): 3 references of labels; they are pairs" },
        { "label out of range", "series 1 (node_load1): label 1 refers to symbol 4; the batch has 4" },
        { "unit out of range", "series 1 (node_load1): unit or help text refers to symbol 77; the batch has 4" },
        { "times without values", "series 1 (node_load1): 2 times and 1 values; every sample has both" },
        { "time overflow", "series 1 (node_load1): a time 9223372036854775807 ms from 1700000000000 ms is outside the years 1 to 9999" },
        { "time before year 1", "is outside the years 1 to 9999" },
        { "samples and histograms", "series 1 (node_load1): 1 samples and 1 histograms; a series has one kind" },
        { "bounds not ascending", "series 1 (node_load1): a histogram whose bound 1 is not finite or not above the one before it" },
        { "bound not finite", "series 1 (node_load1): a histogram whose bound 0 is not finite" },
        { "too few counts", "series 1 (node_load1): a histogram with 1 counts for 1 bounds; it has one more than bounds" },
        { "wrong count", "series 1 (node_load1): a histogram with count 4 whose buckets have 3" },
        { "too many bounds", "series 1 (node_load1): a histogram with 513 bounds; it has at most 512" },
        { "log severity", "log record 0: severity 25; it is 0 to 24" },
        { "log time", "log record 0: a time 9223372036854775807 ms from" },
        { "log attribute", "log record 0: label \"cpu\" appears twice" },
        { "log metric name", "log record 0: label __name__; only a series has that one" },
        { "alert without name", "alert record 0: the name is empty" },
        { "alert message out of range", "alert record 0 (cpu): name or message refers to symbol 9; the batch has 4" },
        { "alert severity", "alert record 0 (cpu): severity 99; it is 0 to 24" },
    };

    [Theory]
    [MemberData(nameof(MalformedBatches))]
    public void Each_malformed_kind_names_its_record(string kind, string fault)
    {
        var message = ValidMessage();
        Spoil(message, kind);

        Refused(DecodeStatus.Malformed, fault, message.ToByteArray());
    }

    [Fact]
    public void The_batch_that_the_others_are_made_from_is_valid() =>
        Assert.Equal(DecodeStatus.Ok, BatchDecoder.Decode(ValidMessage().ToByteArray(), Limits, new DecodedBatch(), out _));

    [Fact]
    public void An_empty_payload_is_malformed() => Refused(DecodeStatus.Malformed, "agent_id is missing", []);

    [Fact]
    public void Every_cut_of_a_batch_is_refused_or_loses_whole_fields_at_its_end()
    {
        var payload = Batches.Encode(Batches.Heartbeat(5));
        var batch = new DecodedBatch();
        var whole = 0;
        for (var length = 0; length < payload.Length; length++)
        {
            if (BatchDecoder.Decode(payload.AsMemory(0, length), Limits, batch, out var fault) == DecodeStatus.Ok)
            {
                whole++;
            }
            else
            {
                Assert.NotEmpty(fault);
                Assert.Equal(0, batch.Series.Length);
            }
        }

        // A cut between two records is a shorter batch: that is why frames have a length and a checksum.
        Assert.InRange(whole, 5, 60);
    }

    [Theory]
    [InlineData(new byte[] { 0x08, 0x01 }, "field 1 before byte")]
    [InlineData(new byte[] { 0x4d, 1, 2, 3, 4 }, "field 9 before byte")]
    [InlineData(new byte[] { 0x00 }, "a field at byte")]
    [InlineData(new byte[] { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }, "a field at byte")]
    [InlineData(new byte[] { 0xa3, 0x06 }, "field 100 at byte")]
    [InlineData(new byte[] { 0x4a, 0xff, 0xff, 0xff, 0xff, 0x0f }, "field 9 at byte")]
    [InlineData(new byte[] { 0x18, 1 }, "field 3 appears twice")]
    [InlineData(new byte[] { 0x30, 0x80 }, "field 6 at byte")]
    public void Bytes_that_are_not_this_message_are_malformed(byte[] appended, string fault)
    {
        var message = ValidMessage();
        message.IntervalMs = 0;

        Refused(DecodeStatus.Malformed, fault, [.. message.ToByteArray(), .. appended]);
    }

    [Fact]
    public void Text_that_is_not_utf8_is_malformed()
    {
        Refused(DecodeStatus.Malformed, "symbol 4 (", [.. ValidMessage().ToByteArray(), 0x3a, 1, 0xff]);
        Refused(
            DecodeStatus.Malformed, "log record 1: the body (1 bytes at byte", [.. ValidMessage().ToByteArray(), 0x52, 3, 0x1a, 1, 0xc0]);
    }

    [Theory]
    [InlineData(2, "series 1 (node_load1): temporality 2 (delta); only cumulative")]
    [InlineData(9, "series 1 (node_load1): temporality 9;")]
    public void Delta_and_whatever_may_come_later_is_unsupported(int temporality, string fault)
    {
        var message = ValidMessage();
        message.Series[1].Temporality = (Temporality)temporality;

        Refused(DecodeStatus.UnsupportedTemporality, fault, message.ToByteArray());
    }

    [Fact]
    public void A_type_that_is_not_known_yet_is_read_as_unknown()
    {
        var message = ValidMessage();
        message.Series[1].Type = (Proto.MetricType)77;
        var batch = new DecodedBatch();

        Assert.Equal(DecodeStatus.Ok, BatchDecoder.Decode(message.ToByteArray(), Limits, batch, out _));
        Assert.Equal(MetricType.Unknown, batch.Series[1].Type);
    }

    [Fact]
    public void A_pair_without_a_value_is_no_label()
    {
        var message = ValidMessage();
        message.Series[1].Labels.AddRange([3, 0]);
        var batch = new DecodedBatch();

        Assert.Equal(DecodeStatus.Ok, BatchDecoder.Decode(message.ToByteArray(), Limits, batch, out _));
        Assert.Equal([1u, 2u], batch.Labels(batch.Series[1]).ToArray());
    }

    [Fact]
    public void A_batch_without_a_symbol_table_has_the_empty_string()
    {
        var message = ValidMessage();
        message.Symbols.Clear();
        message.Series.Clear();
        message.Alerts.Clear();
        var batch = new DecodedBatch();

        Assert.Equal(DecodeStatus.Ok, BatchDecoder.Decode(message.ToByteArray(), Limits, batch, out _));
        Assert.Equal(1, batch.SymbolCount);
        Assert.True(batch.Symbol(0).IsEmpty);
    }

    [Fact]
    public void Counts_of_the_whole_batch_are_refused_with_both_numbers_and_the_setting()
    {
        var payload = Batches.Encode(Batches.Heartbeat() with
        {
            Logs = [.. Enumerable.Repeat(new BatchModel.LogModel(1_767_323_045_000, 9, "line", []), 3)],
            Alerts = [.. Enumerable.Repeat(new BatchModel.AlertModel(1_767_323_045_000, 9, "queue_dropped", "", [new Label("cpu", "0")]), 2)],
        });

        Exceeded($"the batch has {payload.Length} bytes; max_batch_bytes is 1000", payload, Limits with { BatchBytesMax = 1000 });
        Exceeded("the batch has 107 series; max_series_per_batch is 106", payload, Limits with { SeriesPerBatchMax = 106 });
        Exceeded("the batch has 107 samples; max_samples_per_batch is 106", payload, Limits with { SamplesPerBatchMax = 106 });
        Exceeded("the batch has 3 log records; max_logs_per_batch is 2", payload, Limits with { LogsPerBatchMax = 2 });
        Exceeded("the batch has 2 alert records; max_alerts_per_batch is 0", payload, Limits with { AlertsPerBatchMax = 0 });
        Exceeded("alert record 0 (queue_dropped): 1 labels; max_labels_per_series is 0", payload, Limits with { LabelsPerSeriesMax = 0 });
        Exceeded("max_label_key_bytes is 2", payload, Limits with { LabelKeyBytesMax = 2 });
        Exceeded("max_label_value_bytes is 0", payload, Limits with { LabelValueBytesMax = 0 });
        var exact = Limits with { BatchBytesMax = payload.Length, SeriesPerBatchMax = 107, SamplesPerBatchMax = 107, LogsPerBatchMax = 3, AlertsPerBatchMax = 2 };
        Assert.Equal(DecodeStatus.Ok, BatchDecoder.Decode(payload, exact, new DecodedBatch(), out _));
    }

    [Fact]
    public void An_alert_record_over_a_size_refuses_the_batch_with_both_numbers_and_the_setting()
    {
        var payload = Batches.Encode(Batches.Heartbeat() with
        {
            Alerts = [new BatchModel.AlertModel(1_767_323_045_000, 17, "queue_dropped", "fünf", [new Label("cause", "max_queue_bytes")])],
        });

        Exceeded("alert record 0 (queue_dropped): the message has 5 bytes; max_log_message_bytes is 4", payload, Limits with { LogMessageBytesMax = 4 });
        Exceeded("alert record 0 (queue_dropped): 1 labels; max_labels_per_series is 0", payload, Limits with { LabelsPerSeriesMax = 0 });
        Exceeded("alert record 0 (queue_dropped): a label's name has 5 bytes; max_label_key_bytes is 4", payload, Limits with { LabelKeyBytesMax = 4 });
        Exceeded("alert record 0 (queue_dropped): a label's value has 15 bytes; max_label_value_bytes is 14", payload, Limits with { LabelValueBytesMax = 14 });
        var exact = Limits with { LogMessageBytesMax = 5, LabelsPerSeriesMax = 1, LabelKeyBytesMax = 5, LabelValueBytesMax = 15, AlertsPerBatchMax = 1 };
        Assert.Equal(DecodeStatus.Ok, BatchDecoder.Decode(payload, exact, new DecodedBatch(), out _));
    }

    [Fact]
    public void Histograms_count_as_samples()
    {
        var message = ValidMessage();
        message.Series[0].Histograms.AddRange(Enumerable.Repeat(new Histogram { Counts = { 0 } }, 3));

        Exceeded("the batch has 4 samples; max_samples_per_batch is 3", message.ToByteArray(), Limits with { SamplesPerBatchMax = 3 });
        Exceeded("the batch has 4 samples; max_samples_per_batch is 2", message.ToByteArray(), Limits with { SamplesPerBatchMax = 2 });
    }

    [Fact]
    public void Labels_and_symbols_of_a_whole_batch_are_bounded()
    {
        var small = Limits with { SeriesPerBatchMax = 2, LogsPerBatchMax = 0, AlertsPerBatchMax = 0, LabelsPerSeriesMax = 1 };
        var message = ValidMessage();
        message.Logs.Clear();
        message.Alerts.Clear();
        message.Series[1].Labels.AddRange(Enumerable.Repeat(0u, 2 * small.LabelsPerBatchMax));
        Exceeded($"series 1 (node_load1): the batch has more than {small.LabelsPerBatchMax} labels", message.ToByteArray(), small);

        message = ValidMessage();
        message.Logs.Clear();
        message.Alerts.Clear();
        message.Symbols.AddRange(Enumerable.Range(0, small.SymbolsPerBatchMax).Select(i => $"s{i}"));
        Exceeded($"the batch has more than {small.SymbolsPerBatchMax} symbols", message.ToByteArray(), small);
    }

    // Room is made for the whole numbers of a run: the one that is cut short must not be written behind it.
    [Theory]
    [InlineData(8)]
    [InlineData(17)]
    public void A_run_that_is_full_to_its_limit_and_then_cut_short_is_malformed(int count)
    {
        var tiny = Limits with { SeriesPerBatchMax = 1, LogsPerBatchMax = 0, AlertsPerBatchMax = 0, LabelsPerSeriesMax = 0, SamplesPerBatchMax = 1 };
        Assert.Equal((4, 16), (tiny.LabelsPerBatchMax, tiny.BoundsPerBatchMax));
        var message = ValidMessage();
        message.Series.Clear();
        message.Logs.Clear();
        message.Alerts.Clear();
        byte[] run = [.. Enumerable.Repeat((byte)0, count), 0x80];

        // References of labels straight in the series, or the counts of a histogram in it.
        byte[] field = count == 8 ? [0x0a, (byte)run.Length, .. run] : [0x3a, (byte)(run.Length + 2), 0x1a, (byte)run.Length, .. run];

        Refused(DecodeStatus.Malformed, "that end at byte", [.. message.ToByteArray(), 0x4a, (byte)field.Length, .. field], tiny);
    }

    [Fact]
    public void The_name_of_an_agent_that_sends_again_is_not_made_again()
    {
        var batch = new DecodedBatch();
        var payload = Batches.Encode(Batches.Heartbeat(1));
        Assert.Equal(DecodeStatus.Ok, BatchDecoder.Decode(payload, Limits, batch, out _));
        var first = batch.Key.AgentId;

        Assert.Equal(DecodeStatus.Ok, BatchDecoder.Decode(payload.ToArray(), Limits, batch, out _));

        Assert.Same(first, batch.Key.AgentId);
    }

    // Symbols: 0 "", 1 __name__, 2 node_load1, 3 cpu.
    private static Batch ValidMessage() => new()
    {
        AgentId = "a",
        QueueId = ByteString.CopyFrom(new byte[16]),
        SeqStart = 5,
        SeqEnd = 5,
        CollectedAtMs = 1_700_000_000_000,
        Symbols = { "", "__name__", "node_load1", "cpu" },
        Series =
        {
            new Series { Labels = { 1, 2, 3, 2 } },
            new Series { Labels = { 1, 2 }, TimeDeltasMs = { 0 }, Values = { 1.5 } },
        },
        Logs = { new Proto.LogRecord { Body = "line" } },
        Alerts = { new Proto.AlertRecord { Name = 3 } },
    };

    private static void Spoil(Batch message, string kind)
    {
        var series = message.Series[1];
        Action spoil = kind switch
        {
            "no agent" => () => message.AgentId = "",
            "agent too long" => () => message.AgentId = new string('a', 256),
            "no queue" => () => message.QueueId = ByteString.Empty,
            "short queue" => () => message.QueueId = ByteString.CopyFrom(new byte[15]),
            "sequence 0" => () => (message.SeqStart, message.SeqEnd) = (0, 0),
            "sequence backwards" => () => message.SeqEnd = 4,
            "collected in year 10000" => () => message.CollectedAtMs = 253_402_300_800_000,
            "interval too long" => () => message.IntervalMs = uint.MaxValue,
            "symbol 0 not empty" => () => message.Symbols[0] = "x",
            "symbol twice" => () => message.Symbols.Add("node_load1"),
            "common label out of range" => () => message.CommonLabels.AddRange([3, 99]),
            "common name" => () => message.CommonLabels.AddRange([1, 2]),
            "common label twice" => () => message.CommonLabels.AddRange([3, 2, 3, 2]),
            "no metric name" => () => Labels(3, 2),
            "two metric names" => () => Labels(1, 2, 1, 2),
            "bad metric name" => () => (message.Symbols[2], message.Series[0].Labels[1]) = ("1x", Ok(message)),
            "empty metric name" => () => Labels(1, 0),
            "bad label name" => () => Labels(1, 2, Symbol("a-b\n"), 2),
            "reserved label name" => () => Labels(1, 2, Symbol("__x"), 2),
            "empty label name" => () => Labels(1, 2, 0, 2),
            "label twice" => () => Labels(1, 2, 3, 2, 3, 1),
            "odd labels" => () => Labels(1, 2, 3),
            "label out of range" => () => Labels(1, 2, 3, 4),
            "unit out of range" => () => series.Unit = 77,
            "times without values" => () => series.TimeDeltasMs.Add(1),
            "time overflow" => () => series.TimeDeltasMs[0] = long.MaxValue,
            "time before year 1" => () => series.TimeDeltasMs[0] = -63_835_596_800_001,
            "samples and histograms" => () => series.Histograms.Add(new Histogram { Counts = { 0 } }),
            "bounds not ascending" => () => Histogram(new Histogram { Bounds = { 1, 1 }, Counts = { 0, 0, 0 } }),
            "bound not finite" => () => Histogram(new Histogram { Bounds = { double.NaN }, Counts = { 0, 0 } }),
            "too few counts" => () => Histogram(new Histogram { Bounds = { 1 }, Counts = { 3 }, Count = 3 }),
            "wrong count" => () => Histogram(new Histogram { Bounds = { 1 }, Counts = { 1, 2 }, Count = 4 }),
            "too many bounds" => () => Histogram(new Histogram { Bounds = { Enumerable.Range(0, 513).Select(i => (double)i) }, Counts = { new ulong[514] } }),
            "log severity" => () => message.Logs[0].Severity = 25,
            "log time" => () => message.Logs[0].TimeDeltaMs = long.MaxValue,
            "log attribute" => () => message.Logs[0].Attributes.AddRange([3, 1, 3, 2]),
            "log metric name" => () => message.Logs[0].Attributes.AddRange([1, 2]),
            "alert without name" => () => message.Alerts[0].Name = 0,
            "alert message out of range" => () => message.Alerts[0].Message = 9,
            "alert severity" => () => message.Alerts[0].Severity = 99,
            _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "no such kind"),
        };
        spoil();

        uint Symbol(string text)
        {
            message.Symbols.Add(text);
            return (uint)message.Symbols.Count - 1;
        }

        void Labels(params uint[] references)
        {
            series.Labels.Clear();
            series.Labels.AddRange(references);
        }

        void Histogram(Histogram histogram)
        {
            series.TimeDeltasMs.Clear();
            series.Values.Clear();
            series.Histograms.Add(histogram);
        }
    }

    private static uint Ok(Batch message)
    {
        message.Symbols.Add("ok");
        return (uint)message.Symbols.Count - 1;
    }

    private static void Exceeded(string fault, byte[] payload, Limits limits) => Refused(DecodeStatus.LimitExceeded, fault, payload, limits);

    private static void Refused(DecodeStatus expected, string fault, byte[] payload, Limits? limits = null)
    {
        var batch = new DecodedBatch();

        var status = BatchDecoder.Decode(payload, limits ?? Limits, batch, out var actual);

        Assert.Contains(fault, actual, StringComparison.Ordinal);
        Assert.Equal(expected, status);
        Assert.Equal(0, batch.Series.Length + batch.Logs.Length + batch.Alerts.Length);
    }
}
