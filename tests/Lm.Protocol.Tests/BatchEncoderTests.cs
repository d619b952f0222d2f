using Lightmetrics.V1;
using Lm.Platform;

namespace Lm.Protocol.Tests;

public sealed class BatchEncoderTests
{
    private static readonly MetricDescriptor Load = new("node_load1", MetricType.Gauge, "tasks", "One-minute load.");
    private static readonly BatchKey Key = new("a", new QueueId(1), new SequenceRange(1, 1));

    [Fact]
    public void Every_string_is_sent_once()
    {
        var symbols = Batch.Parser.ParseFrom(Batches.Encode(Batches.Heartbeat())).Symbols;

        Assert.Equal("", symbols[0]);
        Assert.Equal(symbols.Distinct().Count(), symbols.Count);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Unit_and_help_are_sent_when_told(bool include)
    {
        var encoder = Begin();
        encoder.IncludeMetadata = include;
        encoder.Add(Load, [], 1);

        var batch = Batch.Parser.ParseFrom(encoder.EncodePayload(Key).Span);

        Assert.Equal(include, batch.Symbols.Contains("tasks") && batch.Symbols.Contains("One-minute load."));
        Assert.Equal(include, batch.Series[0].Help != 0);
    }

    [Fact]
    public void Counts_follow_what_was_added_and_begin_again()
    {
        var encoder = Begin();
        encoder.Add(Load, [], 1);
        encoder.AddLog(new LogRecord(new UnixMillis(5), 9, "line", []));
        encoder.AddLog(new LogRecord(new UnixMillis(5), 9, "line", []));
        encoder.AddAlert(new AlertRecord(new UnixMillis(5), 9, "name", "message", []));

        Assert.Equal((1, 2, 1), (encoder.SeriesCount, encoder.LogCount, encoder.AlertCount));
        encoder.Begin(new UnixMillis(6), 0, []);
        Assert.Equal((0, 0, 0), (encoder.SeriesCount, encoder.LogCount, encoder.AlertCount));
    }

    [Fact]
    public void Text_that_is_not_valid_utf16_is_repaired_and_still_sent_once()
    {
        var encoder = Begin();
        encoder.Add(Load, [new Label("a", "x\ud800"), new Label("b", "x\udc00"), new Label("c", "x\ufffd"), new Label("d", "😀")], 1);
        encoder.AddLog(new LogRecord(new UnixMillis(5), 9, "\ud800!", []));

        var batch = Batches.Decode(encoder.EncodePayload(Key));

        Assert.Equal(["x\ufffd", "x\ufffd", "x\ufffd", "😀"], batch.Series[0].Labels.Select(label => label.Value));
        Assert.Equal("\ufffd!", batch.Logs[0].Body);
    }

    [Fact]
    public void A_label_without_a_value_is_left_out()
    {
        var encoder = Begin();
        encoder.Add(Load, [new Label("comm", ""), new Label("pid", "1")], 1);

        Assert.Equal([new Label("pid", "1")], Batches.Decode(encoder.EncodePayload(Key)).Series[0].Labels);
    }

    [Fact]
    public void The_same_batch_can_be_encoded_under_another_key()
    {
        var encoder = Begin();
        encoder.Add(Load, [], 1);
        encoder.EncodeFrame(Key);

        var again = Batches.Decode(Batches.PayloadOf(encoder.EncodeFrame(Key with { Sequences = new SequenceRange(2, 2) }).Span));

        Assert.Equal(2UL, again.SeqStart);
        Assert.Single(again.Series);
    }

    private static BatchEncoder Begin()
    {
        var encoder = new BatchEncoder();
        encoder.Begin(new UnixMillis(5), 15_000, []);
        return encoder;
    }
}
