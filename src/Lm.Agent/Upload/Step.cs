namespace Lm.Agent.Upload;

/// <summary>How one step of the uploader ended.</summary>
/// <param name="Kind">What to do next.</param>
/// <param name="Failure">Of what kind a failure was.</param>
/// <param name="Delay">How long to wait after a failure.</param>
/// <param name="HasForked">The queue has a new id: every batch in hand is of the old one.</param>
internal readonly record struct Step(StepKind Kind, FailureKind Failure, TimeSpan Delay, bool HasForked)
{
    public static Step Idle => new(StepKind.Idle, FailureKind.None, default, false);

    public static Step Sent => new(StepKind.Sent, FailureKind.None, default, false);

    public static Step SentBacklog => new(StepKind.SentBacklog, FailureKind.None, default, false);

    public static Step Forked => new(StepKind.Sent, FailureKind.Fork, default, true);

    public static Step FailedFor(FailureKind kind, TimeSpan delay) => new(StepKind.Failed, kind, delay, false);
}

/// <summary>What to do after a step.</summary>
internal enum StepKind
{
    /// <summary>Nothing can be sent now.</summary>
    Idle = 0,

    /// <summary>Go on at once.</summary>
    Sent,

    /// <summary>Go on after the backlog's pause.</summary>
    SentBacklog,

    /// <summary>Wait.</summary>
    Failed,
}
