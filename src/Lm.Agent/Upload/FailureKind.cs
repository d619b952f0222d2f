using Lm.Protocol;

namespace Lm.Agent.Upload;

/// <summary>What a refusal means for the batch and for the others: design.md section 6.</summary>
internal enum FailureKind
{
    /// <summary>No failure.</summary>
    None = 0,

    /// <summary>It will pass: full-jitter backoff, nothing moves.</summary>
    Passing,

    /// <summary>A setting is wrong, here or there: everything is kept, backoff up to 5 minutes.</summary>
    SetUp,

    /// <summary>This batch must wait, the others go on.</summary>
    Parked,

    /// <summary>This batch can never be taken: it is set aside.</summary>
    Refused,

    /// <summary>The collector knows another batch under this number: a new queue id is needed (D5).</summary>
    Fork,
}

/// <summary>Tells the kinds apart.</summary>
internal static class Failure
{
    /// <summary>The kind of a refusal.</summary>
    /// <param name="status">The HTTP status, of the request or of one frame.</param>
    /// <param name="code">The stable problem code; empty when the answer had none.</param>
    public static FailureKind KindOf(int status, string code) => (status, code) switch
    {
        (_, ProblemCode.SequenceFork or ProblemCode.SequenceOverlap) => FailureKind.Fork,
        (_, ProblemCode.LimitExceeded or ProblemCode.FutureTimestamp or ProblemCode.BodyTooLarge) or (413, _) => FailureKind.Parked,
        // A hole that stays would make one interval more: the older batches, which fill holes, must go on.
        (_, ProblemCode.TooManyGaps) => FailureKind.Parked,
        (400, ProblemCode.MalformedFrame or ProblemCode.MalformedBatch or ProblemCode.UnsupportedTemporality) => FailureKind.Refused,
        (408 or 429, _) or ( >= 500, _) => FailureKind.Passing,
        // Whatever else it is, nothing says that the batch is at fault: a proxy's 400 or a stray 3xx must not empty the queue.
        _ => FailureKind.SetUp,
    };
}
