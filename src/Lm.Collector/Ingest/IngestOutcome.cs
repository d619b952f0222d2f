using Lm.Protocol;

namespace Lm.Collector.Ingest;

/// <summary>What became of a request's frames.</summary>
/// <param name="Frames">One for each frame that was looked at, in order; at least one.</param>
/// <param name="QueueId">The queue of the first batch that could be read; null when none could.</param>
/// <param name="IntervalMs">That of the last batch that could be read; 0 when not said.</param>
internal sealed record IngestOutcome(FrameAck[] Frames, QueueId? QueueId, int IntervalMs)
{
    /// <summary>Whether the answer is a 200 with an outcome for each frame.</summary>
    public bool IsAck { get; } = Array.Exists(Frames, static frame => frame.Outcome is FrameOutcome.Accepted or FrameOutcome.Duplicate);

    /// <summary>The outcome of a request whose frames were not taken one by one.</summary>
    public static IngestOutcome Refused(int status, string code, string detail) => new([Refuse(default, status, code, detail)], null, 0);

    /// <summary>A frame that is not taken.</summary>
    public static FrameAck Refuse(SequenceRange sequences, int status, string code, string detail) =>
        new(sequences, FrameOutcome.Refused, status, code, detail, 0, 0);
}
