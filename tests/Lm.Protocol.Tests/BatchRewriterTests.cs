using Lm.Protocol.Framing;

namespace Lm.Protocol.Tests;

public sealed class BatchRewriterTests
{
    private static readonly QueueId Queue = new(7);
    private static readonly SequenceRange Sequences = new(3, 3);

    [Fact]
    public void A_damaged_frame_is_told_and_gives_nothing()
    {
        var frame = Batches.EncodeFrame(Batches.Heartbeat(2));
        frame[^1] ^= 1;

        Assert.False(BatchRewriter.TryRewrite(frame, 1 << 20, Queue, Sequences, out var rewritten, out var fault));
        Assert.Empty(rewritten);
        Assert.StartsWith("the frame's checksum is", fault, StringComparison.Ordinal);
    }

    [Fact]
    public void A_frame_larger_than_allowed_is_told()
    {
        Assert.False(BatchRewriter.TryRewrite(Frames.Of(new byte[100]), 99, Queue, Sequences, out _, out var fault));
        Assert.Equal("the frame's payload has 100 bytes; max_batch_bytes is 99", fault);
    }

    [Fact]
    public void A_payload_that_is_not_protobuf_is_told_with_its_place()
    {
        Assert.False(BatchRewriter.TryRewrite(Frames.Of([0x18, 1, 0xff, 0xff]), 99, Queue, Sequences, out _, out var fault));
        Assert.Equal("the batch's field at byte 2 of 4 is cut short or not protobuf", fault);
    }

    [Fact]
    public void Rewriting_twice_gives_the_same_bytes_as_once()
    {
        var frame = Batches.EncodeFrame(Batches.Heartbeat(2));
        Assert.True(BatchRewriter.TryRewrite(frame, 1 << 20, new QueueId(1), new SequenceRange(9, 9), out var once, out _));
        Assert.True(BatchRewriter.TryRewrite(once, 1 << 20, Queue, Sequences, out var twice, out _));
        Assert.True(BatchRewriter.TryRewrite(frame, 1 << 20, Queue, Sequences, out var directly, out _));

        Assert.Equal(directly, twice);
        Assert.Equal(FrameStatus.Ok, FrameReader.TryRead(twice, 1 << 20, out _));
    }
}
