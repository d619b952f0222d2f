using Lm.Journal;
using Lm.Protocol;
using Lm.Protocol.Framing;

namespace Lm.Collector.Spool;

/// <summary>Decodes batches that the spool holds.</summary>
/// <remarks>For one thread. What a batch views lasts until the next one.</remarks>
internal sealed class BatchReader
{
    private byte[] payload = [];

    /// <summary>The batch that was read last.</summary>
    public DecodedBatch Batch { get; } = new();

    /// <summary>Decodes a batch's record.</summary>
    /// <param name="record">The record.</param>
    /// <param name="head">What was decided when it came.</param>
    /// <param name="frame">Its frame.</param>
    /// <returns>What is wrong with it; null when nothing.</returns>
    public string? TryRead(ReadOnlyMemory<byte> record, out SpoolHead head, out Frame frame)
    {
        frame = default;
        if (SpoolRecord.TryRead(record, out head, out var bytes) is { } fault)
        {
            return fault;
        }

        var status = FrameReader.TryRead(bytes.Span, BatchSpoolLimits.BatchBytesMax, out frame);
        if (status == FrameStatus.Ok)
        {
            Reserve(frame.PayloadLength);
            status = FrameReader.ReadPayload(bytes.Span, frame, payload);
        }

        if (status != FrameStatus.Ok)
        {
            return FrameReader.Describe(status, bytes.Span, BatchSpoolLimits.BatchBytesMax);
        }

        return BatchDecoder.Decode(payload.AsMemory(0, frame.PayloadLength), BatchSpoolLimits.Accepted, Batch, out var undecodable) == DecodeStatus.Ok
            ? null
            : undecodable;
    }

    /// <summary>The batch that was read last, as consumers take it.</summary>
    public AcceptedBatch Accepted(JournalPosition position, in SpoolHead head, in Frame frame) => new()
    {
        Position = position,
        ReceivedAt = head.ReceivedAt,
        Batch = Batch,
        Verdict = head.Verdict,
        IsReplay = true,
        FrameBytes = frame.Length,
    };

    private void Reserve(int size)
    {
        if (payload.Length < size)
        {
            payload = GC.AllocateUninitializedArray<byte>(Math.Max(size, Math.Min(2 * payload.Length, BatchSpoolLimits.BatchBytesMax)));
        }
    }
}
