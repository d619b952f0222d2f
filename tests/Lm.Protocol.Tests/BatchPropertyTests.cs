using FsCheck;
using FsCheck.Fluent;
using Google.Protobuf;

namespace Lm.Protocol.Tests;

public sealed class BatchPropertyTests
{
    [Fact]
    public void Any_batch_round_trips_through_a_frame() => Prop
        .ForAll(Batches.Any, model => Same(model, Batches.Decode(Batches.PayloadOf(Batches.EncodeFrame(model)))))
        .QuickCheckThrowOnFailure();

    [Fact]
    public void Generated_code_reads_what_we_write() => Prop
        .ForAll(Batches.Any, model => Same(model, ProtoBatches.Decode(Batches.Encode(model))))
        .QuickCheckThrowOnFailure();

    [Fact]
    public void We_read_what_generated_code_writes() => Prop
        .ForAll(Batches.AnyWithHistograms, model => Same(model, Batches.Decode(ProtoBatches.MessageOf(model).ToByteArray())))
        .QuickCheckThrowOnFailure();

    [Fact]
    public void Order_of_fields_packing_and_unknown_fields_change_nothing_for_either_reader() => Prop
        .ForAll(Batches.AnyWithHistograms, model =>
        {
            var scrambled = WireScramble.Of(ProtoBatches.MessageOf(model).ToByteArray(), new Random(model.ToString().Length));
            Same(model, Batches.Decode(scrambled));
            Same(model, ProtoBatches.Decode(scrambled));
        })
        .QuickCheckThrowOnFailure();

    [Fact]
    public void A_batch_object_and_an_encoder_that_are_used_again_keep_nothing_of_the_batch_before()
    {
        var encoder = new BatchEncoder { IncludeMetadata = true };
        var batch = new DecodedBatch();
        Prop.ForAll(Batches.Any, model => Same(model, Batches.Decode(Batches.Payload(model, encoder), batch))).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void A_rewritten_batch_differs_in_its_key_alone_and_keeps_unknown_fields() => Prop
        .ForAll(Batches.AnyWithHistograms, model =>
        {
            var payload = WireScramble.Of(ProtoBatches.MessageOf(model).ToByteArray(), new Random(model.ToString().Length));
            var moved = model with { QueueId = ~model.QueueId, SeqStart = 7, SeqEnd = 9 };

            Assert.True(BatchRewriter.TryRewrite(
                Frames.Of(payload), int.MaxValue, moved.Key.QueueId, moved.Key.Sequences, out var rewritten, out _));

            Same(moved, Batches.Decode(Batches.PayloadOf(rewritten)));
            Assert.Equal(Frames.FieldsBut(payload, 2, 3, 4), Frames.FieldsBut(Batches.PayloadOf(rewritten), 2, 3, 4));
        })
        .QuickCheckThrowOnFailure();

    // Labels are compared in the order that they were sent in, the name aside.
    private static void Same(BatchModel expected, BatchModel actual) => Assert.Equal(expected.ToString(), actual.ToString());
}
