using Lm.Platform;
using Lm.Protocol.Wire;

namespace Lm.Protocol;

/// <summary>The body of a <c>200</c> answer: <c>lightmetrics.v1.IngestAck</c>.</summary>
/// <param name="Frames">One for each frame, in the request's order.</param>
/// <param name="CollectorTime">The collector's clock.</param>
/// <param name="Limits">What the collector takes.</param>
public sealed record IngestAck(IReadOnlyList<FrameAck> Frames, UnixMillis CollectorTime, Limits Limits)
{
    /// <summary>The media type of batches and acks.</summary>
    public const string MediaType = "application/x-protobuf";

    /// <summary>An answer of no frames.</summary>
    internal static IngestAck Empty { get; } = new([], default, new Limits());

    // One for each request that a collector takes: their buffers are kept.
    [ThreadStatic]
    private static WireWriter? messageWriter;

    [ThreadStatic]
    private static WireWriter? partWriter;

    /// <summary>The message's bytes.</summary>
    public byte[] Encode()
    {
        var message = messageWriter ??= new WireWriter();
        var part = partWriter ??= new WireWriter();
        message.Clear();
        for (var i = 0; i < Frames.Count; i++)
        {
            part.Clear();
            Write(part, Frames[i]);
            message.WriteBytesField(Tag.AckFrames, part.Written);
        }

        message.WriteNumberField(Tag.AckCollectorTime, (ulong)CollectorTime.Value);
        part.Clear();
        AckLimits.Write(part, Limits);
        message.WriteBytesField(Tag.AckLimits, part.Written);
        return message.Written.ToArray();
    }

    /// <summary>Reads an answer. Unknown fields are skipped.</summary>
    /// <param name="bytes">The body; the caller bounds its size.</param>
    /// <param name="ack">The answer; one of no frames when the result is false.</param>
    /// <returns>False when the bytes are not an ack.</returns>
    public static bool TryDecode(ReadOnlySpan<byte> bytes, out IngestAck ack)
    {
        ack = Empty;
        var frames = new List<FrameAck>();
        var limits = new Limits();
        var time = 0UL;
        var reader = new WireReader(bytes, 0, bytes.Length);
        while (!reader.AtEnd)
        {
            if (!reader.TryReadTag(out var tag) || !TryReadField(bytes, ref reader, tag, frames, ref time, ref limits))
            {
                return false;
            }
        }

        ack = new IngestAck(frames, new UnixMillis((long)time), limits);
        return true;
    }

    private static bool TryReadField(
        ReadOnlySpan<byte> bytes, ref WireReader reader, uint tag, List<FrameAck> frames, ref ulong time, ref Limits limits)
    {
        switch (tag)
        {
            case Tag.AckFrames:
                return reader.TryReadLengthDelimited(out var start, out var length) && FrameAckReader.TryRead(bytes, start, length, frames);
            case Tag.AckLimits:
                return reader.TryReadLengthDelimited(out start, out length) && AckLimits.TryRead(bytes, start, length, ref limits);
            case Tag.AckCollectorTime:
                return reader.TryReadVarint(out time);
            default:
                return reader.TrySkip(tag);
        }
    }

    private static void Write(WireWriter writer, FrameAck frame)
    {
        writer.WriteNumberField(Tag.FrameSeqStart, frame.Sequences.Start);
        writer.WriteNumberField(Tag.FrameSeqEnd, frame.Sequences.End);
        writer.WriteNumberField(Tag.FrameOutcome, (uint)frame.Outcome);
        writer.WriteNumberField(Tag.FrameStatus, (uint)frame.Status);
        if (frame.Code.Length > 0)
        {
            writer.WriteStringField(Tag.FrameCode, frame.Code);
        }

        if (frame.Detail.Length > 0)
        {
            writer.WriteStringField(Tag.FrameDetail, frame.Detail);
        }

        writer.WriteNumberField(Tag.FrameDroppedTooOld, (uint)frame.DroppedTooOld);
        writer.WriteNumberField(Tag.FrameDroppedOverLimit, (uint)frame.DroppedOverLimit);
    }
}

/// <summary>What became of one frame of a request.</summary>
public enum FrameOutcome
{
    /// <summary>Not said.</summary>
    Unknown = 0,

    /// <summary>It is durable now.</summary>
    Accepted = 1,

    /// <summary>It was durable already.</summary>
    Duplicate = 2,

    /// <summary>It was not taken; the code says why.</summary>
    Refused = 3,
}

/// <summary>The answer about one frame.</summary>
/// <param name="Sequences">The frame's sequence numbers.</param>
/// <param name="Outcome">What became of it.</param>
/// <param name="Status">The HTTP status that a request of this frame alone would have had.</param>
/// <param name="Code">The stable problem code when refused; else empty.</param>
/// <param name="Detail">What is wrong, where, what is allowed, when refused or when records were dropped; else empty.</param>
/// <param name="DroppedTooOld">Samples and log records left out as too old.</param>
/// <param name="DroppedOverLimit">Series and log records left out for a per-record limit.</param>
public sealed record FrameAck(
    SequenceRange Sequences, FrameOutcome Outcome, int Status, string Code, string Detail, int DroppedTooOld, int DroppedOverLimit);
