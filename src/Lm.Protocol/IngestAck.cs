using Lm.Platform;

namespace Lm.Protocol;

/// <summary>The body of a <c>200</c> answer: <c>lightmetrics.v1.IngestAck</c>.</summary>
/// <param name="Frames">One for each frame, in the request's order.</param>
/// <param name="CollectorTime">The collector's clock.</param>
/// <param name="Limits">What the collector takes.</param>
public sealed record IngestAck(IReadOnlyList<FrameAck> Frames, UnixMillis CollectorTime, Limits Limits)
{
    /// <summary>The media type of batches and acks.</summary>
    public const string MediaType = "application/x-protobuf";

    /// <summary>The message's bytes.</summary>
    public byte[] Encode() => throw new NotImplementedException();

    /// <summary>Reads an answer. Unknown fields are skipped.</summary>
    /// <returns>False when the bytes are not an ack.</returns>
    public static bool TryDecode(ReadOnlySpan<byte> bytes, out IngestAck ack) => throw new NotImplementedException();
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
