namespace Lm.Collector.Ingest;

/// <summary>What the sequence ledger says about a batch that asks to enter.</summary>
internal enum Admission
{
    /// <summary>Never seen: it is pending now, or may become so.</summary>
    New = 0,

    /// <summary>It is durable already.</summary>
    Duplicate,

    /// <summary>A copy of it is on its way into the spool.</summary>
    Pending,

    /// <summary>Its sequence has other content, or is a final hole: <c>409 sequence_fork</c>.</summary>
    Fork,

    /// <summary>Its range overlaps an accepted one in part: <c>409 sequence_overlap</c>.</summary>
    Overlap,

    /// <summary>The queue's state has no room for another interval, or the agent none for another queue: <c>429 too_many_gaps</c>.</summary>
    TooManyGaps,
}

/// <summary>The ledger's answer.</summary>
/// <param name="Admission">What it says.</param>
/// <param name="Batch">The pending batch: this one when new, the earlier copy when pending; else null.</param>
/// <param name="Detail">For people, when refused: what was found, what is allowed.</param>
internal readonly record struct AdmissionResult(Admission Admission, PendingBatch? Batch, string Detail);
