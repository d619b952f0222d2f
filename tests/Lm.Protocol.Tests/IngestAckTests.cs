using Google.Protobuf;
using Lm.Platform;
using Proto = Lightmetrics.V1;

namespace Lm.Protocol.Tests;

public sealed class IngestAckTests
{
    // Every value another than its default, alerts 0: a collector that takes none must be able to say so.
    internal static readonly IngestAck Sample = new(
        [
            new FrameAck(new SequenceRange(7, 9), FrameOutcome.Accepted, 200, "", "series 3 (x): 40 labels; max_labels_per_series is 32", 5, 1),
            new FrameAck(new SequenceRange(10, 10), FrameOutcome.Duplicate, 200, "", "", 0, 0),
            new FrameAck(new SequenceRange(0, 0), FrameOutcome.Refused, 400, ProblemCode.MalformedFrame, "the frame's checksum …", 0, 0),
        ],
        new UnixMillis(1_767_323_045_123),
        new Limits
        {
            BodyBytesMax = 1,
            BatchBytesMax = 2,
            SeriesPerBatchMax = 3,
            LabelsPerSeriesMax = 4,
            LabelKeyBytesMax = 5,
            LabelValueBytesMax = 6,
            SamplesPerBatchMax = 7,
            LogsPerBatchMax = 8,
            LogMessageBytesMax = 9,
            AlertsPerBatchMax = 0,
            FutureSecondsMax = 11,
        });

    [Fact]
    public void An_ack_round_trips() => Same(Sample, Sample.Encode());

    [Fact]
    public void Generated_code_reads_and_writes_the_same_ack()
    {
        var message = Proto.IngestAck.Parser.ParseFrom(Sample.Encode());

        Assert.Equal(3, message.Frames.Count);
        Assert.Equal(Proto.FrameOutcome.Duplicate, message.Frames[1].Outcome);
        Assert.Equal(5u, message.Frames[0].DroppedTooOld);
        Assert.Equal(1_767_323_045_123, message.CollectorTimeMs);
        Assert.Equal(1u, message.Limits.MaxBodyBytes);
        Assert.True(message.Limits.HasMaxAlertsPerBatch);
        Assert.Equal(0u, message.Limits.MaxAlertsPerBatch);
        Assert.Equal(11u, message.Limits.MaxFutureSeconds);
        Same(Sample, message.ToByteArray());
    }

    [Fact]
    public void Unknown_fields_are_skipped_and_limits_that_are_not_sent_have_their_defaults()
    {
        byte[] bytes = [.. WireScramble.Unknown(new Random(1)), 0x0a, 5, 0x08, 7, 0x10, 7, 0x58, .. "\u0001"u8, 0x1a, 3, 0x18, 99, 0x60];
        Assert.False(IngestAck.TryDecode(bytes, out _));

        bytes = [.. WireScramble.Unknown(new Random(1)), 0x0a, 6, 0x08, 7, 0x10, 7, 0x58, 1, 0x1a, 4, 0x18, 99, 0x60, 1];
        Assert.True(IngestAck.TryDecode(bytes, out var ack));
        Assert.Equal(new SequenceRange(7, 7), Assert.Single(ack.Frames).Sequences);
        Assert.Equal(new Limits { SeriesPerBatchMax = 99 }, ack.Limits);
    }

    [Fact]
    public void An_outcome_that_is_not_known_yet_acknowledges_nothing()
    {
        Assert.True(IngestAck.TryDecode([0x0a, 2, 0x18, 44], out var ack));
        Assert.Equal(FrameOutcome.Unknown, ack.Frames[0].Outcome);
    }

    [Theory]
    [InlineData(new byte[] { 0x3c, 0x68, 0x74, 0x6d, 0x6c, 0x3e })]
    [InlineData(new byte[] { 0x0a, 0xff, 0x01 })]
    [InlineData(new byte[] { 0x0a, 2, 0x08, 9 })]
    [InlineData(new byte[] { 0x0a, 3, 0x2a, 1, 0xff })]
    [InlineData(new byte[] { 0x0a, 6, 0x20, 0xff, 0xff, 0xff, 0xff, 0x0f })]
    public void Bytes_that_are_not_an_ack_are_told(byte[] bytes)
    {
        Assert.False(IngestAck.TryDecode(bytes, out var ack));
        Assert.Empty(ack.Frames);
    }

    [Fact]
    public void Every_cut_and_every_flipped_bit_is_read_or_refused_without_a_throw()
    {
        var bytes = Sample.Encode();
        for (var length = 0; length < bytes.Length; length++)
        {
            IngestAck.TryDecode(bytes.AsSpan(0, length), out var ack);
            Assert.InRange(ack.Frames.Count, 0, 3);
        }

        for (var bit = 0; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            IngestAck.TryDecode(bytes, out var ack);

            // Four: the limits' tag is one bit from that of a frame.
            Assert.InRange(ack.Frames.Count, 0, 4);
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    internal static void Same(IngestAck expected, ReadOnlySpan<byte> bytes)
    {
        Assert.True(IngestAck.TryDecode(bytes, out var ack));
        Assert.Equal(expected.Frames, ack.Frames);
        Assert.Equal(expected.CollectorTime, ack.CollectorTime);
        Assert.Equal(expected.Limits, ack.Limits);
    }
}
