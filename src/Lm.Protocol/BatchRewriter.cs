using Lm.Protocol.Framing;
using Lm.Protocol.Wire;

namespace Lm.Protocol;

/// <summary>Gives an existing batch another queue and number, for an agent whose queue was cloned or restored (durability rule D5).</summary>
/// <remarks>Every other field is copied byte for byte, those unknown to this version included.</remarks>
public static class BatchRewriter
{
    /// <summary>Makes the same batch under another key.</summary>
    /// <param name="frame">A whole frame.</param>
    /// <param name="payloadSizeMax">The largest payload after decompression that is allowed, bytes.</param>
    /// <param name="queueId">The new queue.</param>
    /// <param name="sequences">The batch's numbers in it.</param>
    /// <param name="rewritten">The new frame; empty when the result is false.</param>
    /// <param name="fault">What is wrong with the old one when the result is false; else empty.</param>
    public static bool TryRewrite(
        ReadOnlySpan<byte> frame, int payloadSizeMax, QueueId queueId, SequenceRange sequences, out byte[] rewritten, out string fault)
    {
        rewritten = [];
        var status = FrameReader.TryRead(frame, payloadSizeMax, out var found);
        if (status == FrameStatus.Ok)
        {
            var payload = new byte[found.PayloadLength];
            status = FrameReader.ReadPayload(frame, found, payload);
            if (status == FrameStatus.Ok)
            {
                return TryRewritePayload(payload, queueId, sequences, out rewritten, out fault);
            }
        }

        fault = FrameReader.Describe(status, frame, payloadSizeMax);
        return false;
    }

    private static bool TryRewritePayload(
        ReadOnlySpan<byte> payload, QueueId queueId, SequenceRange sequences, out byte[] rewritten, out string fault)
    {
        rewritten = [];
        fault = "";
        var writer = new WireWriter();
        writer.Reserve(payload.Length + 64);
        BatchEncoder.WriteKey(writer, queueId, sequences);
        var reader = new WireReader(payload, 0, payload.Length);
        while (!reader.AtEnd)
        {
            var start = reader.Position;
            if (!reader.TryReadTag(out var tag) || !reader.TrySkip(tag))
            {
                fault = $"the batch's field at byte {start} of {payload.Length} is cut short or not protobuf";
                return false;
            }

            if (tag is not (Tag.BatchQueueId or Tag.BatchSeqStart or Tag.BatchSeqEnd))
            {
                writer.WriteRaw(payload[start..reader.Position]);
            }
        }

        var room = new byte[FrameWriter.SizeMax(writer.Length)];
        rewritten = room[..FrameWriter.Write(writer.Written, room, isText: true)];
        return true;
    }
}
